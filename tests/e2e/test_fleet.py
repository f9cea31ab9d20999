"""Two Envoys, two sidecars and a Redis: one view, rules in force everywhere, and what is lost when something dies."""

import concurrent.futures
import json
import signal
import threading
import time

import crowd
import pytest
import sidecars
from sidecars import wait

PLUGIN = {"mode": "enforce", "headers": "held", "trusted_hops": 2}
WORKERS = 2


@pytest.fixture
def fleet(pair, start):
    """Two Envoys of two workers, both with both sidecars."""
    plugin = pair[0].plugin(**PLUGIN)
    ports = [one.port for one in pair]
    proxies = [start(workers=WORKERS, plugin=plugin, sidecars=ports, node=name) for name in ("edge-a", "edge-b")]
    # Until the workers are heard of, and what is published is in force.
    version = wait("a first bundle", lambda: pair[0].version())
    wait("it is in force everywhere", lambda: running(pair[0], version))
    return proxies


def running(sidecar, version, workers=2 * WORKERS):
    """Whether so many workers run at least a version (Envoy's main thread runs the module, too)."""
    at = [one for one in sidecar.get("/v1/status")["filters"] if one["version"] >= version]
    return len(at) >= workers


def settled(sidecar):
    """The version that is published, once nothing waits to be told: it stands still for longer than two are apart."""
    version = sidecar.version()
    time.sleep(1.5)
    return version if sidecar.version() == version else None


def everywhere(proxies, version):
    """Whether every Envoy tells this version."""
    return all(proxy.metric("rules.version") >= version for proxy in proxies)


def seen(sidecar, requests):
    return sidecar.get("/v1/status")["today"]["requests"] >= requests


def actions(proxy, count):
    return [line["azeotrope"] for line in proxy.access_log(count)]


def test_a_campaign_split_over_both_proxies_is_named_and_throttled_on_both(fleet, pair):
    crowd.people(fleet, 240)
    assert crowd.harvest(fleet) == [200] * 14
    for proxy in fleet:
        verdicts = actions(proxy, 127)
        assert not [verdict for verdict in verdicts if "would=throttle" in verdict or "would=block" in verdict]
    named = wait("the campaign is named", lambda: pair[1].get("/v1/campaigns")["campaigns"])
    assert len(named) == 1 and named[0]["parties"] >= 8, named
    # Who was the first at the proxy that is heard last is known as one of it only then.
    wait("all are joined", lambda: seen(pair[0], 254))
    # All but the first of them all.
    wait("all are linked", lambda: pair[0].get("/v1/campaigns")["campaigns"][0]["accounts"] == 13)
    wait("both proxies know it", lambda: all(crowd.recognised(proxy) for proxy in fleet))
    # Who was linked last may wait for the next bundle.
    version = wait("all links are told", lambda: settled(pair[0]))
    wait("every worker knows it", lambda: running(pair[0], version))
    again = [crowd.bot(fleet[n % 2].port, n).status for n in range(14)]
    # Each goes through the other proxy, too: neither has seen it there.
    other = [crowd.bot(fleet[(n + 1) % 2].port, n).status for n in range(14)]
    # Who had the template first is not acted upon for it there: it might be the one whose template it is.
    assert again.count(200) <= 1 and set(again) - {200} <= {429, 403}, again
    assert set(other) <= {429, 403}, other
    assert all(crowd.person(fleet[n % 2].port, n).status == 200 for n in range(60))
    story = pair[0].command("campaigns").stdout
    assert named[0]["name"] in story and "Named by skeleton_spread" in story, story


def test_who_sends_at_once_what_was_refused_to_a_campaigns_account_is_known_as_one_of_it(fleet, pair, tmp_path):
    rules = {"format": 1, "version": 8, "families": {"failover_echo": {"within_seconds": 2}}}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    pair[0].command("rules", "publish", tmp_path / "rules.json", "--note", "at once", "--who", "test")
    crowd.people(fleet, 240)
    crowd.harvest(fleet)
    wait("both proxies know the campaign", lambda: all(crowd.recognised(proxy) for proxy in fleet))
    routes = iter(range(1, 10_000))

    def refused(proxy, account):
        """A question of its own, where the account was refused it."""
        question = f"Why do the ferries on route {next(routes)} leave so much earlier in the winter than in summer?"
        return crowd.ask(proxy.port, account, question).status in (403, 429) and question

    question = wait("its account is refused whatever it asks", lambda: refused(fleet[0], 9))
    # However long its answer takes.
    assert crowd.ask(fleet[1].port, 99, question, ("x-stand-in-delay-ms", "3000")).status == 200
    # Two workers and two proxies, each of which is heard when it comes to it: often the echo before what it is one of.
    wait("the next account is, too", lambda: refused(fleet[1], 99))
    assert "campaign_member" in fleet[1].access_log()[-1]["azeotrope"]
    assert not refused(fleet[1], 98)


def test_a_threshold_published_once_is_live_in_all_workers_within_five_seconds_under_load(fleet, pair, tmp_path):
    stop, failed, sent = threading.Event(), [], []

    def load(proxy, base):
        n = base
        while not stop.is_set():
            answer = crowd.person(proxy.port, n)
            sent.append(answer.status)
            if answer.status != 200:
                failed.append(answer)
            n += 1

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for worker in range(4):
            pool.submit(load, fleet[worker % 2], 1000 * worker)
        try:
            before = pair[0].version()
            path = tmp_path / "rules.json"
            path.write_text(json.dumps({"format": 1, "version": 8, "thresholds": {"observe": 4.25}}))
            began = time.monotonic()
            done = pair[1].command("rules", "publish", path, "--note", "sharper", "--who", "test")
            assert "in force" in done.stdout
            version = wait("a new bundle", lambda: (v := pair[0].version()) > before and v)
            wait("every worker runs it", lambda: running(pair[0], version), 5 - (time.monotonic() - began))
            seconds = time.monotonic() - began
        finally:
            stop.set()
    assert seconds <= 5 and not failed and len(sent) > 50, (seconds, failed[:3], len(sent))
    assert everywhere(fleet, version)
    status = pair[0].command("status").stdout
    assert "edge-a" in status and "edge-b" in status and "sharper" in status, status


def test_what_filters_saw_while_a_sidecar_died_is_not_lost_and_the_other_goes_on(fleet, pair):
    crowd.people(fleet, 240)
    crowd.harvest(fleet)
    named = wait("the campaign is named", lambda: pair[0].get("/v1/campaigns")["campaigns"])[0]["name"]
    version = pair[0].version()
    holder = next(one for one in pair if one.name == pair[0].get("/v1/status")["duty"]["name"])
    other = next(one for one in pair if one is not holder)
    holder.kill()
    # The other takes the duty, with the campaigns, and versions go on.
    wait("the duty passes on", lambda: other.get("/v1/status")["duty"]["name"] == other.name, 20)
    assert [one["name"] for one in other.get("/v1/campaigns")["campaigns"]] == [named]
    assert other.version() >= version
    # New accounts of the same operator are linked by the one that is left.
    before = other.get("/v1/campaigns")["campaigns"][0]["accounts"]
    for n in range(40, 60):
        crowd.bot(fleet[n % 2].port, n)
    wait("they are linked", lambda: other.get("/v1/campaigns")["campaigns"][0]["accounts"] > before, 20)
    holder.start()
    assert holder.version() >= version


def test_with_redis_gone_rules_go_on_being_served_and_it_mends_itself(fleet, pair, redis):
    wait("reached", lambda: all(proxy.metric("sidecar.reached") == 1 for proxy in fleet))
    version = pair[0].version()
    redis.kill()
    wait("it is told", lambda: b"azeotrope_sidecar_store_up 0" in pair[0].ask("GET", "/metrics")[2])
    assert pair[0].ask("GET", "/readyz")[0] == 503
    served = pair[0].ask("GET", "/v1/bundle", headers=[("authorization", f"Bearer {sidecars.TOKEN}")])
    assert served[0] == 200 and served[2].startswith(b"AZBUND1\n")
    assert all(crowd.person(proxy.port, 5).status == 200 for proxy in fleet for _ in range(5))
    wait("filters tell", lambda: all(proxy.metric("sidecar.failed") > 0 for proxy in fleet), 20)
    assert everywhere(fleet, version)
    redis.start()
    wait("it answers again", lambda: pair[0].ask("GET", "/readyz")[0] == 200, 20)
    # What was observed meanwhile comes late, and is there.
    wait("observations came", lambda: seen(pair[0], 10), 20)
    wait("reached again", lambda: all(proxy.metric("sidecar.reached") == 1 for proxy in fleet), 20)


def test_with_both_sidecars_frozen_or_gone_traffic_passes_and_verdicts_stay(fleet, pair):
    before = [proxy.metric("rules.version") for proxy in fleet]
    for one in pair:
        one.signal(signal.SIGSTOP)
    began = time.monotonic()
    assert all(crowd.person(proxy.port, n).status == 200 for proxy in fleet for n in range(20))
    assert time.monotonic() - began < 10, "no request waits for a sidecar"
    wait("filters tell", lambda: all(proxy.metric("sidecar.failed") > 0 for proxy in fleet), 20)
    for one in pair:
        one.kill()
    assert all(crowd.person(proxy.port, n).status == 200 for proxy in fleet for n in range(20))
    assert [proxy.metric("rules.version") for proxy in fleet] == before
    for one in pair:
        one.start()
    wait("they are told again", lambda: seen(pair[0], 80), 20)
