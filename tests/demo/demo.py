#!/usr/bin/env python3
"""Shows the filter at work: a real Envoy with the module, in enforce mode, before a stand-in LLM provider.

Plays a sample of real texts (SAMPLE.md) as fast as RATE allows, in its order. The filter judges by the wall clock, so
a day of the sample passes in less than a minute. Ends with 0 when the harvest was caught and nobody honest was acted
on, with 1 and an explanation when not. `make demo` builds what this needs and then runs it.

    STAY=1   keep Envoy up afterwards and say how to send requests to it
    RATE=60  exchanges a second; 0 is as fast as they go
"""
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "upstream"), str(HERE.parent / "e2e")]
import envoy  # noqa: E402
from picture import Picture  # noqa: E402
from play import Broken, Player, Reasons, clock, read_sample  # noqa: E402
from server import Upstream  # noqa: E402
from view import View  # noqa: E402

MODULE = ROOT / "target" / "azeotrope.wasm"
# The harness's Envoy appends its peer to x-forwarded-for: the sample's client is the second address from the right.
PLUGIN = {"mode": "enforce", "headers": "held", "trusted_hops": 2}
DEFAULT_RATE = 60.0
WORKERS = 2


def play(proxy, sample, rate):
    """Sends the whole sample and shows it live: [(Label, Outcome)] as the senders saw it."""
    player, reasons, picture = Player(proxy.port, rate), Reasons(proxy.access_log), Picture()
    view, played = View(picture, len(sample)), []
    try:
        for number, (exchange, label) in enumerate(sample):
            seen = player.send(exchange)
            played.append((label, seen))
            outcome = reasons.explain(number, label, seen)
            view.exchange(clock(exchange), label, outcome, picture.add(label, outcome))
    finally:
        player.close()
        view.close()
    return reasons.all(played)


def summary(picture, seconds):
    """Prints what was seen; the exit code."""
    sent = sum(tally.exchanges for tally in picture.tallies.values())
    print(f"\n{sent} exchanges in {seconds:.0f} s\n")
    print("\n".join(picture.table()), "\n")
    print("\n".join(picture.story()))
    problems = picture.problems()
    for problem in problems:
        print(f"NOT AS IT SHOULD BE: {problem}")
    if not problems:
        print("The picture is right: the harvest was caught and every honest sender was left alone.")
    return 1 if problems else 0


def stay(proxy, upstream):
    """Keeps Envoy up until Ctrl-C."""
    print(f"""
Envoy stays up (Ctrl-C ends it): proxy http://127.0.0.1:{proxy.port}, admin http://127.0.0.1:{proxy.admin_port}

  curl -i http://127.0.0.1:{proxy.port}/v1/chat/completions -H 'authorization: Bearer my-key' \\
       -H 'content-type: application/json' \\
       -d '{{"model": "gpt-4", "messages": [{{"role": "user", "content": "Hello"}}]}}'
  curl -s http://127.0.0.1:{proxy.admin_port}/stats?filter=azeotrope      # what the module counts
  curl -s http://127.0.0.1:{upstream.port}/_seen?last=1                   # what reached the provider
""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that Envoy is stopped then, too
    rate = float(os.environ.get("RATE") or DEFAULT_RATE)
    if not MODULE.exists():
        sys.exit(f"{MODULE} is not built: run `make demo`")
    sample = read_sample(HERE / "sample.jsonl.xz", HERE / "sample-labels.tsv")
    with Upstream() as upstream, envoy.start(upstream_port=upstream.port, workers=WORKERS, plugin=PLUGIN) as proxy:
        print(f"A real Envoy with the module, mode ENFORCE (a fresh install only observes), on port {proxy.port}.\n"
              f"Playing {len(sample)} exchanges of real text; who sends them when is simulated (tests/demo/SAMPLE.md).\n",
              flush=True)
        began = time.monotonic()
        try:
            played = play(proxy, sample, rate)
        except (Broken, OSError) as problem:
            print(f"\nThe demo broke: {problem}\n{proxy.log()[-2000:]}")
            return 2
        picture = Picture()
        for label, outcome in played:
            picture.add(label, outcome)
        code = summary(picture, time.monotonic() - began)
        if os.environ.get("STAY", "") not in ("", "0"):
            stay(proxy, upstream)
    return code


if __name__ == "__main__":
    sys.exit(main())
