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
from picture import Picture  # noqa: E402
from play import Broken, Player, clock, read_sample  # noqa: E402
from server import Upstream  # noqa: E402
from view import View  # noqa: E402

MODULE = ROOT / "target" / "azeotrope.wasm"
PLUGIN = HERE / "plugin.json"
DEFAULT_RATE = 60.0


def play(port, sample, rate, view, picture):
    """Sends the whole sample."""
    player = Player(port, rate)
    try:
        for exchange, label in sample:
            outcome = player.send(exchange)
            view.exchange(clock(exchange), label, outcome, picture.add(label, outcome))
    finally:
        player.close()


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


def stay(envoy, upstream):
    """Keeps Envoy up until Ctrl-C."""
    print(f"""
Envoy stays up (Ctrl-C ends it): proxy http://127.0.0.1:{envoy.port}, admin http://127.0.0.1:{envoy.admin_port}

  curl -i http://127.0.0.1:{envoy.port}/v1/chat/completions -H 'authorization: Bearer my-key' \\
       -H 'content-type: application/json' \\
       -d '{{"model": "gpt-4", "messages": [{{"role": "user", "content": "Hello"}}]}}'
  curl -s http://127.0.0.1:{envoy.admin_port}/stats?filter=azeotrope      # what the module counts
  curl -s http://127.0.0.1:{upstream.port}/_seen?last=1                   # what reached the provider
""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def main():
    rate = float(os.environ.get("RATE") or DEFAULT_RATE)
    if not MODULE.exists():
        sys.exit(f"{MODULE} is not built: run `make demo`")
    from envoy import Envoy
    sample = read_sample(HERE / "sample.jsonl.xz", HERE / "sample-labels.tsv")
    picture = Picture()
    with Upstream() as upstream:
        envoy = Envoy(workers=2, plugin_config=PLUGIN.read_text(), upstream_port=upstream.port)
        try:
            print(f"A real Envoy with the module, mode ENFORCE (a fresh install only observes), on port {envoy.port}.\n"
                  f"Playing {len(sample)} exchanges of real text; who sends them when is simulated (tests/demo/SAMPLE.md).\n")
            view, began = View(picture, len(sample)), time.monotonic()
            play(envoy.port, sample, rate, view, picture)
            view.close()
            code = summary(picture, time.monotonic() - began)
            if os.environ.get("STAY", "") not in ("", "0"):
                stay(envoy, upstream)
        except Broken as problem:
            code = 2
            print(f"\nThe demo broke: {problem}")
        finally:
            envoy.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
