"""Sends a trace through a proxy, in its order, and says what became of each exchange."""
import csv
import http.client
import json
import lzma
import pathlib
import time
from datetime import datetime, timezone

from picture import Label, Outcome, parse_label

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
    """A keep-alive connection to the proxy, one exchange after the other."""

    def __init__(self, port, rate=0.0):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._interval = 1 / rate if rate else 0.0
        self._next = time.monotonic()

    def send(self, exchange):
        """Plays one exchange: its Outcome. Upstream answers as it did in the trace."""
        self._pace()
        headers = {**exchange["headers"], "x-request-id": f"demo-{exchange['id']}"}
        if exchange["response"]["status"] != 200:
            headers["x-stand-in-status"] = str(exchange["response"]["status"])
        body = json.dumps(exchange["body"], ensure_ascii=False).encode()
        try:
            self._connection.request(exchange["method"], exchange["path"], body, headers)
            answer = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):  # the proxy closed an idle connection: once more
            self._connection.close()
            self._connection.request(exchange["method"], exchange["path"], body, headers)
            answer = self._connection.getresponse()
        text = answer.read()
        return outcome(answer.status, answer.headers, text)

    def close(self):
        self._connection.close()

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
    told = parse_label(headers.get("x-azeotrope", ""))
    return Outcome(_REPLIES[status], told.reasons, told.score, told.campaign)
