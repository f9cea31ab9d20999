"""Refusals reach the caller, and the refused request never reaches upstream whole, however it is sent."""

import json

import client
import envoy
import pytest
import rules as rules_of

KEYS = {"throttle": "sk-e2e-throttled-0123456789abcdef", "block": "sk-e2e-blocked-0123456789abcdef"}
STATUS = {"throttle": 429, "block": 403}
BODY = client.chat("refused " * 400)
BIG = client.chat("refused " * 400_000)


def rules():
    return rules_of.document([(key, action) for action, key in KEYS.items()])


def slowly(port, headers):
    head = client.head(headers=[("content-length", len(BODY)), *headers])
    return client.raw(port, [head, BODY[:100], BODY[100:]], pause=0.08)


WAYS = {
    "content-length": lambda port, headers: client.post(port, body=BODY, headers=headers),
    "slowly": slowly,
    "chunked": lambda port, headers: client.http1(port, "POST", client.CHAT, iter([BODY[:9], BODY[9:]]), headers),
    "http2": lambda port, headers: client.http2(port, BODY, headers=headers),
    "http2-trailers": lambda port, headers: client.http2(port, BODY, headers=headers, trailers=[("x-t", "1")]),
    "http2-big": lambda port, headers: client.http2(port, BIG, headers=headers),
}

SETUPS = {
    "held": dict(plugin="held", stop_iteration=True),
    "auto-held": dict(plugin="auto", stop_iteration=True),
    "auto-like-istio": dict(plugin="auto", stop_iteration=False, vm_id=""),
    "streamed": dict(plugin="streamed", stop_iteration=False),
}


@pytest.fixture(scope="module", params=list(SETUPS))
def enforcing(request, upstream):
    setup = dict(SETUPS[request.param])
    plugin = {"mode": "enforce", "headers": setup.pop("plugin"), "rules": rules()}
    with envoy.start(upstream_port=upstream.port, plugin=json.dumps(plugin), **setup) as proxy:
        proxy.await_told()
        yield proxy


@pytest.mark.parametrize("action", KEYS)
@pytest.mark.parametrize("way", WAYS)
def test_a_refused_request_is_answered_here_and_never_reaches_upstream_whole(enforcing, upstream, way, action):
    upstream.forget()
    logged = len(enforcing.access_log())
    answer = WAYS[way](enforcing.port, [("authorization", f"Bearer {KEYS[action]}")])
    assert answer.status == STATUS[action]
    assert json.loads(answer.body)["error"]["message"]
    assert ("retry-after" in answer.headers) == (action == "throttle")
    assert f"action={action}" in enforcing.access_log(logged + 1)[-1]["azeotrope"]
    # What comes after it has arrived: nothing of it is on its way any more.
    assert client.post(enforcing.port, body=BODY, headers=[("authorization", "Bearer sk-the-next")]).status == 200
    assert [seen["complete"] for seen in upstream.seen()].count(True) == 1


def test_others_are_let_through(enforcing, upstream):
    for way in WAYS.values():
        assert way(enforcing.port, [("authorization", "Bearer sk-somebody-else-0123456789")]).status == 200


def test_the_rules_in_force_show_their_version(enforcing):
    assert enforcing.metric("rules.version") == 7


def test_a_refusal_is_logged_without_the_key_and_at_a_bounded_rate(enforcing):
    before = enforcing.log().count("action=block")
    for _ in range(60):
        client.post(enforcing.port, body=BODY, headers=[("authorization", f"Bearer {KEYS['block']}")])
    lines = enforcing.log().count("action=block") - before
    assert 1 <= lines <= 40
    assert KEYS["block"] not in enforcing.log()
