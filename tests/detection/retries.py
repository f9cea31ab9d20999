"""Operators who do not take no for an answer: what is refused to one account goes out again at once through another.

A recorded trace cannot react. So it is replayed, what was refused of its campaigns is sent again from another account of the same
campaign and dialect, some seconds later, and all of it is replayed anew: as many rounds as the scenario's `retries` says. What is
refused depends on what was sent before, so each round is judged from the start.
"""
import json, random
from dataclasses import dataclass

#: Seconds after which a pool's manager sends a refused body again: at once, as one that fails over does.
SOON = (0.4, 3.4)


@dataclass
class Request:
    """An exchange, its label without the id, and the first of those that are the same request."""

    exchange: dict
    label: list
    root: int
    again: bool = False  # it was sent again

    @property
    def actor(self):
        return self.label[2]


class Sent:
    """The exchanges of a trace, and which of them are one request sent again."""

    def __init__(self, trace, labelled):
        with open(trace, encoding="utf-8") as lines:
            exchanges = [json.loads(line) for line in lines]
        self.header, *rows = labelled.read_text(encoding="utf-8").splitlines()
        self.requests = [Request(exchange, row.split("\t")[1:], n) for n, (exchange, row) in enumerate(zip(exchanges, rows, strict=True))]
        self.accounts = {}
        for request in self.requests:
            if request.actor != "benign":
                self.pool(request)[request.label[0]] = request.exchange["headers"]

    def pool(self, request):
        """The accounts that could send a request of a campaign, and their headers."""
        return self.accounts.setdefault((request.actor, request.exchange["path"]), {})

    def again(self, refused, rng):
        """Sends what was refused again, by the ids of now."""
        more = []
        for request in self.requests:
            if request.again or request.exchange["id"] not in refused or request.actor == "benign":
                continue
            account, *of = request.label
            pool = self.pool(request)
            others = pool.keys() - {account}
            if others:
                request.again = True
                other = rng.choice(sorted(others))
                later = request.exchange["t"] + rng.uniform(*SOON)
                more.append(Request(request.exchange | {"t": later, "headers": pool[other]}, [other, *of], request.root))
        self.requests = sorted(self.requests + more, key=lambda request: request.exchange["t"])

    def write(self, trace, labelled):
        """Numbers them in their order."""
        with open(trace, "w", encoding="utf-8") as out, open(labelled, "w", encoding="utf-8") as labels:
            print(self.header, file=labels)
            for n, request in enumerate(self.requests):
                request.exchange["id"] = n
                out.write(json.dumps(request.exchange, ensure_ascii=False, separators=(",", ":")) + "\n")
                print(n, *request.label, sep="\t", file=labels)

    def obtained(self, served):
        """Of what campaigns asked for, the share that they got in the end, from whatever account."""
        asked = {request.root for request in self.requests if request.actor != "benign"}
        got = {request.root for request in self.requests if request.exchange["id"] in served}
        return len(asked & got) / len(asked)


def play(replay, score, trace, labelled, rounds, seed):
    """Lets campaigns send again what `replay(verdicts)` refuses them, round by round, in the files; what was sent."""
    sent, rng, verdicts = Sent(trace, labelled), random.Random(seed), trace.with_suffix(".verdicts")
    for _ in range(rounds):
        replay(verdicts)
        read = score.read_verdicts(verdicts, score.read_labels(labelled))
        sent.again({i for i, verdict in read.items() if score.LEVEL[verdict["action"]] >= 2}, rng)
        sent.write(trace, labelled)
    return sent
