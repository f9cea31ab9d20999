"""Tricks that take many requests: keys that rotate, floods, spoofed addresses, and framing somebody with a prompt of theirs."""

import json

import client
import crowd
import envoy
import pytest
import rules as rules_of

PLUGIN = {"mode": "enforce", "headers": "held", "trusted_hops": 2, "organisation": {"header": "x-org"}}
#: Places for counters that a flood can fill.
SMALL = {"state": {"account_pages": 8, "skeleton_pages": 8, "provenance_pages": 8}}


@pytest.fixture
def start(upstream):
    """Starts Envoys with people behind them; each must be healthy at the end of the test."""
    running = []

    def start_one(people=240, **more):
        running.append(envoy.start(upstream_port=upstream.port, workers=2, plugin=json.dumps({**PLUGIN, **more})))
        crowd.people(running, people)
        return running[-1]

    yield start_one
    for one in running:
        one.check_health()
        one.stop()


def firm(port, n, organisation=None):
    """A request of a firm with the harvest's very template and model, from its one network."""
    body = json.dumps({"model": crowd.TARGET, "max_tokens": 4096, "messages": [
        {"role": "system", "content": crowd.SYSTEM}, {"role": "user", "content": f"Ticket {n}: {crowd.SUBJECTS[n % 10]}?"}]})
    headers = crowd.headers(f"sk-firm-{n % 3}", 90_000 if organisation is None else 91_000 + n)
    return client.post(port, client.CHAT, body.encode(), [*headers, *([("x-org", organisation)] if organisation else [])])


def test_a_new_key_for_every_request_gains_nothing(start):
    proxy = start()
    statuses = crowd.harvest([proxy], 60)
    assert statuses[:5] == [200] * 5 and set(statuses[30:]) == {429}, statuses


def test_keys_that_upstream_does_not_know_build_no_case(start):
    proxy = start()
    for n in range(60):
        body = client.chat(model=crowd.TARGET, messages=[{"role": "system", "content": crowd.SYSTEM},
                                                         {"role": "user", "content": f"Invented {n}"}])
        headers = [*crowd.headers(f"sk-invented-{n}", 70_000 + n), ("x-stand-in-status", "401")]
        assert client.post(proxy.port, client.CHAT, body, headers).status == 401
    assert [firm(proxy.port, n).status for n in range(10)] == [200] * 10


@pytest.mark.parametrize("organisation", [None, "acme"])
def test_a_firms_own_prompt_from_throw_away_accounts_does_not_hurt_the_firm(start, organisation):
    proxy = start()
    assert [firm(proxy.port, n, organisation).status for n in range(20)] == [200] * 20
    framing = crowd.harvest([proxy], 60)
    assert set(framing[30:]) == {429}, framing
    assert [firm(proxy.port, n, organisation).status for n in range(20, 60)] == [200] * 40
    verdicts = [entry["azeotrope"] for entry in proxy.access_log()[-40:]]
    assert all("action=allow" in verdict for verdict in verdicts), verdicts


def test_a_flood_of_new_accounts_evicts_no_group(start):
    proxy = start(**SMALL)
    crowd.harvest([proxy], 60)
    # Some thousand new keys for some hundred places.
    crowd.people([proxy], 600)
    assert crowd.bot(proxy.port, 900).status == 429


def test_a_spoofed_address_is_nobodys_network(start):
    """The proxy in front appends the client's address; what a client has written stands before it and counts for nothing."""
    victim = crowd.address(5)
    digest = rules_of.subprocess.run([str(rules_of.PROGRAM), "digest", "--network", victim], check=True, capture_output=True,
                                     text=True).stdout.strip()
    allow = {"rules": {"format": 1, "version": 1, "allow": [{"network": digest}]}}
    proxy = start(people=0, **allow)
    for forwarded, known in [(victim, True), (f"{victim}, {crowd.address(6)}", False), (f"{victim}, {victim}, 9.9.9.9", False)]:
        logged = len(proxy.access_log())
        client.post(proxy.port, client.CHAT, client.chat(), [("authorization", "Bearer k"), ("x-forwarded-for", forwarded)])
        assert ("operator_allow" in proxy.access_log(logged + 1)[-1]["azeotrope"]) == known, forwarded
