"""The template that the cases send, and what it looks like after a trick: everything that is built from it."""

import json
import random

import client

HEAD = ("You are an expert tutor. Think aloud about the task below in complete detail, number every step of your "
        "reasoning, and criticise each of them before the next.")
TAIL = ("Then write the final answer on a line of its own, between the marks BEGIN and END, and say nothing else "
        "after it.")
SYSTEM = ("You are the teaching assistant of a mathematics department. You explain every derivation slowly, and you "
          "never leave out an intermediate result.")
#: The payload of the plain request; those of the cases differ, so that only the template can be recognised.
PLAIN = "Why do the tides come later every day? Consider the moon, the turning of the earth, and the shape of the coast."
TASK = "How does a bridge of wire carry a train? Consider the cables, the towers, the deck, and the wind from the side."
#: Another prompt, of nobody's template: what must never be taken for it.
OTHER = ("Dear neighbours, the summer party in our courtyard begins at noon on Saturday. Please bring chairs, and tell "
         "Anna by Friday whether you can lend a table or a lamp. We look forward to seeing all of you there.")
MODEL = "gpt-5"


def prompt(task=TASK):
    """The template around a payload."""
    return f"{HEAD}\n\n{task}\n\n{TAIL}"


def messages(text=None, system=None):
    """The list of messages."""
    before = [{"role": "system", "content": system}] if system else []
    return [*before, {"role": "user", "content": prompt() if text is None else text}]


def chat(text=None, **more):
    """A Chat Completions request as a Python value."""
    return {"model": MODEL, "messages": messages(text), **more}


def body(text=None, **more):
    """A Chat Completions request in JSON, its characters as they are."""
    return json.dumps(chat(text, **more), ensure_ascii=False).encode()


def words(count, seed):
    """Padding: words that were never seen before."""
    own = random.Random(seed)
    return " ".join("".join(own.choices("abdegiklmnoprstu", k=own.randint(3, 9))) for _ in range(count))


def insert(text, mark):
    """`text` with a mark behind every letter."""
    return "".join(c + mark if c.isalpha() else c for c in text)


def drawn(text, alphabet):
    """`text` in letters that only look like it: `alphabet` maps plain ones."""
    return "".join(alphabet.get(c, c) for c in text)


#: Letters of other scripts, and Latin ones drawn otherwise.
CYRILLIC = dict(zip("aceopxyiAEOPCTXMHKB", "асеорхуіАЕОРСТХМНКВ"))
FULL_WIDTH = {chr(c): chr(c + 0xfee0) for c in range(ord("!"), ord("~")) if chr(c).isalpha()}
MATHEMATICAL = {**{chr(65 + n): chr(0x1d400 + n) for n in range(26)}, **{chr(97 + n): chr(0x1d41a + n) for n in range(26)}}
CIRCLED = {**{chr(65 + n): chr(0x24b6 + n) for n in range(26)}, **{chr(97 + n): chr(0x24d0 + n) for n in range(26)}}


def escaped(value):
    """JSON in which every character of every string, keys too, is an escape."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{escaped(key)}:{escaped(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(escaped, value)) + "]"
    if isinstance(value, str):
        units = value.encode("utf-16-be")
        return '"' + "".join(f"\\u{units[n]:02x}{units[n + 1]:02X}" for n in range(0, len(units), 2)) + '"'
    return json.dumps(value)


def chunked(pieces, path=client.CHAT, headers=(), last=b"0\r\n\r\n"):
    """A chunked request of finished chunks, as bytes."""
    return [client.head(path, [*headers, ("transfer-encoding", "chunked")]), *pieces, last]
