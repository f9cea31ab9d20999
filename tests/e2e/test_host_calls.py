"""What a request asks of Envoy: every call of the host, counted by name as Envoy itself traces them. envoy/README.md says what each
is for; a new one belongs there, too."""

import client
import envoy
from sidecars import wait

#: One request of a known account with a known template, its headers held, and its answer.
KNOWN = {
    "get_header_map_pairs": 2,
    "get_property": 1,
    "get_buffer_bytes": 2,
    "get_shared_data": 2,
    "set_shared_data": 2,
    "set_property": 2,
    "replace_header_map_value": 1,
}
#: The same where `x-forwarded-for` has the client: Envoy has appended it by then.
FORWARDED = {name: count for name, count in KNOWN.items() if name != "get_property"}
#: The first of its template since the last tick reads the pages of its three keys.
FIRST = KNOWN | {"get_shared_data": 5}
#: A text that is new counts under its keys, too. In an Envoy that has just started their pages are not there yet, and are
#: asked for once more before they are made.
NEW_TEXT = KNOWN | {"get_shared_data": 9, "set_shared_data": 5}


def traced(proxy, body):
    """Host calls of one request, by name; those of ticks are no request's."""
    begin = len(proxy.log())
    logged = len(proxy.access_log())
    assert client.post(proxy.port, body=body, headers=[("authorization", "Bearer sk-known")]).status == 200
    proxy.access_log(logged + 1)
    wait("its context is gone", lambda: "proxy_on_delete" in proxy.log()[begin:])
    [calls] = envoy.host_calls(proxy.log()[begin:])
    return calls


def begun(start, plugin):
    """An Envoy that has seen the account and its template, and is about to trace."""
    proxy = start(plugin=plugin | {"headers": "held"})
    body = client.chat("Compare the two proposals below and say which one you prefer. " * 60)
    assert client.post(proxy.port, body=body, headers=[("authorization", "Bearer sk-known")]).status == 200
    wait("the timer is known to tick", lambda: proxy.metric("told") > 0)
    proxy.admin("POST", "/logging?wasm=trace")
    return proxy, body


def test_a_request_asks_no_more_of_the_host_than_is_documented(start):
    proxy, body = begun(start, {})
    # A tick may come between any two of them.
    asked = [traced(proxy, body) for _ in range(8)]
    assert KNOWN in asked and all(one in (KNOWN, FIRST) for one in asked), asked
    assert sum(KNOWN.values()) == 12
    fresh = client.chat("Here are offers of three suppliers for the same roof; what would you ask each of them next? " * 40)
    assert traced(proxy, fresh) == NEW_TEXT


def test_the_peer_is_not_asked_for_where_a_trusted_proxy_names_the_client(start):
    proxy, body = begun(start, {"trusted_hops": 1})
    assert FORWARDED in [traced(proxy, body) for _ in range(4)]
