#!/usr/bin/env python3
"""How groups of accounts come back and pause, by what their labels say of them: `rhythms.py TRACE.jsonl LABELS.tsv`.

The best that any grouping could see: campaigns, organisations and the users of one tool as they really are, nothing refused. For
each: how many turns and times of an account are like the one before; what turns say against chance, a clock and habits (nats, the
constants of src/engine/campaign/rhythm.rs); after how many requests that is worth 6 nats; and how often all of a group falls
silent at once: for as long as 20 of its requests would have taken, in requests of the whole crowd, after 8 accounts sent the 16
before at an even rate. Standard library only; Python 3.11.
"""
import json, math, sys
from collections import defaultdict, deque

ALIKE, CHANCE, CLOCK, ORDER = 0.08, (2.708, -0.875), (-0.531, 1.204), (0.405, -0.693)
PARTIES, SILENCE, BEFORE, ACTIVE = 64, 20, 16, 8


def groups(trace, labels):
    """Requests in order, by group: time, place in the whole traffic, account, whether it is no cover."""
    times, found = {}, defaultdict(list)
    with open(trace, encoding="utf-8") as lines:
        for exchange in map(json.loads, lines):
            times[str(exchange["id"])] = exchange["t"]
    with open(labels, encoding="utf-8") as lines:
        for place, line in enumerate(lines, -1):
            if place < 0:
                continue
            i, account, org, actor, kind, _ = line.rstrip("\n").split("\t")
            name = f"harvest {actor}" if actor != "benign" else org.rsplit("-", 1)[0]
            if not name.startswith("person"):
                found[name].append((times[i], place, account, kind != "cover"))
    return found


def turns(group):
    parties = len({account for _, _, account, _ in group})
    last, sums, counts, seen, first = {}, [0.0] * 3, [0, 0, 0], 0, None
    for n, (t, _, account, carries) in enumerate(group, 1):
        seen += carries
        at, before, requests, time = last.get(account, (t, seen, 0, 0))
        now = (max(1, seen - before), max(0.001, t - at)) if account in last else (0, 0)
        last[account] = (t, seen, *now)
        if not requests:
            continue
        turn = abs(math.log(now[0] / requests)) <= ALIKE and now[0] * 2 >= min(parties, PARTIES)
        clock = abs(math.log(now[1] / time)) <= ALIKE
        counts = [count + one for count, one in zip(counts, (1, turn, clock))]
        says = (CHANCE[not turn], CLOCK[not clock], 0 if turn == clock else ORDER[clock])
        sums = [min(20, max(-10, total + add)) for total, add in zip(sums, says)]
        if first is None and min(sums) >= 6:
            first = n
    return parties, counts, sums, first


def stops(group):
    recent, found = deque(maxlen=BEFORE + 1), 0
    for _, place, account, _ in group:
        if len(recent) > BEFORE:
            pace = max(1, (recent[-1][0] - recent[0][0]) / BEFORE)
            found += place - recent[-1][0] > SILENCE * pace and len({of for _, of in recent}) >= ACTIVE
        recent.append((place, account))
    return found


def main():
    print("| group | parties | requests | turns alike | times alike | against chance, clock, habits | 6 nats after | common stops |\n" + "|---" * 8 + "|")
    for name, group in sorted(groups(*sys.argv[1:3]).items()):
        parties, (all_turns, alike, times), sums, first = turns(group)
        if parties >= 8 and all_turns >= 60:
            told = ", ".join(f"{total:+.0f}" for total in sums)
            print(f"| {name} | {parties} | {len(group)} | {alike / all_turns:.0%} | {times / all_turns:.0%} | {told} | {first or 'never'} | {stops(group)} |")


if __name__ == "__main__":
    main()
