#!/usr/bin/env python3
"""What a request through Envoy costs: with Azeotrope, with what Envoy has itself, with what one would build instead.

    gateway.py --program P --server S --empty M [--quick | --rounds N] [--out target/bench.json]

One run: an Envoy for each contender, windows of load in turns, rounds of which medians are reported. First as fast as each
goes (one worker), then at half of what Azeotrope manages, then with two workers. A window with any failed or refused
request does not count. Writes figures for report.py.
"""

import argparse
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import bodies  # noqa: E402
import contenders  # noqa: E402
import envoy  # noqa: E402
import load  # noqa: E402
import process  # noqa: E402
import stand  # noqa: E402

#: Tries of a window of which requests failed.
TRIES = 3
#: The contender whose maximum decides what half load is, and the share of its own maximum that nobody is asked to exceed.
PACE, HIGHEST = "enforce", 0.8


class Plan:
    """How much of what."""

    def __init__(self, quick, rounds):
        self.sizes = list(bodies.COUNTS)
        self.two_worker_sizes = self.sizes[1:2] if quick else self.sizes
        self.window = 1 if quick else 2
        self.full_rounds, self.paced_rounds, self.two_worker_rounds = (
            (2, 1, 1) if quick else (rounds, max(1, rounds - 1), max(1, rounds // 2)))
        self.fill_seconds = 4 if quick else 30
        self.starts = 2 if quick else 5


class Bench:
    """A run: what to do, on what, and what came out."""

    def __init__(self, plan, place, loader, out):
        self.plan, self.place, self.loader, self.out = plan, place, loader, out
        self.begun = time.monotonic()
        self.results = {"machine": stand.machine(), "windows": [], "dropped": [], "memory": {}, "filled": {}, "failures": [],
                        "window_seconds": plan.window}

    def log(self, text):
        print(f"bench {time.monotonic() - self.begun:6.0f} s: {text}", file=sys.stderr, flush=True)

    def attempt(self, what, do):
        """The result of `do`; None when that fails, which is told: what else is measured stays."""
        try:
            return do()
        except (RuntimeError, OSError, ValueError, AssertionError, subprocess.SubprocessError) as error:
            self.log(f"{what}: {error}")
            self.results["failures"].append(f"{what}: {error}"[:500])
            return None

    def window(self, name, run, **about):
        """One window of load on a contender; None when it would not go without failures."""
        proxy = self.place.envoys[name]
        for _ in range(TRIES):
            before = [process.cpu_seconds(pid) for pid in (proxy.pid, self.place.ext_proc.pid)]
            window = run(proxy.port)
            took = [process.cpu_seconds(pid) - was for pid, was in zip((proxy.pid, self.place.ext_proc.pid), before)]
            if window.good:
                server = took[1] if name == "ext_proc" else 0.0
                return {"name": name, **about, "rate": window.rate, "p50": window.p50, "p99": window.p99,
                        "late": window.late / max(1, window.sent), "cpu": took[0] * 1e6 / window.requests,
                        "server": server * 1e6 / window.requests}
            self.results["dropped"].append({"name": name, **about, "failed": window.failed, "refused": window.refused})
            self.log(f"{name}: window dropped, {window.failed} failed and {window.refused} refused of {window.requests}")
        return None

    def round(self, size, kind, workers, run, number=0):
        """One window of each contender, in an order of its own."""
        names = list(self.place.envoys)
        random.shuffle(names)
        for name in names:
            done = self.attempt(name, lambda name=name: self.window(
                name, lambda port: run(name, port), size=size, kind=kind, workers=workers, round=number))
            if done and kind != "warm":
                self.results["windows"].append(done)
        stand.dump(self.out, self.results)

    def fill(self, seconds):
        """Accounts until the pages are full; the Envoy without a filter, with which memory is compared, takes as many."""
        for name in (one for one in self.place.envoys if one == "none" or one.endswith("-full")):
            window = self.attempt(f"{name}, filling", lambda name=name: self.loader.fill(self.place.envoys[name].port, seconds))
            if window is None:
                continue
            if name != "none":
                self.results["filled"][name] = window.requests
            self.log(f"{name}: {window.requests} accounts, {window.refused} refused, {window.failed} failed")

    def full(self, workers, sizes, rounds):
        def run(size):
            return lambda _, port: self.loader.full(port, size, self.plan.window)
        for size in sizes:
            self.round(size, "warm", workers, lambda _, port, size=size: self.loader.full(port, size, 1))
            for number in range(rounds):
                self.log(f"{workers} worker(s), {size} bytes, as fast as it goes: round {number + 1} of {rounds}")
                self.round(size, "full", workers, run(size), number)

    def paced(self, sizes, rounds):
        for size in sizes:
            rates = {name: self.rate(name, size) for name in self.place.envoys}
            if not rates.get(PACE):
                self.log(f"{size} bytes: no maximum of {PACE}, so no half load")
                continue
            half = rates[PACE] / 2
            paces = {name: min(half, HIGHEST * rate) for name, rate in rates.items() if rate}
            for number in range(rounds):
                self.log(f"{size} bytes at {half:.0f} requests a second: round {number + 1} of {rounds}")
                self.round(size, "paced", 1, lambda name, port, paces=paces, size=size:
                           self.loader.paced(port, size, self.plan.window, paces[name]), number)

    def rate(self, name, size):
        """Median of what a contender managed with one worker."""
        rates = sorted(one["rate"] for one in self.results["windows"]
                       if (one["name"], one["size"], one["kind"], one["workers"]) == (name, size, "full", 1))
        return rates[len(rates) // 2] if rates else None

    def memory(self, when, workers):
        held = self.results["memory"].setdefault(when, {})
        for name, proxy in self.place.envoys.items():
            held.setdefault(name, {})[str(workers)] = process.resident(proxy.pid)

    def host_calls(self):
        body = bodies.compose(4 << 10, 1, seed=3)[0].encode()
        found = {name: self.place.envoys[name].host_calls(body) for name in ("enforce", "calls") if name in self.place.envoys}
        self.results["host_calls"] = found.get("enforce", {})
        # What stands for the boundary alone must not drift from what it stands for.
        if found.get("calls") != found.get("enforce"):
            raise RuntimeError(f"the filter that only makes Azeotrope's calls makes others: {found}")

    def starts(self, configurations):
        """Milliseconds from the start of an Envoy to its first answer."""
        starts = {name: [] for name in ("none", "empty", "enforce")}
        for _ in range(self.plan.starts):
            for name, times in starts.items():
                with stand.Envoy(configurations[name], self.place.upstream_port, 1) as proxy:
                    times.append(proxy.first_answer * 1e3)
        self.results["starts"] = starts

    def health(self):
        for name, proxy in self.place.envoys.items():
            self.attempt(f"{name}, health", proxy.check_health)


def run(options, folder):
    plan = Plan(options.quick, options.rounds)
    loader = load.Load(options.out.resolve().parent / "bench", "0")
    upstream, ext_proc = envoy.free_ports(2)
    configurations = contenders.build(folder, options.program, options.empty, ext_proc)
    with stand.Stand(options.server, upstream, ext_proc) as place:
        bench = Bench(plan, place, loader, options.out)
        bench.attempt("starts", lambda: bench.starts(configurations))
        for workers, sizes, rounds in ((1, plan.sizes, plan.full_rounds),
                                       (2, plan.two_worker_sizes, plan.two_worker_rounds)):
            place.envoys_of(configurations, workers, bench.attempt)
            loader.cores = place.load_cores
            bench.fill(plan.fill_seconds)
            bench.memory("filled", workers)
            bench.full(workers, sizes, rounds)
            if workers == 1:
                bench.paced(sizes, plan.paced_rounds)
                bench.attempt("host calls", bench.host_calls)
            bench.memory("after", workers)
            bench.health()
            place.stop_envoys()
        bench.results["seconds"] = time.monotonic() - bench.begun
        stand.dump(options.out, bench.results)
        return 1 if bench.results["failures"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in (("program", "target/release/azeotrope"), ("server", "the bench's server"), ("empty", "the empty filter")):
        parser.add_argument(f"--{name}", type=lambda path: pathlib.Path(path).resolve(), required=True, help=text)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 21), metavar="1..20", help="windows of each contender at full speed")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/bench.json"))
    options = parser.parse_args()
    if missing := load.need():
        sys.exit(missing)
    # Whatever ends the run ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="azeotrope-bench-") as folder:
        sys.exit(run(options, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
