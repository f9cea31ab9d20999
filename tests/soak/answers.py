#!/usr/bin/env python3
"""Soak: many streamed exchanges of many accounts through a real Envoy, with budgets; its memory must become flat.

    answers.py [--exchanges 200000] [--accounts 20000]

Prints Envoy's resident memory after each tenth, and ends with 1 when an exchange failed, an answer was not read, or the
second half grew by more than 4 MiB.
"""
import argparse
import asyncio
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import envoy  # noqa: E402
import stream  # noqa: E402

GROWTH = 4 << 20
PLUGIN = {"mode": "enforce", "rules": {"format": 1, "version": 1, "budgets": {
    "account": {"requests": 1_000_000, "tokens": 1_000_000_000, "window_seconds": 60}}}}


async def soak(exchanges, accounts):
    server = await asyncio.get_running_loop().create_server(stream.Upstream, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with envoy.start(upstream_port=port, workers=2, plugin=json.dumps(PLUGIN)) as proxy:
        tenth, resident, failed, begun = exchanges // 10, [], 0, time.monotonic()
        for part in range(10):
            numbers = range(part * tenth, (part + 1) * tenth)
            requests = (stream.request(number * 7919 % accounts, number) for number in numbers)
            failed += (await stream.load(proxy.port, requests, 16)).failed
            resident.append(proxy.resident())
            rate = (part + 1) * tenth / (time.monotonic() - begun)
            print(f"{(part + 1) * tenth:>8} exchanges, {rate:6.0f}/s, {resident[-1] / 2**20:7.1f} MiB", flush=True)
        read, tokens = proxy.metric("answers.read"), proxy.metric("tokens.output")
        proxy.check_health()
    grown = resident[-1] - resident[4]
    print(f"{failed} failed, {read} answers read, {tokens} tokens written, second half grew by {grown / 2**20:.1f} MiB")
    return 0 if failed == 0 and read == tenth * 10 and grown <= GROWTH else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=20_000)
    options = parser.parse_args()
    sys.exit(asyncio.run(soak(options.exchanges, options.accounts)))
