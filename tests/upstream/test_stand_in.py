"""The stand-in itself: every SDK reads its answers and errors, and it remembers what it got."""
import hashlib
import http.client
import pathlib
import sys
import zlib

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sdk")]
import eventstream  # noqa: E402
from clients import CLIENTS  # noqa: E402
from server import Upstream  # noqa: E402


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as running:
        yield running


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_every_sdk_reads_its_answer(upstream, client):
    assert "has read your request" in client.run(f"http://127.0.0.1:{upstream.port}", "key", 0)


def request(upstream, method="POST", path="/v1/chat/completions", body=b"{}", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=10)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1beta/models/m:generateContent",
                                  "/model/m/converse", "/elsewhere"])
def test_a_status_can_be_asked_for(upstream, path):
    answer, body = request(upstream, path=path, x_stand_in_status="429")
    assert answer.status == 429 and b"stand-in upstream error 429" in body


def test_it_remembers_chunked_bodies_and_header_order(upstream):
    upstream.forget()
    pieces = [b'{"model": "m", ', b'"messages": []}']
    request(upstream, body=iter(pieces), x_one="1", x_two="2")
    row = upstream.seen(last=1)[0]
    assert row["complete"] and row["length"] == len(b"".join(pieces))
    assert row["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()
    names = [name for name, _ in row["headers"]]
    assert names.index("x-one") < names.index("x-two")


def test_it_repeats_what_the_filter_told_it(upstream):
    answer, _ = request(upstream, x_azeotrope="action=observe")
    assert answer.headers["x-stand-in-azeotrope"] == "action=observe"


@pytest.mark.parametrize("body", [b"", b"not json", b"[" * 100_000, b"\xff\xfe", b"[1]"])
def test_a_body_that_is_no_json_object_gets_an_answer(upstream, body):
    assert request(upstream, body=body)[0].status == 200


def test_event_stream_checksums_cover_prelude_and_message():
    framed = eventstream.message("metadata", {"a": 1})
    assert int.from_bytes(framed[:4], "big") == len(framed)
    assert int.from_bytes(framed[8:12], "big") == zlib.crc32(framed[:8])
    assert int.from_bytes(framed[-4:], "big") == zlib.crc32(framed[:-4])
