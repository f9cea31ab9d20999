"""Sends a trace through a proxy, in its order, and says what became of each exchange."""
import csv
import http.client
import itertools
import json
import lzma
import pathlib
import time
from dataclasses import replace
from datetime import datetime, timezone

from picture import ENFORCED, Label, Outcome, parse_label

CONNECTIONS = 8
_REPLIES = {429: "throttle", 403: "block"}


def read_sample(trace, labels):
    """[(exchange, Label)] of a trace (`.jsonl.xz`) and the labels beside it."""
    with lzma.open(trace, "rt", encoding="utf-8") as f:
        exchanges = [json.loads(line) for line in f]
    with pathlib.Path(labels).open(encoding="utf-8", newline="") as f:
        rows = [Label(row["account"], row["org"], row["actor"], row["kind"]) for row in csv.DictReader(f, delimiter="\t")]
    if len(rows) != len(exchanges):
        raise ValueError(f"{len(exchanges)} exchanges, but {len(rows)} labels")
    return list(zip(exchanges, rows))


def clock(exchange):
    """The trace's own time of day."""
    return datetime.fromtimestamp(exchange["t"], timezone.utc).strftime("%H:%M")


class Player:
    """Sends one exchange after the other, over a few keep-alive connections in turn: so every worker sees some."""

    def __init__(self, port, rate=0.0):
        connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(CONNECTIONS)]
        self._connections, self._turns = connections, itertools.cycle(connections)
        self._interval = 1 / rate if rate else 0.0
        self._next = time.monotonic()

    def send(self, exchange):
        """Plays one exchange: its Outcome. Upstream answers as it did in the trace."""
        self._pace()
        headers = {**exchange["headers"], "x-request-id": f"demo-{exchange['id']}"}
        if exchange["response"]["status"] != 200:
            headers["x-stand-in-status"] = str(exchange["response"]["status"])
        body = json.dumps(exchange["body"], ensure_ascii=False).encode()
        connection = next(self._turns)
        connection.request(exchange["method"], exchange["path"], body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return outcome(answer.status, answer.headers, text)

    def close(self):
        for connection in self._connections:
            connection.close()

    def _pace(self):
        pause = self._next - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._next = max(self._next, time.monotonic() - 1) + self._interval


class Broken(Exception):
    """The proxy or the upstream gave what it never should."""


def outcome(status, headers, text):
    """What an answer says: the upstream's own errors count as let through."""
    if "x-stand-in" in headers:
        return parse_label(headers.get("x-stand-in-azeotrope", ""))
    if status not in _REPLIES:
        raise Broken(f"status {status} from the proxy: {text[:300].decode(errors='replace')}")
    return Outcome(_REPLIES[status])


class Reasons:
    """Why an exchange was refused: its sender is not told, the access log is. Entry n is exchange n, as they are sent
    one after the other. `access_log(count)` waits until there are `count` entries and gives all."""

    def __init__(self, access_log):
        self._access_log, self._known = access_log, {}

    def explain(self, number, label, result):
        """The outcome with its reasons. Looked up once an account and action: the log is flushed for it."""
        if result.action not in ENFORCED:
            return result
        key = label.account, result.action
        if key not in self._known:
            entries = self._access_log(number + 1)
            self._known[key] = _verdict(entries[number]) if len(entries) > number else result
        told = self._known[key]
        return replace(result, reasons=told.reasons, score=told.score, campaign=told.campaign)

    def all(self, played):
        """The whole play, [(Label, Outcome)], as the log tells it; it must agree with what the sender saw."""
        entries = self._access_log(len(played))
        if len(entries) != len(played):
            raise Broken(f"{len(played)} exchanges, but {len(entries)} entries in the access log")
        told = [_verdict(entry) for entry in entries]
        for number, (verdict, (_, seen)) in enumerate(zip(told, played)):
            if (verdict.action in ENFORCED or seen.action in ENFORCED) and verdict.action != seen.action:
                raise Broken(f"exchange {number}: the access log says {verdict.action}, its sender saw {seen.action}")
        return [(label, verdict) for verdict, (label, _) in zip(told, played)]


def _verdict(entry):
    label = entry.get("azeotrope")
    if not label or "action=" not in label:
        raise Broken(f"an exchange went by without a verdict: {entry}")
    return parse_label(label)
