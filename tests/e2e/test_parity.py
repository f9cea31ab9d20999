"""One engine, two shells: the module in Envoy and `azeotrope replay` give the same verdicts on the same exchanges."""

import http.client
import itertools
import json
import lzma
import re
import subprocess

import client
from envoy import ROOT

EXCHANGES = 2_000
SAMPLE = ROOT / "tests" / "demo" / "sample.jsonl.xz"
PROGRAM = ROOT / "target" / "release" / "azeotrope"
# Envoy appends its peer to x-forwarded-for: the client is the second from the right.
PEER = "127.0.0.1"
PLUGIN = {"mode": "enforce", "trusted_hops": 2}
LABEL = re.compile(r"action=(\w+), would=\w+, score=(-?\d+\.\d+), reasons=\(([^)]*)\).*, t=(\d+)$")


def sample():
    """The first exchanges of the demo's sample; each body as the bytes that both sides get."""
    with lzma.open(SAMPLE, "rt", encoding="utf-8") as lines:
        exchanges = [json.loads(line) for line in itertools.islice(lines, EXCHANGES)]
    for exchange in exchanges:
        exchange["body"] = json.dumps(exchange["body"])
    return exchanges


def play(port, exchanges):
    """Sends the exchanges one after the other; upstream answers with the status that the sample has."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=client.TIMEOUT)
    for exchange in exchanges:
        headers = dict(exchange["headers"])
        if exchange["response"]["status"] != 200:
            headers["x-stand-in-status"] = str(exchange["response"]["status"])
        connection.request(exchange["method"], exchange["path"], exchange["body"].encode(), headers)
        connection.getresponse().read()
    connection.close()


def told(entry):
    """A label of the access log: the verdict, and its time in milliseconds."""
    action, score, reasons, time = LABEL.match(entry["azeotrope"]).groups()
    return (action, round(float(score) * 1000), reasons.split()), int(time)


def replay(exchanges, times, directory):
    """The verdicts of `azeotrope replay` on the exchanges as the module saw them."""
    configuration, trace = directory / "plugin.json", directory / "trace.jsonl"
    configuration.write_text(json.dumps(PLUGIN))
    with trace.open("w") as out:
        for exchange, time in zip(exchanges, times):
            forwarded = f"{exchange['headers']['x-forwarded-for']},{PEER}"
            headers = {**exchange["headers"], "x-forwarded-for": forwarded}
            rest = {key: exchange[key] for key in ("id", "method", "path")}
            rest |= {"t": time / 1000, "headers": headers, "response": {"status": exchange["response"]["status"]}}
            out.write(f'{json.dumps(rest)[:-1]}, "body": {exchange["body"]}}}\n')
    command = [PROGRAM, "replay", "--no-sidecar", "--rules", configuration, trace]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    verdicts = map(json.loads, done.stdout.splitlines())
    return [(verdict["action"], round(verdict["score"] * 1000), verdict["reasons"]) for verdict in verdicts]


def test_envoy_and_replay_give_the_same_verdicts(start, tmp_path):
    exchanges = sample()
    proxy = start(workers=1, plugin=PLUGIN)
    play(proxy.port, exchanges)
    entries = [told(entry) for entry in proxy.access_log(EXCHANGES)]
    verdicts, times = zip(*entries)
    replayed = replay(exchanges, times, tmp_path)
    assert len(verdicts) == len(replayed) == EXCHANGES
    different = [(n, *pair) for n, pair in enumerate(zip(verdicts, replayed)) if pair[0] != pair[1]]
    assert not different, f"{len(different)} verdicts differ, the first: {different[:3]}"
    # It would prove little if all verdicts were the same.
    actions = {action for action, _, _ in verdicts}
    assert {"allow", "throttle"} <= actions, actions
