#!/usr/bin/env python3
"""Time to the first event of a streamed answer: the same Envoy with the filter and without, in turns in one run.

    first_event.py [--rounds 20]

The upstream writes its first event at once and eight more 2 ms apart. Prints medians and 99th percentiles in
microseconds, and their ratio.
"""
import argparse
import asyncio
import json
import pathlib
import statistics
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import envoy  # noqa: E402
import stream  # noqa: E402
import yaml  # noqa: E402

ROUND = 100


def without_filter(directory):
    """The shipped static configuration without the module."""
    config = yaml.safe_load(envoy.TEMPLATES["static"].read_text())
    (filters,) = envoy.find(config["static_resources"]["listeners"], "http_filters")
    del filters[0]
    path = pathlib.Path(directory) / "envoy.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


async def measure(rounds):
    stream.Upstream.pause = 0.002
    server = await asyncio.get_running_loop().create_server(stream.Upstream, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    times = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as directory, \
            envoy.start(without_filter(directory), upstream_port=port) as plain, \
            envoy.start(upstream_port=port, plugin=json.dumps({"mode": "enforce"})) as filtered:
        for part in range(rounds):
            for name, proxy in (("without", plain), ("with", filtered)):
                requests = (stream.request(n % 97, part * ROUND + n) for n in range(ROUND))
                results = await stream.load(proxy.port, requests, 1)
                assert results.failed == 0
                times[name].append(results.first)
    return times


def main(rounds):
    times = asyncio.run(measure(rounds))
    flat = {name: sorted(1e6 * one for part in parts for one in part) for name, parts in times.items()}
    print(f"{'filter':<10}{'exchanges':>10}{'median':>10}{'p99':>10}   (µs to the first event)")
    for name, values in flat.items():
        print(f"{name:<10}{len(values):>10}{statistics.median(values):>10.0f}{values[len(values) * 99 // 100]:>10.0f}")
    ratios = [statistics.median(b) / statistics.median(a) for a, b in zip(times["without"], times["with"])]
    print(f"with / without: {statistics.median(ratios):.2f} (median of {rounds} rounds)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    main(parser.parse_args().rounds)
