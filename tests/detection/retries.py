"""Operators who do not take no for an answer: what is refused to one account goes out again at once through another.

A recorded trace cannot react. So it is replayed, what was refused of its campaigns is sent again from another account of the same
campaign and dialect, some seconds later, and all of it is replayed anew: as many rounds as the scenario's `retries` says. What is
refused depends on what was sent before, so each round is judged from the start.
"""
import json, random, subprocess

#: Seconds after which a pool's manager sends a refused body again: at once, as one that fails over does.
SOON = (0.4, 3.4)


class Sent:
    """The exchanges of a trace, and which of them are one request sent again."""

    def __init__(self, trace, labelled):
        with open(trace, encoding="utf-8") as lines:
            exchanges = [json.loads(line) for line in lines]
        header, *rows = labelled.read_text(encoding="utf-8").splitlines()
        self.header = header
        # The exchange, its label without the id, the first of those that are the same request, and whether it was sent again.
        self.rows = [[exchange, row.split("\t")[1:], n, False] for n, (exchange, row) in enumerate(zip(exchanges, rows, strict=True))]
        self.accounts = {}
        for exchange, (account, _, actor, *_), *_ in self.rows:
            if actor != "benign":
                self.accounts.setdefault((actor, exchange["path"]), {})[account] = exchange["headers"]

    def again(self, refused, rng):
        """Sends what was refused again, by the ids of now; how many there were."""
        more = []
        for row in self.rows:
            exchange, label, root, done = row
            account, org, actor, *of = label
            others = self.accounts.get((actor, exchange["path"]), {}).keys() - {account}
            if done or exchange["id"] not in refused or actor == "benign" or not others:
                continue
            row[3] = True
            other = rng.choice(sorted(others))
            headers = self.accounts[actor, exchange["path"]][other]
            more.append([exchange | {"t": exchange["t"] + rng.uniform(*SOON), "headers": headers}, [other, org, actor, *of], root, False])
        self.rows = sorted(self.rows + more, key=lambda row: row[0]["t"])
        return len(more)

    def write(self, trace, labelled):
        """Numbers them in their order."""
        with open(trace, "w", encoding="utf-8") as out, open(labelled, "w", encoding="utf-8") as labels:
            print(self.header, file=labels)
            for n, (exchange, label, *_) in enumerate(self.rows):
                exchange["id"] = n
                out.write(json.dumps(exchange, ensure_ascii=False, separators=(",", ":")) + "\n")
                print(n, *label, sep="\t", file=labels)

    def obtained(self, served):
        """Of what campaigns asked for, the share that they got in the end, from whatever account."""
        asked = {root for _, (_, _, actor, *_), root, _ in self.rows if actor != "benign"}
        got = {root for exchange, _, root, _ in self.rows if exchange["id"] in served}
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
