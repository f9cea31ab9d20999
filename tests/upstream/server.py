#!/usr/bin/env python3
"""A stand-in for an LLM provider: answers every dialect, plain and streaming, and remembers what reached it.

    server.py [--port N] [--port-file FILE]

or, from Python, `with Upstream() as upstream: upstream.port`.

Request headers that steer it: `x-stand-in-status: 429` (an error of that status in the dialect's own shape),
`x-stand-in-delay-ms: 50` (wait before answering). An `x-azeotrope` header that arrives is repeated in the answer as
`x-stand-in-azeotrope`, so that a client can see what the filter told upstream.

`x-stand-in-replay: messages/stream.sse` answers with a recorded stream of the engine's fixtures; `x-stand-in-piece: 7`
writes an answer that is not announced in pieces of so many bytes, `x-stand-in-pause-ms: 20` waits after each, and
`x-stand-in-encoding: gzip` compresses it; another encoding it only says.

Every answer carries `x-stand-in`, so that it cannot be taken for one of the proxy.

`GET /_seen` gives the last requests as JSON, newest last: method, path, headers as [name, value] pairs in the order of
arrival, the body's length, SHA-256 and (of one that is no longer than 64 KiB) text, whether it ended. `GET /_seen?last=N` gives N of them, `DELETE /_seen` forgets.
Speaks HTTP/1.1 with keep-alive, content-length and chunked bodies. Needs only the standard library.
"""
import argparse
import asyncio
import collections
import gzip
import hashlib
import json
import pathlib
import sys
import threading
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import dialects  # noqa: E402
import eventstream  # noqa: E402

HEAD_LIMIT = 256 * 1024
BODY_LIMIT = 128 * 1024 * 1024
KEEP = 8 * 1024 * 1024  # bytes of a body that are kept for parsing; the rest is only hashed
REMEMBERED = 4096
SHOWN = 64 * 1024  # bytes of a body up to which `_seen` shows it
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "src" / "engine" / "fixtures"
MAX_DELAY_MS = 60_000


class BadRequest(Exception):
    """What arrived is not HTTP/1.1 that this server reads."""


class Body:
    """A body as it arrives: hashed whole, kept in part."""

    def __init__(self):
        self.length, self.kept, self._hash = 0, bytearray(), hashlib.sha256()

    def add(self, data):
        self.length += len(data)
        if self.length > BODY_LIMIT:
            raise BadRequest("body too large")
        self._hash.update(data)
        self.kept += data[: max(0, KEEP - len(self.kept))]

    def sha256(self):
        return self._hash.hexdigest()


class Server:
    """The listening server. `port` is known after `start`."""

    def __init__(self, port=0):
        self.port, self.count = port, 0
        self.seen = collections.deque(maxlen=REMEMBERED)
        self._server, self._connections = None, set()

    async def start(self):
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=HEAD_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader, writer):
        self._connections.add(asyncio.current_task())
        try:
            while await self._exchange(reader, writer):
                pass
        except BadRequest as problem:
            writer.write(response(400, {"connection": "close"}, str(problem).encode()))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._connections.discard(asyncio.current_task())
            writer.close()

    async def _exchange(self, reader, writer):
        """One request and its answer; False when the connection is done with."""
        head = await read_head(reader)
        if head is None:
            return False
        method, target, headers = head
        record = {"method": method, "path": target, "headers": headers, "length": 0, "sha256": None, "complete": False}
        own = target.startswith("/_")
        if not own:
            self.count += 1
            self.seen.append(record)
        number, body = self.count, Body()
        try:
            await read_body(reader, writer, headers, body)
            record["complete"] = True
        finally:
            record["length"], record["sha256"] = body.length, body.sha256()
            record["text"] = body.kept.decode("utf-8", "replace") if body.length <= SHOWN else None
        if own:
            writer.write(self._debug(method, target))
        else:
            await answer(writer, number, target, headers, body)
        await writer.drain()
        return (first(headers, "connection") or "").lower() != "close"

    def _debug(self, method, target):
        path, _, query = target.partition("?")
        if path != "/_seen":
            return response(200, {}, b'{"ok": true}') if path == "/_health" else response(404, {}, b"{}")
        if method == "DELETE":
            self.seen.clear()
        last = query.removeprefix("last=")
        rows = list(self.seen)
        rows = rows[-int(last):] if last.isdigit() and int(last) > 0 else rows
        return response(200, {"content-type": dialects.JSON}, json.dumps(rows).encode())


# ---------------------------------------------------------------- answering


async def answer(writer, number, target, headers, body):
    """Writes the answer to an LLM call, or a plain one to anything else."""
    path, _, query = target.partition("?")
    call = dialects.recognise(path, query, bytes(body.kept), body.length)
    delay, status = as_int(headers, "x-stand-in-delay-ms"), as_int(headers, "x-stand-in-status")
    if delay:
        await asyncio.sleep(min(delay, MAX_DELAY_MS) / 1000)
    extra = {"x-stand-in": str(number), "x-request-id": f"stand-in-{number}"}
    told = first(headers, "x-azeotrope")
    if told is not None:
        extra["x-stand-in-azeotrope"] = told
    recorded = replayed(first(headers, "x-stand-in-replay"))
    if recorded is not None:
        await write_pieces(writer, headers, extra, *recorded)
    elif status and status != 200:
        more, text = dialects.error(call and call.dialect, status)
        writer.write(response(status, {**extra, **more, "content-type": dialects.JSON}, text))
    elif call is None:
        found = 200 if path in ("/", "/v1/models", "/healthz") else 404
        writer.write(response(found, {**extra, "content-type": dialects.JSON}, b'{"object": "list", "data": []}'))
    elif call.stream:
        kind, chunks = dialects.streamed(call, number)
        writer.write(head_of(200, {**extra, "content-type": kind, "transfer-encoding": "chunked"}))
        for chunk in chunks:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
    else:
        kind, text = dialects.plain(call, number)
        writer.write(response(200, {**extra, "content-type": kind}, text))


def replayed(name):
    """(content type, bytes) of a recorded stream, or None."""
    path = FIXTURES / name if name and ".." not in name else None
    if path is None or not path.is_file():
        return None
    if path.suffix == ".sse":
        return "text/event-stream; charset=utf-8", path.read_bytes()
    events = [json.loads(line) for line in path.read_text().splitlines() if line]
    return eventstream.CONTENT_TYPE, b"".join(eventstream.message(kind_of(event), event) for event in events)


def kind_of(event):
    """The type of a recorded Converse event, which its framing carries."""
    kinds = {"role": "messageStart", "delta": "contentBlockDelta", "stopReason": "messageStop", "metrics": "metadata"}
    return next((kind for key, kind in kinds.items() if key in event), "contentBlockStop")


async def write_pieces(writer, headers, extra, kind, body):
    """A chunked answer in pieces of the size that the request asks for."""
    size, pause = as_int(headers, "x-stand-in-piece") or 1024, as_int(headers, "x-stand-in-pause-ms") or 0
    head = {**extra, "content-type": kind, "transfer-encoding": "chunked"}
    if first(headers, "x-stand-in-encoding") == "gzip":
        head["content-encoding"], body = "gzip", gzip.compress(body)
    elif first(headers, "x-stand-in-encoding"):
        head["content-encoding"] = first(headers, "x-stand-in-encoding")
    writer.write(head_of(200, head))
    for start in range(0, len(body), size):
        piece = body[start:start + size]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        if pause:
            await asyncio.sleep(min(pause, MAX_DELAY_MS) / 1000)
    writer.write(b"0\r\n\r\n")


def response(status, headers, body):
    return head_of(status, {**headers, "content-length": str(len(body))}) + body


def head_of(status, headers):
    lines = [f"HTTP/1.1 {status} stand-in"] + [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# ---------------------------------------------------------------- reading


async def read_head(reader):
    """(method, target, [[name, value]]), or None at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = raw.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3:
        raise BadRequest("bad request line")
    pairs = (line.partition(":") for line in lines[1:] if line)
    return parts[0], parts[1], [[name.lower(), value.strip()] for name, _, value in pairs]


async def read_body(reader, writer, headers, body):
    """Reads the body that the headers announce into `body`."""
    if (first(headers, "expect") or "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in (first(headers, "transfer-encoding") or "").lower():
        await read_chunks(reader, body)
        return
    await read_bytes(reader, as_int(headers, "content-length") or 0, body)


async def read_bytes(reader, left, body):
    """Reads the next `left` bytes into `body`."""
    while left:
        data = await reader.read(min(left, 65536))
        if not data:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(data)
        body.add(data)


async def read_chunks(reader, body):
    while True:
        size_line = (await reader.readuntil(b"\r\n")).split(b";")[0].strip()
        try:
            left = int(size_line, 16)
        except ValueError:
            raise BadRequest("bad chunk size") from None
        if not 0 <= left <= BODY_LIMIT:
            raise BadRequest("bad chunk size")
        if left == 0:
            while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
                pass
            return
        await read_bytes(reader, left, body)
        await reader.readexactly(2)


def first(headers, name):
    return next((value for key, value in headers if key == name), None)


def as_int(headers, name):
    value = first(headers, name)
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 16 else None


# ---------------------------------------------------------------- running


class Upstream:
    """The stand-in on a thread of its own: `with Upstream() as upstream: ... upstream.port, upstream.seen()`."""

    def __init__(self, port=0):
        self._server = Server(port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-in", daemon=True)

    def start(self):
        self._thread.start()
        self._run(self._server.start())
        return self

    def stop(self):
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    @property
    def port(self):
        return self._server.port

    def seen(self, last=None):
        """The last requests that arrived, newest last."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_seen?last={last or 0}", timeout=10) as reply:
            return json.load(reply)

    def forget(self):
        """Forgets what arrived."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_seen", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(15)


async def serve(port, port_file):
    server = Server(port)
    await server.start()
    print(f"stand-in upstream on 127.0.0.1:{server.port}", flush=True)
    if port_file:
        pathlib.Path(port_file).write_text(str(server.port))
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", help="write the port there once it listens")
    args = parser.parse_args()
    try:
        asyncio.run(serve(args.port, args.port_file))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
