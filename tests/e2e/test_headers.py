"""What the filter does to headers, and when it can."""

import os
import statistics
import time

import client
import pytest

LABEL = "x-azeotrope"


def label(proxy, headers=(), **more):
    """What upstream was told of a chat request: the stand-in repeats it."""
    return client.post(proxy.port, body=client.chat(), headers=headers, **more).headers.get("x-stand-in-azeotrope")


def await_label(proxy):
    """Sends until upstream is told: each worker needs a moment after its start."""
    return [label(proxy) for _ in range(20)]


def test_spoofed_labels_are_removed(proxy, upstream):
    for name in (LABEL, "X-Azeotrope", "X-AZEOTROPE"):
        spoofed = [(name, "action=allow, spoofed"), (name, "twice-spoofed")]
        for path in (client.CHAT, "/v1/models", "/"):
            upstream.forget()
            client.post(proxy.port, path, client.chat(), spoofed)
            (seen,) = upstream.seen()
            assert not [value for name, value in seen["headers"] if name == LABEL and "spoofed" in value]


def test_a_spoofed_label_on_http2_is_removed(proxy, upstream):
    upstream.forget()
    client.http2(proxy.port, client.chat(), headers=[(LABEL, "spoofed")], trailers=[(LABEL, "spoofed")])
    (seen,) = upstream.seen()
    assert not [value for name, value in seen["headers"] if name == LABEL and "spoofed" in value]


@pytest.mark.parametrize("method, path", [("GET", "/"), ("GET", "/v1/models"), ("POST", "/v1/files"), ("GET", client.CHAT)])
def test_what_is_no_llm_call_passes_untouched_and_uncounted(proxy, upstream, method, path):
    counted = proxy.stats("wasmcustom")
    logged = len(proxy.access_log())
    upstream.forget()
    body = os.urandom(400_000) if method == "POST" else None
    client.http1(proxy.port, method, path, body, [("x-keep", "a"), ("x-keep", "b")])
    (seen,) = upstream.seen()
    assert (seen["method"], seen["path"], seen["complete"]) == (method, path, True)
    assert seen["length"] == len(body or b"")
    assert [value for name, value in seen["headers"] if name == "x-keep"] == ["a", "b"]
    assert not [name for name, _ in seen["headers"] if name == LABEL]
    assert proxy.stats("wasmcustom") == counted
    assert proxy.access_log(logged + 1)[-1]["azeotrope"] is None


@pytest.mark.parametrize("name", ["authorization", "user-agent", "x-api-key", "x-forwarded-for", "x-anything", "cookie"])
def test_headers_that_are_no_utf_8_pass(proxy, name):
    value = b"\xff\xfe\xc3\x28 Bearer \x80"
    body = client.chat()
    head = client.head(headers=[("content-length", len(body)), (name, value)])
    assert client.raw(proxy.port, [head, body]).status == 200
    proxy.check_health()


def test_a_path_that_is_no_utf_8_passes_or_is_refused_by_envoy(proxy):
    head = client.head("/v1/chat/\udcff\udcfe?key=%ff".encode("utf-8", "surrogateescape").decode("latin-1"))
    client.raw(proxy.port, [head, b""], read=False)
    assert client.post(proxy.port, client.CHAT + "?key=%ff%00", client.chat()).status == 200
    proxy.check_health()


def test_headers_by_the_hundred_pass(proxy):
    headers = [(f"x-h{number}", "v" * 300) for number in range(95)]
    assert client.post(proxy.port, body=client.chat(), headers=headers).status == 200


def test_held_headers_carry_the_label(start):
    for workers in (1, 2):
        proxy = start(workers=workers, plugin={"headers": "held"})
        assert all("action=" in (told or "") for told in await_label(proxy))
        for trailers in (None, [("x-t", "1")]):
            answer = client.http2(proxy.port, client.chat(), trailers=trailers)
            assert "action=" in answer.headers["x-stand-in-azeotrope"]


def test_streamed_headers_go_without_a_label_in_either_setup(start):
    for stop_iteration in (True, False):
        proxy = start(plugin={"headers": "streamed"}, stop_iteration=stop_iteration)
        assert await_label(proxy) == [None] * 20
        assert all("action=" in entry["azeotrope"] for entry in proxy.access_log(20))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_empty_configuration_notices_that_headers_can_be_held(start, workers):
    proxy = start(workers=workers)
    proxy.await_told()
    assert all("action=" in (told or "") for told in await_label(proxy))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_empty_configuration_notices_that_headers_cannot_be_held(start, workers):
    proxy = start(workers=workers, stop_iteration=False, vm_id="")
    proxy.await_told()
    waits = []
    for _ in range(60):
        begun = time.monotonic()
        assert client.post(proxy.port, body=client.chat()).status == 200
        waits.append(time.monotonic() - begun)
    # Each worker learns from three requests, which wait for 25 milliseconds; then none does, however busy the machine may be
    # now and then. None waits for the net under held headers, 2 seconds.
    assert statistics.median(waits[20:]) < 0.02, waits
    assert max(waits) < 2, waits


@pytest.mark.parametrize("trailers", [None, [("x-t", "1")]])
def test_bodies_arrive_whole_while_the_empty_configuration_learns(start, upstream, trailers):
    for size in (10, 40_000, 600_000):
        proxy = start(stop_iteration=False, vm_id="")
        proxy.await_told()
        body = client.chat("x" * size)
        for _ in range(5):
            assert client.http2(proxy.port, body, trailers=trailers).status == 200
            assert upstream.seen(1)[0]["length"] == len(body)
        assert len([entry for entry in proxy.access_log(5) if entry["azeotrope"]]) == 5


def test_slow_clients_teach_the_empty_configuration_nothing_wrong(start):
    proxy = start()
    proxy.await_told()
    body = client.chat()
    head = client.head(headers=[("content-length", len(body))])
    for _ in range(6):
        assert client.raw(proxy.port, [head, body], pause=0.12).status == 200
    assert all("action=" in (told or "") for told in await_label(proxy))


def test_a_client_that_never_sends_its_body_leaves_nothing_behind(start):
    proxy = start()
    proxy.await_told()
    for _ in range(20):
        client.raw(proxy.port, [client.head(headers=[("content-length", 10)])], pause=0.005, read=False)
    assert len(proxy.access_log(20)) == 20, "Envoy has not noticed"
    assert all("action=" in (told or "") for told in await_label(proxy))
    assert proxy.metric("host.error") == 0
