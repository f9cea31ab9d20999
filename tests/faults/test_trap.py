"""A module that traps: what is lost, and what is not. The trap is built in for these tests alone."""

import time

import client
import envoy
import pytest

TRAP = envoy.ROOT / "target" / "trap.wasm"
HEADER = "x-azeotrope-trap"
ACCOUNT = [("authorization", "Bearer one-account")]
BACKOFF = 1.1  # seconds that Envoy waits before it loads a failed module anew


@pytest.fixture
def trapping(upstream):
    """An Envoy whose module traps on demand, and that counts an account's first hour to the request."""
    rule = {"account_shape": {"first_hour_from": 20}}
    plugin = {"rules": {"format": 1, "version": 1, "families": rule}}
    with envoy.start(upstream_port=upstream.port, plugin=plugin, module=TRAP) as one:
        one.check_health = lambda: None
        yield one


def ask(proxy, **more):
    return client.post(proxy.port, body=client.chat(), headers=[*ACCOUNT, *more.get("headers", [])]).status


def test_the_module_that_ships_has_no_trap_built_in(upstream):
    # Asked for, not looked for: a compiler may take the header's name apart. The tests below see that the other one traps.
    with envoy.start(upstream_port=upstream.port) as one:
        assert [ask(one, headers=[(HEADER, "1")]) for _ in range(3)] == [200] * 3
        assert not any(one.stats("vm_reload").values()) and "panic" not in one.log()


def test_after_a_trap_the_module_is_loaded_anew_and_counters_are_as_before(trapping):
    assert [ask(trapping) for _ in range(10)] == [200] * 10
    for before in (10, 20):
        time.sleep(BACKOFF)
        assert ask(trapping, headers=[(HEADER, "1")]) == 503
        time.sleep(BACKOFF)
        assert [ask(trapping) for _ in range(10)] == [200] * 10
    labels = [entry["azeotrope"] for entry in trapping.access_log(32) if entry["azeotrope"]]
    # The 21st counted request is the first to find 20 before it: none was lost, none counted twice.
    assert ["full_rate" in label for label in labels] == [False] * 20 + [True] * 10, labels
    assert trapping.stats("vm_reload_success") and sum(trapping.stats("vm_reload_success").values()) >= 2


def test_a_trap_says_where_and_nothing_of_the_request(trapping):
    time.sleep(BACKOFF)
    ask(trapping, headers=[(HEADER, "xyzzy-plugh-4711")])
    log = trapping.log()
    assert "bug: panic at" in log and "stream.rs" in log
    assert "xyzzy-plugh-4711" not in log and "as the test asked" not in log and "one-account" not in log
