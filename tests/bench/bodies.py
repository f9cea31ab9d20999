"""Bodies of real prompts: the demo's sample, joined up to a size."""

import json
import lzma
import pathlib
import random

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "demo" / "sample.jsonl.xz"


def texts(node):
    """Every text of a request body."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("content", "text", "input", "system", "prompt", "instructions") and isinstance(value, str):
                yield value
            elif isinstance(value, (dict, list)):
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def prompts():
    """The sample's texts, each once, in its order."""
    with lzma.open(SAMPLE, "rt") as lines:
        bodies = (json.loads(line).get("body") for line in lines)
        found = dict.fromkeys(text for body in bodies for text in texts(body or {}) if 40 < len(text) < 4000)
    return list(found)


def compose(size, count=24, seed=1):
    """`count` bodies of `size` bytes each (in Chat Completions, with a system prompt and as many turns as it takes)."""
    pool, draw = prompts(), random.Random(seed * 1_000_003 + size)
    return [_one(size, pool, draw) for _ in range(count)]


def dump(value):
    """JSON as the official SDKs write it: no escapes beyond ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _one(size, pool, draw):
    messages = [{"role": "system", "content": draw.choice(pool)[:size // 4]}, {"role": "user", "content": ""}]
    body = {"model": "gpt-5.2", "messages": messages, "temperature": 0.7, "max_tokens": 1024}
    while True:
        left = size - len(dump(body).encode())
        if left <= 0:
            return dump(body)
        last, text = messages[-1], draw.choice(pool)
        # A turn is a few KiB at most, as in a conversation.
        if len(last["content"]) > 2048:
            role = "assistant" if last["role"] == "user" else "user"
            if left > 400 or role == "assistant" and left > 200:
                messages.append({"role": role, "content": ""})
                continue
        room = max(1, left - 2)
        escaped = len(dump(text).encode()) - 2
        last["content"] += ("\n\n" if last["content"] else "") + (text if escaped <= room else text[:max(1, room // 2)])
        if room <= 8:
            last["content"] += "." * left
            return dump(body)
