#!/usr/bin/env python3
"""Soak: millions of requests of a million accounts through a real Envoy; its memory must stay flat.

    requests.py [--requests 5000000] [--accounts 1000000]

Prints Envoy's resident memory after each window of load, and ends with 1 when a request failed or memory grew by more than
4 MiB after the first round of the accounts.
"""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "bench"), str(HERE.parent / "e2e")]

import contenders  # noqa: E402
import envoy  # noqa: E402
import load  # noqa: E402
import process  # noqa: E402
import stand  # noqa: E402

GROWTH = 4 << 20
WINDOW = 20


def soak(options, folder):
    loader = load.Load(folder, ",".join(map(str, stand.CORES)))
    upstream, ext_proc = envoy.free_ports(2)
    path = contenders.build(folder, options.program, envoy.MODULE, ext_proc)["observe"]
    sent, failed, held = 0, 0, []
    with stand.Stand(options.server, upstream, ext_proc), stand.Envoy(path, upstream, 1) as proxy:
        while sent < options.requests:
            window = loader.soak(proxy.port, WINDOW, sent % options.accounts, options.accounts)
            sent, failed = sent + window.requests, failed + window.failed + window.refused
            if window.requests == 0:
                raise RuntimeError("nothing goes through")
            held.append((sent, process.resident(proxy.pid)))
            print(f"{sent:>9} requests, {window.rate:6.0f}/s, {held[-1][1] / 2**20:7.1f} MiB", flush=True)
    # Afterwards every account has been seen.
    after = [memory for sent, memory in held if sent >= options.accounts] or [held[-1][1]]
    grown = max(after) - after[0]
    print(f"{failed} failed; after the first {options.accounts} accounts memory grew by {grown / 2**20:.1f} MiB")
    return 0 if failed == 0 and grown <= GROWTH else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5_000_000)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    for name in ("program", "server"):
        parser.add_argument(f"--{name}", type=lambda path: pathlib.Path(path).resolve(), required=True)
    if missing := load.need():
        sys.exit(missing)
    work = HERE.parents[1] / "target" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    sys.exit(soak(parser.parse_args(), work))
