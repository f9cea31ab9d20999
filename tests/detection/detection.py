#!/usr/bin/env python3
"""What the detection finds, what each evidence family contributes, and what evasions cost: `make detection`.

For every scenario and seed: generates the trace, replays it with the built-in rules, and for the first seed again with
single families switched off and without the sidecar; scores the verdicts and writes tables in Markdown. Traces are
simulated, and removed once they have been replayed. Standard library only; Python 3.11.
"""
import argparse, importlib.util, json, subprocess, sys, tempfile, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import retries
import tables
from compose import load_generate

HERE = Path(__file__).resolve().parent
# The families that can matter in a scenario; only these are switched off there. Every family is in at least one.
COMMON = ["skeleton_spread", "cohort_synchrony", "harvest_content"]
ABLATIONS = {
    "benign": [*COMMON, "account_shape", "prefix_continuity", "failover_echo"],
    "blobs": ["blob_provenance", "prefix_continuity", "blob_provenance+prefix_continuity", "technique_search", *COMMON],
    "hydra": [*COMMON, "failover_echo", "account_shape", "technique_search"],
    "relay": [*COMMON, "prefix_continuity"],
    "sweep": [*COMMON, "corpus_sweep"],
    "failover": ["failover_echo"],
    "lone": ["account_shape"],
    "technique-search": ["technique_search"],
    "turns": ["cohort_synchrony.turns_most"],
    "tools": ["harvest_content", "cohort_synchrony.disguise_most"],
    "disguise": ["cohort_synchrony.disguise_most"],
    "apps": ["harvest_content"],
}
# Shares of a campaign's exchanges at which its linked accounts are counted: those of the targets.
CHECKPOINTS = (0.05, 0.15, 0.20, 1.0)


def load_score(shared):
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("score", shared / "score.py")
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    score.CHECKPOINTS = CHECKPOINTS
    return score


def swept(scenario, corpora):
    """The public prompts that a scenario's campaigns sweep: what an operator would index."""
    specs = [c for c in scenario.get("campaigns", []) if c["strategy"] == "sweep"]
    wanted = {(kind, source) for c in specs for kind in c["kinds"] for source in c.get("sources", corpora.by_kind[kind])}
    for key in sorted(wanted):
        for row in corpora.by_source.get(key, []):
            content = row["messages"][-1]["content"]
            yield content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def index(args, scenario, folder):
    if not any(c["strategy"] == "sweep" for c in scenario.get("campaigns", [])):
        return []
    prompts, corpus = folder / "prompts.jsonl", folder / "prompts.corpus"
    with open(prompts, "w", encoding="utf-8") as out:
        for prompt in swept(scenario, load_generate(args.shared).Corpora(str(args.corpora))):
            out.write(json.dumps({"prompt": prompt}) + "\n")
    subprocess.run([args.program, "corpus", "index", "--out", corpus, prompts], check=True, stdout=subprocess.DEVNULL)
    return ["--corpus", corpus]


def rules_without(families, folder):
    """The built-in rules without a family, without several that stand in for each other, `a+b`, or with a knob at 0, `a.knob`."""
    path, off = folder / f"without-{families}.json", {}
    for family in families.split("+"):
        family, _, knob = family.partition(".")
        off[family] = {knob: 0} if knob else {"enabled": False}
    path.write_text(json.dumps({"format": 1, "version": 1, "families": off}))
    return ["--rules", path]


def times_of(trace, ids):
    """When the exchanges with these ids were sent."""
    found = {}
    with open(trace, "rb") as lines:
        for line in lines:
            i = int(line[6:line.index(b",")])
            if i in ids:
                found[i] = json.loads(line)["t"]
    return found


def narrow(path, trace, labelled):
    """Leaves of a trace only what goes to one path: a gateway with one model."""
    ids = set()
    kept = trace.with_suffix(".kept")
    with open(trace, encoding="utf-8") as lines, open(kept, "w", encoding="utf-8") as out:
        for line in lines:
            exchange = json.loads(line)
            if exchange["path"] == path:
                ids.add(str(exchange["id"]))
                out.write(line)
    kept.replace(trace)
    header, *rows = labelled.read_text(encoding="utf-8").splitlines(keepends=True)
    labelled.write_text(header + "".join(row for row in rows if row.split("\t", 1)[0] in ids), encoding="utf-8")


def harvesting(score, labels, verdicts):
    """Of each campaign at its first checkpoint: accounts that have sent more than cover traffic so far, and how many of these are linked."""
    sent = {}
    for i, row in sorted(labels.items()):
        if row["actor"] != "benign":
            sent.setdefault(row["actor"], []).append((row["account"], row["kind"], verdicts[i]))
    found = {}
    for name, exchanges in sent.items():
        early = exchanges[:max(1, int(len(exchanges) * CHECKPOINTS[0]))]
        harvests = {account for account, kind, _ in early if kind != "cover"}
        caught = {account for account, _, v in early if v["campaign"] or score.LEVEL[v["action"]] >= 2}
        found[name] = (len(harvests), len(harvests & caught))
    return found


def noticed(labels, verdicts):
    """Accounts of each campaign that were observed or acted on: what an analyst is shown, whether or not anything was refused."""
    found = {}
    for i, row in labels.items():
        if row["actor"] != "benign" and verdicts[i]["action"] != "allow":
            found.setdefault(row["actor"], set()).add(row["account"])
    return found


def relinked(labels, verdicts):
    """Requests of each replacement account until it was linked (None: never), and of all of them together."""
    own, linked, together = {}, {}, None
    rows = (row for row in sorted(labels.items()) if row[1]["actor"] == "replacement")
    for n, (i, row) in enumerate(rows, 1):
        account = row["account"]
        own[account] = own.get(account, 0) + 1
        if verdicts[i]["campaign"]:
            together = together or n
            linked.setdefault(account, own[account])
    return [linked.get(account) for account in own], together


def ungiven(trace, labels, verdicts, replays):
    """How many of these replays send a blob that nobody was given: the request that would have earned it was refused."""
    found, refused, replays = 0, set(), set(replays)
    with open(trace, encoding="utf-8") as lines:
        for exchange in map(json.loads, lines):
            i = exchange["id"]
            if labels[i]["source"] == "earn" and verdicts[i]["action"] in ("throttle", "block"):
                refused.update(part["signature"] for part in exchange["response"]["body"]["content"] if "signature" in part)
            if i in replays:
                turns = (turn["content"] for turn in exchange["body"]["messages"] if isinstance(turn["content"], list))
                found += any(part.get("signature") in refused for parts in turns for part in parts)
    return found


def notes(scenario, labels, verdicts, trace):
    """What only one kind of scenario can tell."""
    result = {}
    if any(c["strategy"] == "blob_replay" for c in scenario.get("campaigns", [])):
        replays = [i for i, row in labels.items() if row["source"] == "replay"]
        result["replays"] = len(replays)
        result["replays_caught"] = sum(bool(verdicts[i]["campaign"]) for i in replays)
        result["replays_served"] = sum(verdicts[i]["action"] in ("allow", "observe") for i in replays)
        result["replays_ungiven"] = ungiven(trace, labels, verdicts, [i for i in replays if not verdicts[i]["campaign"]])
        result["replays_false"] = sum(row["actor"] == "benign" and "blob_provenance" in verdicts[i]["reasons"]
                                      for i, row in labels.items())
    if any(c["name"] == "replacement" for c in scenario.get("campaigns", [])):
        each, together = relinked(labels, verdicts)
        known = sorted(n for n in each if n)
        result["replaced"] = {"accounts": len(each), "linked_after": together, "within_50": sum(n <= 50 for n in known),
                              "median": known[len(known) // 2] if known else None}
    flagged = [i for i, v in verdicts.items() if "release_pivot" in v["reasons"]]
    if flagged and "release_hour" in scenario:
        start = tables.epoch(scenario["start"]) + 3600 * scenario["release_hour"]
        first = min(flagged)
        result["pivot_minutes"] = (times_of(trace, {first})[first] - start) / 60
        result["pivot_false"] = sum(labels[i]["actor"] == "benign" for i in flagged)
    return result


def run(args, name, path, seed, ablate):
    """One trace, all its replays: a list of results."""
    score, scenario = load_score(args.shared), json.loads(Path(path).read_text())
    results = []
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        folder = Path(temporary)
        trace, labelled = folder / "trace.jsonl", folder / "labels.tsv"
        # Senders of our own come on top of what the shared generator plays.
        compose = HERE / "compose.py" if "senders" in scenario else args.shared / "generate.py"
        subprocess.run([sys.executable, compose, path, "--corpora", args.corpora, "--seed",
                        str(seed), "--out", trace, "--labels", labelled], check=True, stderr=subprocess.DEVNULL)
        if "only" in scenario:
            narrow(scenario["only"], trace, labelled)
        corpus = index(args, scenario, folder)

        def replay(verdicts, *options):
            subprocess.run([args.program, "replay", "--proxies", "3", *corpus, *options, "--verdicts", verdicts, trace], check=True)

        rounds = scenario.get("retries", 0)
        sent = retries.play(replay, score, trace, labelled, rounds, seed) if rounds else None
        labels = score.read_labels(labelled)
        replays = [("all", [])] + [(f, rules_without(f, folder)) for f in ablate] + [("sidecar", ["--no-sidecar"])] * bool(ablate)
        for without, options in replays:
            verdicts, begin = folder / "verdicts.jsonl", time.monotonic()
            replay(verdicts, *options)
            took = time.monotonic() - begin
            read = score.read_verdicts(verdicts, labels)
            result = score.score(labels, read) | {"scenario": name, "seed": seed, "without": without, "seconds": took,
                                                  "exchanges": len(labels), "about": scenario.get("about", "")}
            seen = noticed(labels, read)
            for campaign, found in harvesting(score, labels, read).items():
                result["campaigns"][campaign] |= {"harvesting": found, "noticed": len(seen.get(campaign, ()))}
            if without == "all":
                result["notes"] = notes(scenario, labels, read, trace)
                if sent:
                    served = {i for i, verdict in read.items() if score.LEVEL[verdict["action"]] < 2}
                    result["notes"] |= {"retries": rounds, "obtained": sent.obtained(served)}
            results.append(result)
    print(f"{name}, seed {seed}: {len(results)} replays", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=Path("target/release/azeotrope"))
    parser.add_argument("--shared", type=Path, default=Path("../shared/traffic"), help="generate.py, score.py, corpora, scenarios")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", help="names of scenarios; absent: all")
    parser.add_argument("--out", type=Path, default=Path("target/detection.md"))
    args = parser.parse_args()
    if not (args.shared / "scenarios").is_dir() or not (args.shared / "generate.py").is_file():
        print(f"detection: {args.shared} has no generate.py and scenarios/: name the folder with SHARED=...", file=sys.stderr)
        return 2
    if args.out.suffix == ".json":
        parser.error("--out: the report is text; the figures go beside it as .json")
    args.program, args.shared = args.program.resolve(), args.shared.resolve()
    args.corpora = args.shared / "corpora"
    args.work = args.out.resolve().parent
    args.work.mkdir(parents=True, exist_ok=True)
    wanted = lambda path: not args.only or path.stem in args.only
    jobs = []
    for path in filter(wanted, sorted((args.shared / "scenarios").glob("*.json"))):
        own = json.loads(path.read_text())["seed"]
        for n in range(args.seeds):
            jobs.append((path.stem, path, own + 1000 * n, ABLATIONS.get(path.stem, COMMON) if n == 0 else []))
    for path in filter(wanted, sorted((HERE / "families").glob("*.json"))):
        jobs.append((path.stem, path, json.loads(path.read_text())["seed"], ABLATIONS[path.stem]))
    evasions = list(filter(wanted, sorted((HERE / "scenarios").glob("*.json"))))
    jobs += [(f"evasion {path.stem}", path, json.loads(path.read_text())["seed"], []) for path in evasions]
    with ProcessPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(run, args, *job) for job in jobs]
        results = [result for future in futures for result in future.result()]
    text = tables.report(results, args.seeds)
    args.out.write_text(text, encoding="utf-8")
    (args.out.with_suffix(".json")).write_text(json.dumps(results), encoding="utf-8")
    print(f"\n{text}\nwritten to {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
