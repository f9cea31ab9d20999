"""Traces made of the demo's sample (tests/demo), and what `azeotrope replay` did to whom."""

import collections
import json
import lzma

import sidecars
from envoy import ROOT

HOUR = 3600
DEMO = ROOT / "tests" / "demo"
PLUGIN = {"trusted_hops": 1, "organisation": {"header": "x-org"}}
KEYS = ("authorization", "x-api-key", "x-goog-api-key")
AGENTS = ("curl/8.16.0", "python-requests/2.33.1", "openai-python/2.1.0", "node-fetch/3.3.2")


def sample():
    """The exchanges, each with who really sent it: (exchange, organisation, actor, kind)."""
    labels = [line.split("\t") for line in (DEMO / "sample-labels.tsv").read_text().splitlines()[1:]]
    with lzma.open(DEMO / "sample.jsonl.xz", "rt") as lines:
        return [(json.loads(line), *label[2:5]) for line, label in zip(lines, labels, strict=True)]


def sent_by(exchange, key, network, agent, at=None, **headers):
    """The same request from another account."""
    own = {name: value for name, value in exchange["headers"].items() if name not in KEYS}
    named = next(name for name in KEYS if name in exchange["headers"])
    own |= {named: f"Bearer {key}" if named == "authorization" else key, "x-forwarded-for": network, "user-agent": agent}
    return {**exchange, "headers": {**own, **headers}, "t": exchange["t"] if at is None else at}


def throw_away(exchanges, begin, every=60):
    """Each request from an account and a network of its own."""
    return [sent_by(one, f"sk-throw-away-{n}", f"{30 + n // 250}.{n % 250}.1.9", AGENTS[n % 4], begin + n * every)
            for n, one in enumerate(exchanges)]


def replay(folder, parts, proxies=1, **rules):
    """What was done to each part's exchanges, in order: {part: [actions]}. An exchange may come with what the clock was ahead
    by when it was sent."""
    rows = [(*(one if isinstance(one, tuple) else (one, 0)), part) for part, exchanges in parts.items() for one in exchanges]
    rows.sort(key=lambda row: row[0]["t"])
    trace, plugin = folder / "trace.jsonl", folder / "plugin.json"
    told = ({**one, "id": n, "t": one["t"] + ahead} for n, (one, ahead, _) in enumerate(rows))
    trace.write_text("".join(json.dumps(line) + "\n" for line in told))
    plugin.write_text(json.dumps({**PLUGIN, "rules": {"format": 1, "version": 1, **rules}}))
    done = sidecars.run("replay", "--proxies", proxies, "--rules", plugin, trace)
    actions = collections.defaultdict(list)
    for (*_, part), line in zip(rows, done.stdout.splitlines(), strict=True):
        actions[part].append(json.loads(line)["action"])
    return actions


def refused(actions):
    return sum(action in ("throttle", "degrade", "block") for action in actions)
