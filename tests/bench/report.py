#!/usr/bin/env python3
"""Figures of gateway.py as Markdown: tables, and for each target whether it is met.

    report.py [--bench target/bench.json] [--engine target/bench-engine.json] [--out target/bench.md] [--readme README.md]

`--readme` puts the tables between the marks <!-- bench:begin --> and <!-- bench:end --> of that file.
"""

import argparse
import json
import pathlib
import statistics
import sys
import textwrap

import contenders

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
SIZES = {512: "0.5 KiB", 4 << 10: "4 KiB", 32 << 10: "32 KiB", 256 << 10: "256 KiB"}
MIB = 2**20


class Figures:
    """The windows of a run, asked by contender, size, kind and workers."""

    def __init__(self, results):
        self.results = results
        self.windows = {}
        for one in results["windows"]:
            self.windows.setdefault((one["kind"], one["workers"], one["size"], one["name"]), []).append(one)

    def by_round(self, name, size, what, kind="full", workers=1):
        return {one["round"]: WHAT[what](one) for one in self.windows.get((kind, workers, size, name), [])}

    def median(self, *question, **about):
        values = self.by_round(*question, **about).values()
        return statistics.median(values) if values else None

    def over(self, name, base, size, what, combine, **about):
        """A contender against another: (of the medians, half the spread of the rounds), None where either is missing."""
        mine, other = self.by_round(name, size, what, **about), self.by_round(base, size, what, **about)
        rounds = [combine(mine[number], other[number]) for number in mine.keys() & other.keys()]
        if not rounds:
            return None
        middle = combine(statistics.median(mine.values()), statistics.median(other.values()))
        return middle, (max(rounds) - min(rounds)) / 2

    def added(self, name, base, size, what, **about):
        return self.over(name, base, size, what, lambda a, b: a - b, **about)

    def ratio(self, name, base, size, what, **about):
        return self.over(name, base, size, what, lambda a, b: a / b, **about)


WHAT = {"cpu": lambda one: one["cpu"] + one["server"], "envoy": lambda one: one["cpu"],
        "server": lambda one: one["server"], "rate": lambda one: one["rate"], "p50": lambda one: one["p50"],
        "p99": lambda one: one["p99"]}


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def plus(found, digits=0):
    return "–" if found is None else f"{found[0]:+,.{digits}f} ±{found[1]:,.{digits}f}"


def times(found):
    return "–" if found is None else f"{found[0]:.2f} ±{found[1]:.2f}"


def plain(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def row_of(name, sizes, cell):
    return [contenders.NAMES[name], *(cell(name, size) for size in sizes)]


def grid(figures, sizes, base, what, show, **about):
    """A row a contender, a column a size: the base as it is, the others against it."""
    def cell(name, size):
        if name == base:
            return plain(figures.median(name, size, what, **about))
        return show(name, size)
    return table(["", *(SIZES[size] for size in sizes)], [row_of(name, sizes, cell) for name in contenders.NAMES])


def cpu(figures, workers=1):
    sizes = [size for size in SIZES if figures.median("none", size, "cpu", workers=workers) is not None]
    return grid(figures, sizes, "none", "cpu",
                lambda name, size: plus(figures.added(name, "none", size, "cpu", workers=workers)), workers=workers)


def throughput(figures, workers=1):
    sizes = [size for size in SIZES if figures.median("buffer", size, "rate", workers=workers) is not None]
    return grid(figures, sizes, "buffer", "rate",
                lambda name, size: times(figures.ratio(name, "buffer", size, "rate", workers=workers)), workers=workers)


def latency(figures, kind):
    sizes = [size for size in SIZES if figures.median("buffer", size, "p50", kind=kind) is not None]

    def cell(name, size):
        if name == "buffer":
            return f"{plain(figures.median(name, size, 'p50', kind=kind))} / {plain(figures.median(name, size, 'p99', kind=kind))}"
        return " / ".join(plus(figures.added(name, "buffer", size, what, kind=kind)) for what in ("p50", "p99"))
    return table(["p50 / p99, µs", *(SIZES[size] for size in sizes)], [row_of(name, sizes, cell) for name in contenders.NAMES])


def paces(figures):
    """At how many requests a second half load was, and who could not take that."""
    told = []
    for size, title in SIZES.items():
        rate = figures.median("enforce", size, "rate", kind="paced")
        if rate is None:
            continue
        slower = [f"{name} {plain(figures.median(name, size, 'rate', kind='paced'))}" for name in contenders.NAMES
                  if (figures.median(name, size, "rate", kind="paced") or rate) < 0.9 * rate]
        told.append(f"{title} {plain(rate)}" + (f" ({', '.join(slower)})" if slower else ""))
    return ", ".join(told)


def memory(figures):
    """Bytes that Azeotrope adds to an Envoy without filter: (a worker more, shared data with full pages, what is there once).

    Once: V8, the module's compiled code and the main thread's VM. Nearly empty pages tell shared data from the rest.
    """
    held = figures.results["memory"].get("filled", {})
    if not all(set(held.get(name, {})) == {"1", "2"} for name in ("none", "enforce", "enforce-full")):
        return None
    one, two = (held["enforce-full"][workers] - held["none"][workers] for workers in ("1", "2"))
    shared = held["enforce-full"]["1"] - held["enforce"]["1"]
    return two - one, shared, one - (two - one) - shared


def targets(figures, engine):
    """The targets: (what, target, measured, met or not or None)."""
    rows = []

    def judge(what, limit, found, at_most=True, show=plus):
        value = found[0] if isinstance(found, tuple) else found
        met = None if value is None else value <= limit if at_most else value >= limit
        measured = "–" if value is None else show(found) if isinstance(found, tuple) else f"{value:,.2f}"
        wanted = {1 / 2: "1/2", 1 / 3: "1/3", 1 / 8: "1/8"}.get(limit, f"{limit:,g}")
        rows.append((what, f"{'≤' if at_most else '≥'} {wanted}", measured, met))

    for size, limit in ((512, 30), (4096, 35), (32768, 75), (262144, 100)):
        judge(f"CPU over the empty Wasm filter, {SIZES[size]}, µs", limit, figures.added("enforce", "empty", size, "cpu"))
    judge("throughput over the buffer filter, 4 KiB", 0.70, figures.ratio("enforce", "buffer", 4096, "rate"), False, times)
    for size, limit in ((4096, 150), (32768, 500)):
        judge(f"p99 over the buffer filter at half load, {SIZES[size]}, µs", limit,
              figures.added("enforce", "buffer", size, "p99", kind="paced"))
    for size, limit in ((4096, 1 / 2), (32768, 1 / 3)):
        judge(f"CPU against ext_proc and its server, {SIZES[size]}", limit, figures.ratio("enforce", "ext_proc", size, "cpu"),
              True, times)
    for size in (4096, 32768):
        ours, theirs = (figures.added(name, "none", size, "p50", kind="paced") for name in ("enforce", "ext_proc"))
        judge(f"p50 added to no filter at half load against ext_proc's, {SIZES[size]}", 1 / 8,
              ours[0] / theirs[0] if ours and theirs and theirs[0] else None)
    for title, ratio in engine.items():
        judge(f"wasm over native, whole request, {title}", 1.8, ratio)
    calls = figures.results.get("host_calls")
    judge("host calls of a request, 4 KiB", 12, sum(calls.values()) if calls else None)
    judge("module, KiB", 400, figures.results["machine"]["module"] / 1024)
    starts = figures.results.get("starts", {}).get("enforce")
    judge("start of Envoy to first verdict, ms", 1000, statistics.median(starts) if starts else None)
    held = memory(figures)
    judge("memory a worker, MiB", 24, held[0] / MIB if held else None)
    judge("memory shared, pages full, MiB", 64, held[1] / MIB if held else None)
    rows.append(("memory once, whatever the workers: V8, compiled code, the main thread's VM, MiB", "–",
                 plain(held[2] / MIB if held else None, 1), None))
    rows.append(("memory over 5 million requests of a million accounts", "flat", "measured by `make soak-requests`", None))
    rows.append(("sidecar: observations a second on a core; a million accounts", "≥ 50,000; ≤ 1 GiB", "measured by `make sidecar-pace`", None))
    return rows


def verdicts(rows):
    words = {True: "met", False: "**missed**", None: ""}
    return table(["target", "wanted", "measured", ""], [[what, wanted, measured, words[met]] for what, wanted, measured, met in rows])


def start_and_memory(figures):
    starts, held = figures.results.get("starts", {}), figures.results["memory"]
    rows = []
    for name in contenders.NAMES:
        milliseconds = plain(statistics.median(starts[name])) if starts.get(name) else "–"
        resident = [held.get(when, {}).get(name, {}).get(workers) for workers in ("1", "2") for when in ("filled", "after")]
        rows.append([contenders.NAMES[name], milliseconds, *(plain(one / MIB if one else None, 1) for one in resident)])
    return table(["", "start to first answer, ms", "resident once pages are full, 1 worker, MiB", "after the run",
                  "2 workers, MiB", "after the run"], rows)


def about(figures):
    machine, results = figures.results["machine"], figures.results
    rounds = max((len(group) for group in figures.windows.values()), default=0)
    late = max((one["late"] for one in results["windows"]), default=0)
    filled = ", ".join(f"{count:,}" for count in results["filled"].values())
    return (f"Envoy {machine['envoy']}, {machine['cores']} cores ({machine['processor']}), {machine['memory']}, Linux "
            f"{machine['kernel']}, {machine['date']}. One worker: Envoy on one core; wrk, the upstream and the server of ext_proc on "
            f"the other. Windows of {results['window_seconds']} s, up to {rounds} rounds in turns, medians; ± is half the range of the "
            f"rounds. Every body has an account of its own; full state: pages full of {filled or 'no'} other accounts. "
            f"{len(results['dropped'])} windows with failed or refused requests were thrown away. At fixed rates at most {late:.1%} of a "
            "window's requests were sent late.")


def wrapped(text):
    """Prose as this repository has it: lines that fit a screen."""
    return textwrap.fill(text, 128) + "\n"


def blocks(figures, engine):
    yield wrapped(about(figures))
    yield wrapped("**CPU** a request takes, µs, over Envoy without a filter (ext_proc: Envoy and the server together):")
    yield cpu(figures)
    yield wrapped("**Throughput** at most, requests a second, as a share of the buffer filter's:")
    yield throughput(figures)
    yield wrapped("**Latency** at half of what Azeotrope manages, p50 / p99, requests evenly spaced, over the buffer filter's "
                  f"(requests a second: {paces(figures)}; who cannot take that is given 80% of its own maximum):")
    yield latency(figures, "paced")
    yield wrapped("**Against the targets** (enforce, small state, one worker):")
    yield verdicts(targets(figures, engine))


def details(figures):
    calls = figures.results.get("host_calls") or {}
    yield "## Two workers, load on the same cores\n\nCPU, µs:\n"
    yield cpu(figures, 2)
    yield "Throughput:\n"
    yield throughput(figures, 2)
    yield "## Latency at saturation, over the buffer filter\n"
    yield latency(figures, "full")
    yield "## CPU of ext_proc's two halves, µs\n"
    sizes = list(SIZES)
    yield table(["", *SIZES.values()], [
        [title, *(plain(figures.median("ext_proc", size, what)) for size in sizes)]
        for title, what in (("Envoy", "envoy"), ("server", "server"))])
    yield "## Start and memory\n"
    yield start_and_memory(figures)
    yield f"## Host calls of a request with 4 KiB, by a known account: {sum(calls.values())}\n"
    yield table(["call", "times"], [[name, str(count)] for name, count in sorted(calls.items())])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=pathlib.Path, default=pathlib.Path("target/bench.json"))
    parser.add_argument("--engine", type=pathlib.Path, default=pathlib.Path("target/bench-engine.json"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/bench.md"))
    parser.add_argument("--readme", type=pathlib.Path)
    options = parser.parse_args()
    figures = Figures(json.loads(options.bench.read_text()))
    engine = json.loads(options.engine.read_text())["wasm_over_native"] if options.engine.exists() else {}
    short = "\n".join(blocks(figures, engine))
    options.out.write_text(f"# What a request through Envoy costs\n\n{short}\n" + "\n".join(details(figures)), encoding="utf-8")
    print(options.out.read_text())
    if options.readme:
        text = options.readme.read_text(encoding="utf-8")
        if text.count(BEGIN) != 1 or text.count(END) != 1:
            sys.exit(f"{options.readme} has no place for the tables: {BEGIN} and {END}")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        options.readme.write_text(f"{before}{BEGIN}\n{short}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
