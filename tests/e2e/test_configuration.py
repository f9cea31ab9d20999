"""Configurations: shipped ones are valid, changed ones go live, bad ones are refused."""

import concurrent.futures
import pathlib
import time

import client
import envoy
import pytest
from sidecars import wait

SHIPPED = sorted(path for path in (envoy.ROOT / "envoy").rglob("*.yaml") if "static_resources" in path.read_text())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(envoy.ROOT)))
def test_shipped_configurations_are_valid(path: pathlib.Path):
    code, output = envoy.validate(path)
    assert code == 0, output


@pytest.mark.parametrize("plugin", ["{", "[]", '{"mode": "sometimes"}', '{"headers": "both"}', '{"unknown": 1}', "\x00"])
def test_a_bad_configuration_stops_envoy_from_starting_and_says_why(upstream, plugin):
    with pytest.raises(RuntimeError, match=r"azeotrope: configuration: \$"):
        envoy.start(upstream_port=upstream.port, plugin=plugin).stop()


@pytest.mark.parametrize("plugin", ["", "{}", " {} "])
def test_an_empty_configuration_is_the_built_in_rules(start, plugin):
    proxy = start(plugin=plugin)
    assert client.post(proxy.port, body=client.chat()).status == 200
    assert proxy.metric("verdict.allow") == 1


def told(proxy):
    return client.post(proxy.port, body=client.chat()).headers.get("x-stand-in-azeotrope")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_changed_document_is_live_within_two_seconds_and_counters_stay(start, workers):
    proxy = start("ecds", workers=workers, plugin={"headers": "streamed"})
    assert told(proxy) is None
    counted = proxy.metric("requests.chat_completions")
    begun = time.monotonic()
    proxy.reconfigure({"headers": "held"})
    wait("it is live", lambda: all(told(proxy) for _ in range(10)), 2)
    assert time.monotonic() - begun < 2
    assert proxy.metric("requests.chat_completions") > counted


def test_a_bad_document_is_refused_and_the_one_before_stays(start):
    proxy = start("ecds", workers=2, plugin={"headers": "held"})
    assert told(proxy)
    for bad in ("{", '{"headers": 3}', '{"headers": "both"}'):
        refused = proxy.metric("config.refused")
        proxy.reconfigure(bad)
        wait("it is refused", lambda: proxy.metric("config.refused") > refused)
        assert all(told(proxy) for _ in range(10)), "the configuration before is no longer in force"
    assert "azeotrope: configuration: $" in proxy.log()
    proxy.reconfigure({"headers": "streamed"})
    wait("a good one is live", lambda: not any(told(proxy) for _ in range(10)))


def test_requests_in_flight_finish_while_documents_change(start):
    proxy = start("ecds", workers=2)
    slow = [("x-stand-in-delay-ms", "1500")]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        flying = [pool.submit(client.post, proxy.port, client.CHAT, client.chat(), slow) for _ in range(16)]
        wait("all are on their way", lambda: proxy.requests()[1] == 16)
        for mode in ("streamed", "held", "auto"):
            accepted = proxy.told("config.accepted")
            proxy.reconfigure({"headers": mode})
            wait(f"it is {mode}", lambda: proxy.told("config.accepted") > accepted)
        assert [future.result().status for future in flying] == [200] * 16


def test_a_body_in_flight_is_judged_on_the_configuration_it_started_with(start):
    proxy = start("ecds", plugin={"headers": "held"})
    assert told(proxy)
    body = client.chat("in flight")
    head = client.head(headers=[("content-length", len(body))])
    accepted = proxy.metric("config.accepted")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        flying = pool.submit(client.raw, proxy.port, [head, body[:10], body[10:]], 0.8)
        wait("it is on its way", lambda: proxy.requests()[1] == 1)
        proxy.reconfigure({"headers": "streamed"})
        wait("the next is in force", lambda: proxy.told("config.accepted") >= accepted + 2)
        assert "action=" in flying.result().headers["x-stand-in-azeotrope"]


def test_the_host_may_stop_holding_headers_under_the_empty_configuration(start):
    proxy = start("ecds", stop_iteration=True)
    wait("headers are held", lambda: told(proxy) is not None)
    accepted = proxy.metric("config.accepted")
    proxy.reconfigure({}, stop_iteration=False)
    wait("the worker and the main thread have it", lambda: proxy.metric("config.accepted") >= accepted + 2)
    waits = []
    for _ in range(6):
        begun = time.monotonic()
        assert client.post(proxy.port, body=client.chat()).status == 200
        waits.append(time.monotonic() - begun)
    # One request may wait for the net under held headers; then it is learned anew.
    assert max(waits) < 4 and len([wait for wait in waits if wait > 1]) <= 1, waits
