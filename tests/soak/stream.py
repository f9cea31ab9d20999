"""A small upstream and a small client for streamed answers, on asyncio protocols: fast enough to load an Envoy with.

The stand-in in tests/upstream understands requests; these only keep them coming.
"""
import asyncio
import json
import time

EVENTS = 8


def stream(events=EVENTS):
    """The chunks of a streamed Chat Completions answer."""
    chunks = [json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [
        {"index": 0, "delta": {"content": f"word {n} "}, "finish_reason": None}]}) for n in range(events)]
    chunks.append(json.dumps({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 3 * events}}))
    pieces = [f"data: {chunk}\n\n".encode() for chunk in [*chunks, "[DONE]"]]
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Upstream(asyncio.Protocol):
    """Answers every request with the same stream; `pause` seconds before each chunk but the first."""

    pause = 0.0

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15:].split(b"\r\n")[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length:]
            self.answer()

    def answer(self):
        chunks = stream()
        if not self.pause:
            self.transport.write(HEAD + b"".join(chunks))
            return
        self.transport.write(HEAD + chunks[0])
        loop = asyncio.get_running_loop()
        for n, chunk in enumerate(chunks[1:], 1):
            loop.call_later(self.pause * n, self.transport.write, chunk)


class Client(asyncio.Protocol):
    """Sends requests one after the other on one connection: `next_request()` gives each, None ends it.

    `first` and `whole` collect seconds until the first event and until the end; `failed` counts answers other than 200.
    """

    def __init__(self, next_request, results):
        self.next_request, self.results = next_request, results
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        request = self.next_request()
        if request is None:
            self.transport.close()
            return
        self.buffer, self.seen, self.begun = b"", False, time.perf_counter()
        self.transport.write(request)

    def data_received(self, data):
        self.buffer += data
        if not self.seen and b"data: " in self.buffer:
            self.seen = True
            self.results.first.append(time.perf_counter() - self.begun)
        if self.buffer.endswith(b"0\r\n\r\n"):
            self.results.whole.append(time.perf_counter() - self.begun)
            self.results.failed += not (self.buffer.startswith(b"HTTP/1.1 200") and b"[DONE]" in self.buffer)
            self.send()

    def connection_lost(self, _error):
        if not self.done.done():
            self.done.set_result(None)


class Results:
    """What the clients saw."""

    def __init__(self):
        self.first, self.whole, self.failed = [], [], 0


def request(account, number):
    """A streamed Chat Completions call of an account."""
    body = json.dumps({"model": "gpt-5", "stream": True, "messages": [
        {"role": "user", "content": f"Question {number} of account {account} about the rivers of Europe"}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer sk-soak-{account}\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def load(port, requests, connections):
    """Sends `requests` (an iterator) over some connections; the Results."""
    results, requests = Results(), iter(requests)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Client(lambda: next(requests, None), results), "127.0.0.1", port)
              for _ in range(connections)]
    await asyncio.gather(*(client.done for _, client in opened))
    return results
