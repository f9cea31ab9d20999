#!/usr/bin/env python3
"""Bodies of real prompts: the demo's sample, joined up to a size. Everything under tests/bench takes its bodies from here.

    bodies.py <folder>      writes bodies-<bytes>.txt of every size, one body a line
"""

import json
import lzma
import pathlib
import random
import sys

#: Sizes in bytes, and how many bodies of each the load has: every one with an account of its own.
COUNTS = {512: 4000, 4 << 10: 2000, 32 << 10: 600, 256 << 10: 120}
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
    """`count` bodies of exactly `size` bytes each (Chat Completions: a system prompt and as many turns as it takes)."""
    pool, draw = [(text, _weight(text)) for text in prompts()], random.Random(seed * 1_000_003 + size)
    return [_one(size, pool, draw) for _ in range(count)]


def write(path, size, count, seed=1):
    """A file of bodies, one a line: the line's number tells where it is. One that is newer than its making is left."""
    if path.exists() and path.stat().st_mtime > max(source.stat().st_mtime for source in (SAMPLE, pathlib.Path(__file__))):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(body + "\n" for body in compose(size, count, seed)), encoding="utf-8")
    fresh.rename(path)


def dump(value):
    """JSON as the official SDKs write it: no escapes beyond ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _weight(text):
    """Bytes of a text within JSON."""
    return len(dump(text).encode()) - 2


def _one(size, pool, draw):
    messages = [{"role": "system", "content": draw.choice(pool)[0][:size // 4]}, {"role": "user", "content": ""}]
    body = {"model": "gpt-5.2", "messages": messages, "temperature": 0.7, "max_tokens": 1024}
    left = size - len(dump(body).encode())
    while left > 0:
        last = messages[-1]
        answers = last["role"] == "assistant"
        # A turn is a few KiB at most, as in a conversation, and the last word is the user's.
        if answers and left < 400 or left > 800 and len(last["content"]) > 2048:
            messages.append({"role": "user" if answers else "assistant", "content": ""})
            left -= len(dump(messages[-1])) + 1
            continue
        (text, weight), room = draw.choice(pool), left - 300 if answers else left
        if last["content"]:
            text, weight = "\n\n" + text, weight + 4
        while text and weight > room:
            text = text[:len(text) * room // weight - (room < 40)]
            weight = _weight(text)
        if not text:
            text, weight = "." * room, room
        last["content"] += text
        left -= weight
    return dump(body)


def write_all(folder):
    """Bodies of every size; {size: file}."""
    paths = {size: folder / f"bodies-{size}.txt" for size in COUNTS}
    for size, path in paths.items():
        write(path, size, COUNTS[size])
    return paths


if __name__ == "__main__":
    write_all(pathlib.Path(sys.argv[1]))
