"""Results of detection.py as Markdown tables."""
from datetime import datetime

FAMILIES = ["blob_provenance", "prefix_continuity", "failover_echo", "skeleton_spread", "corpus_sweep", "cohort_synchrony",
            "account_shape", "harvest_content", "technique_search"]
# Changes below these are chance: a thousandth of the exchanges in alarm, half a percent in what is served, a twentieth of a campaign's
# accounts in who is observed.
ALARM, SERVED, NOTICED = 0.001, 0.005, 0.05


def epoch(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def alarm(campaign):
    share = campaign["alarm_share"]
    return f"{share:.2%} ({campaign['alarm_exchange']})" if share else "never"


def linked(campaign, *points):
    return [f"{campaign['accounts_linked'][str(point)]:.0%}" for point in points]


def harvesting(campaign):
    """Linked at the first checkpoint, of the accounts that have sent more than cover traffic by then."""
    seen, caught = campaign["harvesting"]
    return f"{caught / seen:.1%}" if seen else "-"


def campaigns(results):
    rows = []
    for r in results:
        for name, c in r["campaigns"].items():
            rows.append([r["scenario"], r["seed"], name, c["exchanges"], c["accounts"], alarm(c), *linked(c, 0.05), harvesting(c),
                         *linked(c, 0.15, 0.2, 1.0), f"{c['served']:.1%}", f"{r['campaign_purity']:.2%}"])
    return table(["scenario", "seed", "campaign", "exchanges", "accounts", "named after", "linked at 5%", "of those that took anything",
                  "15%", "20%", "end", "served", "purity"], rows)


def benign(results):
    rows = []
    for r in results:
        b, o = r["benign_accounts"], r["benign_orgs"]
        n = b["n"]
        counts = [round(b[what] * n) for what in ("observe", "enforce", "block", "linked")]
        rows.append([r["scenario"], r["seed"], n, *counts, o["enforce"], o["block"], f"{r['exchanges'] / r['seconds']:,.0f}"])
    total = sum(row[2] for row in rows)
    sums = [sum(row[k] for row in rows) for k in range(3, 9)]
    rows.append(["**all**", "", total, *sums, ""])
    return table(["scenario", "seed", "benign accounts", "observed", "enforced on", "blocked", "linked", "parties enforced on",
                  "parties blocked", "exchanges/s"], rows)


def only(results):
    lines = []
    for r in results:
        n = r.get("notes") or {}
        if "replays" in n:
            lines.append(f"- {r['scenario']}, seed {r['seed']}: {n['replays_caught']} of {n['replays']} blob replays linked "
                         f"({n['replays_ungiven']} of the rest send what nobody was given), {n['replays_served']} served, {n['replays_false']} false")
        if "replaced" in n:
            after = n["replaced"]
            lines.append(f"- replacement after a ban: the first account is linked at request {after['linked_after']} of all; "
                         f"{after['within_50']} of {after['accounts']} within 50 requests of their own (median: {after['median']})")
        if "obtained" in n:
            lines.append(f"- {r['scenario']}: what is refused is sent again through up to {n['retries']} other accounts; "
                         f"{n['obtained']:.1%} of what was asked for was served in the end")
        if "pivot_minutes" in n:
            lines.append(f"- {r['scenario']}, seed {r['seed']}: release pivot flagged {n['pivot_minutes']:.1f} minutes after the "
                         f"release; benign exchanges flagged: {n['pivot_false']}")
        elif r["scenario"] == "pivot":
            lines.append(f"- pivot, seed {r['seed']}: release pivot never flagged")
    return "\n".join(lines) + "\n"


def change(before, after):
    """Alarm and served of a campaign, before and after, and whether that is more than chance."""
    later = (after["alarm_share"] or 1.0) - (before["alarm_share"] or 1.0)
    more = after["served"] - before["served"]
    return later, more, abs(later) >= ALARM or abs(more) >= SERVED


def ablations(results):
    rows, effects = [], {}
    base = {(r["scenario"], r["seed"]): r for r in results if r["without"] == "all"}
    for r in results:
        if r["without"] == "all":
            continue
        before = base[(r["scenario"], r["seed"])]
        found = effects.setdefault(r["without"], [])
        b, was = r["benign_accounts"], before["benign_accounts"]
        people = round(b["enforce"] * b["n"]) - round(was["enforce"] * was["n"])
        found.append((r["scenario"], f"{people:+,} honest accounts acted on", abs(people) / b["n"], people != 0))
        for name, c in r["campaigns"].items():
            later, more, counts = change(before["campaigns"][name], c)
            rows.append([r["scenario"], name, r["without"], alarm(c), f"{later:+.2%}" if c["alarm_share"] else "never",
                         f"{c['served']:.1%}", f"{more:+.1%}", *linked(c, 0.2), f"{people:+d}"])
            found.append((r["scenario"], f"{more:+.1%} served", abs(more), counts))
            # What is observed is served; an analyst sees it.
            fewer = c["noticed"] - before["campaigns"][name]["noticed"]
            share = abs(fewer) / c["accounts"]
            found.append((r["scenario"], f"{fewer:+} of {c['accounts']} accounts observed", share,
                          share >= max(NOTICED, 2 * abs(more))))
        if not r["campaigns"]:
            rows.append([r["scenario"], "", r["without"], "", "", "", "", "", f"{people:+d}"])
    detail = table(["scenario", "campaign", "without", "named after", "Δ named", "served", "Δ served", "linked at 20%",
                    "Δ benign enforced on"], rows)
    summary = []
    together = sorted(without for without in effects if "+" in without or "." in without)
    for family in [*FAMILIES, *together, "sidecar"]:
        tried = effects.get(family, [])
        matters = sorted((e for e in tried if e[3]), key=lambda e: -e[2])
        text = ", ".join(f"{scenario} ({what})" for scenario, what, *_ in matters)
        summary.append([family, ", ".join(sorted({e[0] for e in tried})) or "–", text or "**nothing measurable**"])
    return table(["without", "tried in", "changes"], summary) + "\n" + detail


def evasions(results):
    rows = []
    for r in sorted(results, key=lambda r: r["scenario"] != "evasion none"):
        for name, c in sorted(r["campaigns"].items()):
            about = r["about"] if len(r["campaigns"]) == 1 else f"{r['about']}: {name}"
            rows.append([about, c["accounts"], c["exchanges"], alarm(c), *linked(c, 0.05, 0.2, 1.0), f"{c['served']:.1%}",
                         f"{r['campaign_purity']:.2%}"])
    return table(["evasion", "accounts", "exchanges", "named after", "linked at 5%", "20%", "end", "served", "purity"], rows)


def report(results, seeds):
    plain = [r for r in results if r["without"] == "all"]
    suite = [r for r in plain if not r["scenario"].startswith("evasion ")]
    evaded = [r for r in plain if r["scenario"].startswith("evasion ")]
    ablated = [r for r in results if not r["scenario"].startswith("evasion ")]
    parts = ["# Detection on simulated traffic", "All figures are **simulated**: texts are real, who sends them when and from where is not. "
             f"{seeds} seeds a scenario, built-in rules, 3 proxies and one sidecar, enforcing.\n"]
    if suite:
        parts += ["## Campaigns (simulated)", campaigns(suite), only(suite), "## Benign traffic (simulated)", benign(suite),
                  "## What each family contributes (simulated)", "First seed of each scenario; only families that can matter there are "
                  f"switched off. A change of less than {ALARM:.1%} of the exchanges until named and of less than {SERVED:.1%} served "
                  "counts as none. Families stand in for each other, so what one adds alone is less than what all do.\n",
                  ablations(ablated)]
    if evaded:
        parts += ["## What each evasion costs (simulated)", evasions(evaded), only(evaded)]
    return "\n".join(parts)
