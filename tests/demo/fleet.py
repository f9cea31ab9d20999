#!/usr/bin/env python3
"""Shows a fleet at work: two real Envoys, two sidecars, a real Redis, and a harvest that each Envoy sees half of.

Plays the sample of `make demo` (SAMPLE.md), dealt to both proxies in turn, and says what each part of the fleet knows.
Then publishes rules under load, kills the sidecar that has the duty, and rolls the rules back. Ends with 0 when all of
that came out right, with 1 and what did not otherwise. `make demo-fleet` builds what this needs and then runs it.

    RATE=120  exchanges a second; 0 is as fast as they go
"""
import collections
import json
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "upstream"), str(HERE.parent / "e2e")]
import envoy  # noqa: E402
import sidecars  # noqa: E402
from picture import ENFORCED  # noqa: E402
from play import Player, read_sample  # noqa: E402
from server import Upstream  # noqa: E402
from sidecars import wait  # noqa: E402

PLUGIN = {"mode": "enforce", "headers": "held", "trusted_hops": 2}
NAMES = ("edge-a", "edge-b")
RULES = {"format": 1, "version": 1, "name": "demo", "thresholds": {"observe": 4.25}}
WORKERS = 2


def say(text):
    print(f"\n{text}", flush=True)


class Fleet:
    """Both sidecars and both proxies."""

    def __init__(self, pair, proxies):
        self.pair, self.proxies = pair, proxies

    @property
    def up(self):
        return next(one for one in self.pair if one.alive())

    def everywhere(self, version):
        """Whether all workers run a version."""
        at = [one for one in self.up.get("/v1/status")["filters"] if one["version"] >= version]
        return len(at) >= WORKERS * len(self.proxies)

    def campaigns(self):
        return self.up.get("/v1/campaigns")["campaigns"]

    def take_over(self, before):
        """Waits until what was changed is in force everywhere; seconds."""
        began = time.monotonic()
        version = wait("a new bundle", lambda: (v := self.up.version()) > before and v)
        wait("it is in force everywhere", lambda: self.everywhere(version), 20)
        return version, time.monotonic() - began


def play(fleet, sample, rate):
    """Sends the sample; [(Label, proxy, acted on)]. Tells when a campaign is named."""
    players = [Player(proxy.port, rate / len(fleet.proxies)) for proxy in fleet.proxies]
    seen, named = [], None
    for number, (exchange, label) in enumerate(sample):
        turn = number % len(players)
        seen.append((label, turn, players[turn].send(exchange).action in ENFORCED))
        if named is None and number % 25 == 0 and (found := fleet.campaigns()):
            named = found[0]
            sent = sum(one.harvest for one, *_ in seen)
            print(f"  after {number} exchanges, {sent} of them the harvest's: campaign {named['name']} is named, "
                  f"{named['parties']} unrelated parties, {named['evidence']:.1f} nats", flush=True)
    for player in players:
        player.close()
    return seen


def table(seen):
    """Prints what was acted on; whether it is as it should be."""
    sent, acted = collections.Counter(), collections.Counter()
    for label, turn, was in seen:
        key = "harvest" if label.harvest else "everybody else", NAMES[turn]
        sent[key] += 1
        acted[key] += was
    print(f"\n{'who':16} {'through':10} {'sent':>6} {'acted on':>9}")
    for key in sorted(sent):
        print(f"{key[0]:16} {key[1]:10} {sent[key]:>6} {acted[key]:>9}")
    caught = all(acted["harvest", name] * 2 > sent["harvest", name] for name in NAMES)
    honest = sum(acted["everybody else", name] for name in NAMES)
    return caught and honest == 0


def change(fleet, folder):
    """Publishes rules and rolls them back; whether both took five seconds at most."""
    path = folder / "rules.json"
    path.write_text(json.dumps(RULES))
    before = fleet.up.version()
    print(fleet.up.command("rules", "publish", path, "--note", "a threshold", "--who", "demo").stdout.rstrip())
    version, published = fleet.take_over(before)
    print(f"bundle {version} is in force in all {WORKERS * 2} workers after {published:.1f} s")
    path.write_text(json.dumps({**RULES, "thresholds": {"observe": 4.75}}))
    fleet.up.command("rules", "publish", path, "--who", "demo")
    before = fleet.up.version()
    print(fleet.up.command("rules", "rollback", "--who", "demo").stdout.splitlines()[-1])
    version, back = fleet.take_over(before)
    print(f"bundle {version} is in force in all workers after {back:.1f} s")
    return published <= 5 and back <= 5


def lose(fleet):
    """Kills the sidecar that has the duty; whether the other has it then, with the campaigns."""
    before = [one["name"] for one in fleet.campaigns()]
    duty = fleet.up.get("/v1/status")["duty"]["name"]
    holder = next(one for one in fleet.pair if one.name == duty)
    holder.kill()
    began = time.monotonic()
    wait("the duty passes on", lambda: fleet.up.get("/v1/status")["duty"]["name"] != duty, 20)
    print(f"{duty} was killed; {fleet.up.name} has the duty after {time.monotonic() - began:.1f} s")
    return [one["name"] for one in fleet.campaigns()] == before


def run(fleet, folder, rate):
    sample = read_sample(HERE / "sample.jsonl.xz", HERE / "sample-labels.tsv")
    right = {}
    say(f"Playing {len(sample)} exchanges of real text (who sends them when is simulated) to both proxies in turn:")
    right["the harvest was caught on both proxies, and nobody else"] = table(play(fleet, sample, rate))
    say("The story, as `azeotrope campaigns --sidecar` tells it:")
    print(fleet.up.command("campaigns").stdout.rstrip())
    say("Rules, published once and rolled back once:")
    right["rules were in force everywhere within 5 s, both ways"] = change(fleet, folder)
    say("A sidecar dies:")
    right["the other went on with the campaigns"] = lose(fleet)
    say("`azeotrope status`:")
    print(fleet.up.command("status", check=False).stdout.rstrip())
    say("\n".join(f"{'as it should be' if fine else 'NOT AS IT SHOULD BE'}: {what}" for what, fine in right.items()))
    return 0 if all(right.values()) else 1


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all is stopped then, too
    rate = float(os.environ.get("RATE") or 120)
    with (Upstream() as upstream, sidecars.Keys() as keys, sidecars.Redis() as redis,
          sidecars.Sidecar(keys, redis.url, "sidecar-1") as one, sidecars.Sidecar(keys, redis.url, "sidecar-2") as two):
        ports = [one.port, two.port]
        start = dict(upstream_port=upstream.port, workers=WORKERS, plugin=one.plugin(**PLUGIN), sidecars=ports)
        with envoy.start(node=NAMES[0], **start) as first, envoy.start(node=NAMES[1], **start) as second:
            print(f"Two Envoys (ports {first.port} and {second.port}, {WORKERS} workers each), two sidecars "
                  f"({ports[0]} and {ports[1]}), one Redis ({redis.port}).")
            return run(Fleet((one, two), (first, second)), keys.dir, rate)


if __name__ == "__main__":
    sys.exit(main())
