#!/usr/bin/env python3
"""What becomes of harvests from sources that the content model has not seen: `make detection-heldout`.

Every source of every kind of harvest fills the template of one campaign, beside people, organisations and apps, and is judged by a model
that was trained as the built-in one is, but without a quarter of all repositories: the source's own and, of honest programs, as many. A
line a source says when its campaign was named, who was linked and what was served.

The prompts of honest programs become tools, eight a world: each comes with one provider and has 60 unrelated users, who look like a harvest's
accounts in everything but the wording. Half of them have a client program of their own, half go by a name that others have, too, as
what is built with an SDK does. Standard library only; Python 3.11.
"""
import argparse, json, os, subprocess, sys, tempfile, zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import published
from compose import composed, load_generate
from detection import HERE, load_score
from varied import BUSINESS, HARVESTS, honest, linked_at, percent, purity_of, replayed, suffered

HEADER = ("| kind | source | named after | linked at 5% | 15% | 20% | end | served | purity | honest acted on |\n" + "|---" * 10 + "|")
PARTS = 4               # models, each without another part of the repositories
PROGRAMS = [kind for kind in BUSINESS if kind != "eval_harness"]
TOOLS = 8               # a world
USERS = 60              # of a tool


def part(source):
    """The part of all repositories that a source's is in: what has no blank, before the version."""
    return zlib.crc32(source.split(" ")[0].lower().encode()) % PARTS


def without(args, n, folder):
    """Rules with a model that has not seen any repository of part n, be it a harvest's or an honest program's."""
    lines = (args.corpora / "sources.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    rules, sources = folder / f"rules-{n}.json", folder / f"sources-{n}.tsv"
    sources.write_text("".join(line for line in lines if "\t" in line and part(line.strip().split("\t")[1]) != n), encoding="utf-8")
    subprocess.run([args.program, "train", "--sources", sources, "--out", rules, folder / "train.jsonl", folder / "train.tsv"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return rules


def crowds(seed):
    """The world of tests/detection/scenarios, half as large."""
    world = json.loads((HERE / "scenarios" / "none.json").read_text()) | {"seed": seed, "campaigns": []}
    for crowd in world["humans"] + world["apps"]:
        crowd["accounts"], crowd["requests"] = crowd["accounts"] // 2, crowd["requests"] // 2
    return world


def scenario(kind, source, seed):
    """Those and one campaign."""
    campaign = {"name": "held-out", "strategy": "fixed", "kinds": [kind], "sources": [source], "accounts": 600, "requests": 8_000,
                "dilution": 0.3, "user_agents": 3}
    return crowds(seed) | {"campaigns": [campaign]}


def tools(programs, seed):
    """Those and a tool a program: each other one has a name of its own, and what comes before the first digit is a program's name."""
    users = {"sender": "habits", "accounts": USERS, "period": 14_400}
    names = [f"tool{chr(ord('a') + n)}" if n % 2 else f"sdk{n}" for n in range(len(programs))]
    return crowds(seed) | {"senders": [users | {"kind": kind, "source": source, "name": name} for name, (kind, source) in zip(names, programs)]}


def play(args, seed, kind, source):
    generate, score = load_generate(args.shared), load_score(args.shared)
    corpora = generate.Corpora(str(args.corpora))
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        trace = generate.Trace(scenario(kind, source, seed), corpora)
        labels, read = replayed(args, score, trace, Path(temporary), "--rules", args.rules[part(source)])
    found = score.score(labels, read)
    campaign = found["campaigns"]["held-out"]
    accounts, (_, acted_on, _), _ = honest(score, labels, read)
    named = f"{percent(campaign['alarm_share'])} ({campaign['alarm_exchange']})" if campaign["alarm_share"] is not None else "never"
    line = (f"| {kind} | {source} | {named} | {linked_at(score, campaign)} | "
            f"{campaign['served']:.1%} | {purity_of(found)} | {acted_on} |")
    return line, {"published": source in args.published, "served": campaign["served"], "accounts": accounts, "acted on": acted_on}


def use(args, seed, programs):
    """Lines and results of a world of tools."""
    generate, score = load_generate(args.shared), load_score(args.shared)
    corpora, scenario = generate.Corpora(str(args.corpora)), tools(programs, seed)
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        trace = composed(generate)(scenario, corpora)
        labels, read = replayed(args, score, trace, Path(temporary), "--rules", args.rules[part(programs[0][1])])
    worst, organisations = suffered(score, labels, read)
    played = []
    for spec in scenario["senders"]:
        levels = [level for account, level in worst.items() if organisations[account].startswith(spec["name"] + "-")]
        acted, blocked = (sum(level >= rung for level in levels) for rung in (2, 3))
        own = not spec["name"].startswith("sdk")
        client = "its own" if own else "an SDK's"
        line = f"| {spec['kind']} | {spec['source']} | {client} | {acted} | {blocked} |"
        played.append((line, {"own": own, "acted on": acted, "blocked": blocked}))
    return played


def worlds(corpora):
    """Honest programs, those together that one model judges."""
    programs = [(kind, source) for kind in PROGRAMS for source in corpora.by_kind.get(kind, [])]
    programs.sort(key=lambda program: zlib.crc32(" ".join(program).encode()))   # kinds mixed
    for n in range(PARTS):
        own = [(kind, source) for kind, source in programs if part(source) == n]
        yield from (own[first:first + TOOLS] for first in range(0, len(own), TOOLS))


def told_of_tools(played):
    hit = sum(one["acted on"] > 0 for one in played)
    return (f"of {len(played)} tools, {USERS} users each, users of {hit} acted on; {sum(one['acted on'] for one in played)} users throttled or "
            f"worse, {sum(one['blocked'] for one in played)} blocked")


def told(played):
    served = sorted(one["served"] for one in played)
    return (f"{len(served)} sources: {sum(served) / len(served):.1%} served on average, {served[len(served) // 2]:.1%} in the median, more than half of "
            f"{sum(share > 0.5 for share in served)}; of {sum(one['accounts'] for one in played)} honest accounts "
            f"{sum(one['acted on'] for one in played)} acted on")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=Path("target/release/azeotrope"))
    parser.add_argument("--shared", type=Path, default=Path("../shared/traffic"), help="generate.py, score.py, corpora")
    parser.add_argument("--corpora", type=Path, default=Path("target/corpora"), help="what published.py has written")
    parser.add_argument("--kinds", nargs="*", choices=HARVESTS, default=HARVESTS, help="only sources of these kinds")
    parser.add_argument("--first", type=int, default=7_300, help="the seed of the first source's world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.program, args.shared, args.work = args.program.resolve(), args.shared.resolve(), Path("target").resolve()
    args.work.mkdir(exist_ok=True)
    if not (args.shared / "generate.py").is_file():
        print(f"detection: {args.shared} has no generate.py: name the folder with SHARED=...", file=sys.stderr)
        return 2
    corpora = load_generate(args.shared).Corpora(str(args.corpora))
    args.published = {published.source(template) for template in published.templates()}
    sources = [(kind, source) for kind in HARVESTS for source in corpora.by_kind.get(kind, [])]
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, args.shared / "generate.py", HERE / "train.json", "--corpora", args.corpora, "--out",
                        folder / "train.jsonl", "--labels", folder / "train.tsv"], check=True, stderr=subprocess.DEVNULL)
        args.rules = [without(args, n, folder) for n in range(PARTS)]
        print(HEADER)
        with ProcessPoolExecutor(args.jobs) as pool:
            runs = [pool.submit(play, args, args.first + n, *of) for n, of in enumerate(sources) if of[0] in args.kinds]
            played = []
            for one in runs:
                line, result = one.result()
                played.append(result)
                print(line, flush=True)
            print("\nhonest programs as tools, those acted on:\n\n| kind | source | client program | users acted on | blocked |\n" + "|---" * 5 + "|")
            used = []
            for one in [pool.submit(use, args, args.first + 1_000 + n, world) for n, world in enumerate(worlds(corpora))]:
                for line, result in one.result():
                    used.append(result)
                    if result["acted on"]:
                        print(line, flush=True)
    for name, those in (("shared corpora", False), ("published templates", True)):
        some = [one for one in played if one["published"] == those]
        if some:
            print(f"\n{name}: {told(some)}")
    for name, own in (("tools with a client program of their own", True), ("tools that go by an SDK's name", False)):
        print(f"\n{name}: {told_of_tools([one for one in used if one['own'] == own])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
