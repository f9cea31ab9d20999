"""HTTP clients that say exactly what a test wants on the wire: HTTP/1.1 in given pieces, HTTP/2 with trailers."""

import dataclasses
import http.client
import json
import socket
import time

import h2.config
import h2.connection
import h2.events

CHAT = "/v1/chat/completions"
#: A path of each dialect, by the folder of its fixtures; streamed where the path says so.
PATHS = {
    "chat_completions": CHAT,
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/gemini:streamGenerateContent?alt=sse",
    "interactions": "/v1beta/interactions",
    "converse": "/model/anthropic.claude/converse-stream",
}
TIMEOUT = 20


@dataclasses.dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict
    body: bytes


def chat(text="Hello", **more):
    """A Chat Completions body."""
    return json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": text}], **more}).encode()


def post(port, path=CHAT, body=b"", headers=()):
    """A POST with content-length."""
    return http1(port, "POST", path, body, headers)


def http1(port, method, path, body=None, headers=()):
    """A request with `http.client`; an iterable body goes chunked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        chunked = body is not None and not isinstance(body, bytes)
        connection.putrequest(method, path, skip_accept_encoding=True)
        if chunked:
            connection.putheader("transfer-encoding", "chunked")
        elif body is not None:
            connection.putheader("content-length", str(len(body)))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body, encode_chunked=chunked)
        return received(connection.getresponse())
    finally:
        connection.close()


def received(response):
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def raw(port, pieces, pause=0.0, read=True):
    """Sends bytes as they are, one write a piece; the answer, or None if the client does not wait for it."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        if not read:
            return None
        response = http.client.HTTPResponse(connection)
        response.begin()
        return received(response)


def head(path=CHAT, headers=(), method="POST"):
    """The head of an HTTP/1.1 request, as bytes; header values may be any bytes."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"host: test"]
    for name, value in headers:
        value = value if isinstance(value, bytes) else str(value).encode()
        lines.append(name.encode() + b": " + value)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunk(data):
    """A chunk of chunked encoding; the empty one is the last."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def http2(port, body, path=CHAT, headers=(), trailers=None, size=16384, pause=0.0):
    """A POST over HTTP/2 without TLS, the body in frames of at most `size` bytes, with trailers if given."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as wire:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        connection.initiate_connection()
        fields = [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "test"), *headers]
        connection.send_headers(1, fields)
        wire.sendall(connection.data_to_send())
        wire.sendall(connection.data_to_send())
        for start in range(0, len(body), size):
            piece = body[start:start + size]
            while connection.local_flow_control_window(1) < len(piece):
                connection.receive_data(wire.recv(65536))
            connection.send_data(1, piece)
            wire.sendall(connection.data_to_send())
            time.sleep(pause)
        if trailers is None:
            connection.end_stream(1)
        else:
            connection.send_headers(1, trailers, end_stream=True)
        wire.sendall(connection.data_to_send())
        return http2_answer(wire, connection)


def http2_answer(wire, connection):
    answer = Answer(0, {}, b"")
    while True:
        data = wire.recv(65536)
        assert data, "the connection ended before the answer"
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                answer.headers = dict(event.headers)
                answer.status = int(answer.headers[":status"])
            elif isinstance(event, h2.events.DataReceived):
                answer.body += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                return answer
        wire.sendall(connection.data_to_send())
