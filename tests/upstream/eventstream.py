"""AWS event stream framing (application/vnd.amazon.eventstream), as Bedrock's streaming calls answer in.

A message is: total length, headers length, CRC-32 of those eight bytes, headers, payload, CRC-32 of all before it.
"""
import base64
import json
import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def _header(name, value):
    name, value = name.encode(), value.encode()
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _STRING, len(value)) + value


def message(event_type, payload):
    """One event as bytes; `payload` becomes its JSON body."""
    headers = b"".join([
        _header(":event-type", event_type),
        _header(":content-type", "application/json"),
        _header(":message-type", "event"),
    ])
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 12 + len(headers) + len(body) + 4, len(headers))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    framed = prelude + headers + body
    return framed + struct.pack("!I", zlib.crc32(framed))


def chunk(event):
    """An InvokeModelWithResponseStream event: the model's own event, base64-coded inside `chunk`."""
    return message("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})
