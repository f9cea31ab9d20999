#!/usr/bin/env python3
"""Picks the corpus rows that the demo's sample may be made of: permissive licences only, nothing personal or crude.

    select_rows.py --corpora DIR --out DIR

Which files, why, and under which licences: SAMPLE.md.
"""
import argparse
import gzip
import json
import pathlib
import re

LONGEST = 9000  # characters of a row; long ones would only make the sample big


def _template(*names):
    return lambda row: row["meta"]["template"] in names


def _tatoeba(row):
    """Rows that name a language carry a Tatoeba sentence; the others carry news."""
    return "lang" in row["meta"]


def _word_problem(row):
    """Plain-worded problems, as GSM8K has them: no LaTeX."""
    problem = row["messages"][0]["content"].partition("\n")[2]
    return "\\" not in problem and not re.search(r"\$(?!\d)", problem) and len(problem) > 80


def _any(_row):
    return True


FILES = {
    "benign__human_chat__arena_hard_v0_1": _any,
    "benign__human_chat__arena_hard_v2_0": _any,
    "benign__human_chat__awesome_chatgpt_prompts": _any,
    "benign__human_chat__fastchat_mtbench_vicuna": _template("mt_bench"),
    "benign__human_chat__self_instruct_user_oriented": _any,
    "benign__batch_classification__cookbook_ticket_classify": _any,
    "benign__summarisation__cookbook_chunk_summaries": _any,
    "benign__translation__bilingual_book_maker": _tatoeba,
    "benign__support_bot__tau_bench_retail": _any,
    "benign__eval_harness__bbh_cot": _any,
    "benign__coding_agent__pr_agent_review": _any,
    "distillation__cot_elicitation__open_r1": _word_problem,
}
_UNWANTED = re.compile(
    r"[\w.+-]+@[\w-]+\.\w|\+?\d[\d ()-]{9,}\d|\b(sex\w*|porn\w*|nsfw|erotic\w*|nude|naked|fetish\w*|rape\w*|suicid\w*|"
    r"nazi\w*|hitler|terroris\w*|fuck\w*|shit\w*|bitch\w*|nigg\w*|slut\w*|whore\w*|kill\w*)\b", re.IGNORECASE)


def text_of(row):
    return "\n".join([row.get("system") or ""] + [str(m["content"]) for m in row["messages"]])


def wanted(row, keep):
    if not keep(row) or len(text_of(row)) > LONGEST:
        return False
    return row["kind"] != "human_chat" or not _UNWANTED.search(text_of(row))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, keep in FILES.items():
        with gzip.open(args.corpora / f"{name}.jsonl.gz", "rt", encoding="utf-8") as f:
            rows = [row for row in map(json.loads, f) if wanted(row, keep)]
        with gzip.open(args.out / f"{name}.jsonl.gz", "wt", encoding="utf-8") as f:
            f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        print(f"{len(rows):5} rows of {name}")


if __name__ == "__main__":
    main()
