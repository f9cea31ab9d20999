#!/usr/bin/env python3
"""What becomes of harvests from sources that the content model has not seen: `make detection-heldout`.

Every source of every kind of harvest fills the template of one campaign, beside people, organisations and apps. Where the built-in model
was trained on a source, another is trained without it for the replay; on none of those of `templates/` it was. A line a source says when
its campaign was named, who was linked and what was served. Standard library only; Python 3.11.
"""
import argparse, json, os, subprocess, sys, tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import published
from compose import load_generate
from detection import HERE, load_score
from varied import HARVESTS, honest, linked_at, percent, purity_of, replayed

HEADER = ("| kind | source | model | named after | linked at 5% | 15% | 20% | end | served | purity | honest acted on |\n" + "|---" * 11 + "|")


def without(args, source, folder):
    """Rules with a model that has not seen a source; none where the built-in one has not."""
    lines = (HERE / "sources.tsv").read_text().splitlines()
    left = [line for line in lines if not line.endswith("\t" + source)]
    if left == lines:
        return []
    rules, sources = folder / "rules.json", folder / "sources.tsv"
    sources.write_text("\n".join(left) + "\n")
    subprocess.run([args.program, "train", "--sources", sources, "--out", rules, *args.train], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return ["--rules", rules]


def scenario(kind, source, seed):
    """The world of tests/detection/scenarios, half as large, and one campaign."""
    world = json.loads((HERE / "scenarios" / "none.json").read_text()) | {"seed": seed}
    for crowd in world["humans"] + world["apps"]:
        crowd["accounts"], crowd["requests"] = crowd["accounts"] // 2, crowd["requests"] // 2
    campaign = {"name": "held-out", "strategy": "fixed", "kinds": [kind], "sources": [source], "accounts": 600, "requests": 8_000,
                "dilution": 0.3, "user_agents": 3}
    return world | {"campaigns": [campaign]}


def play(args, seed, kind, source):
    generate, score = load_generate(args.shared), load_score(args.shared)
    corpora = generate.Corpora(str(args.corpora))
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        folder = Path(temporary)
        rules = without(args, source, folder)
        labels, read = replayed(args, score, generate.Trace(scenario(kind, source, seed), corpora), folder, *rules)
    found = score.score(labels, read)
    campaign = found["campaigns"]["held-out"]
    accounts, (_, acted_on, _), _ = honest(score, labels, read)
    named = f"{percent(campaign['alarm_share'])} ({campaign['alarm_exchange']})" if campaign["alarm_share"] is not None else "never"
    line = (f"| {kind} | {source} | {'trained without it' if rules else 'built-in'} | {named} | {linked_at(score, campaign)} | "
            f"{campaign['served']:.1%} | {purity_of(found)} | {acted_on} |")
    return line, {"published": source in args.published, "served": campaign["served"], "accounts": accounts, "acted on": acted_on}


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
        args.train = [Path(temporary) / "train.jsonl", Path(temporary) / "train.tsv"]
        subprocess.run([sys.executable, args.shared / "generate.py", HERE / "train.json", "--corpora", args.shared / "corpora",
                        "--out", args.train[0], "--labels", args.train[1]], check=True, stderr=subprocess.DEVNULL)
        print(HEADER)
        with ProcessPoolExecutor(args.jobs) as pool:
            runs = [pool.submit(play, args, args.first + n, *of) for n, of in enumerate(sources) if of[0] in args.kinds]
            played = []
            for one in runs:
                line, result = one.result()
                played.append(result)
                print(line, flush=True)
    for name, those in (("shared corpora", False), ("published templates", True)):
        some = [one for one in played if one["published"] == those]
        if some:
            print(f"\n{name}: {told(some)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
