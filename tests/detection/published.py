#!/usr/bin/env python3
"""Corpora out of the published prompt templates in `templates/`: `published.py --shared ../shared/traffic --out FOLDER`.

Each line of `templates/*.jsonl` is a prompt that some repository's program sends, with `<<slots>>` where it fills something in; its
licence is permissive and beside it. Here slots are filled with payloads of the shared corpora, of their permissively licensed sources
alone: alike for a harvest's slot and for an honest program's, so that only the templates tell them apart, and never as they stand: people and
programs of the shared corpora send those, and unrelated senders do not send each other's very words. FOLDER gets them
as one file in the corpora's own format, and links to the shared corpora, so that `generate.py --corpora FOLDER` plays both. Its
`sources.tsv` names what the content model may be trained on: those of `sources.tsv` beside this file, and all published ones.
Which payload goes where is decided by the template's name. Standard library only; Python 3.11.
"""
import argparse, gzip, json, random, re, sys
from dataclasses import dataclass
from pathlib import Path

from compose import load_generate

HERE = Path(__file__).resolve().parent
ROWS = 60               # of a template
SLOT = re.compile(r"<<([a-z_]+)>>")
LABELS = ["positive, negative, neutral", "billing, technical issue, account, other", "sports, politics, business, science",
          "urgent, normal, low", "question, complaint, praise, request", "yes, no", "spam, not spam", "easy, medium, hard"]
LANGUAGES = ["English", "French", "German", "Spanish", "Japanese", "Chinese", "Portuguese", "Italian", "Korean", "Russian"]
NAMES = ["Alice", "Benjamin", "Chen Wei", "Dolores", "Emeka", "Fatima", "Gustav", "Hiroko", "Ivan", "Jamila", "Karl", "Leila"]
# What stands twice in a template is the same; of all else there are as many as there are slots.
ONCE = {"language", "name", "persona", "question", "title", "topic"}
# Where payloads come from: kind and the beginning of the source's name.
PEOPLE = [("human_chat", "lmarena/"), ("human_chat", "lm-sys/"), ("human_chat", "yizhongw/")]
EXERCISES = [("cot_elicitation", "huggingface/"), ("cot_elicitation", "simplescaling/")]
PASSAGES = [("summarisation", "langchain-ai/"), ("summarisation", "run-llama/"), ("batch_extraction", "run-llama/")]
ANSWERS = [("rubric_grading", "lm-sys/")]
CHANGES = [("coding_agent", "qodo-ai/")]
ROLES = [("human_chat", "f/")]
FUNCTIONS = [("tool_use_synth", "ShishirPatil/")]


@dataclass
class Payloads:
    """What may be filled into slots: texts, a list of each sort."""

    instructions: list
    questions: list
    documents: list
    responses: list
    code: list
    personas: list
    functions: list

    def __post_init__(self):
        self.sentences = [sentence for text in self.documents for sentence in re.split(r"(?<=[.!?])\s+", text) if 40 < len(sentence) < 200]
        few = [name for name, texts in vars(self).items() if len(texts) < 4]
        if few:
            raise SystemExit(f"published: the corpora have too few {', '.join(few)}")

    def some(self, texts, rng):
        """A text of two: the beginning of one, the end of another, broken between sentences, or words where there is one only."""
        first, second = chosen = rng.sample(texts, 2)
        of_sentences = all(len(re.split(r"[.!?]\s|\n", text)) > 2 for text in chosen)
        between = r"(?<=[.!?])\s+|\n+" if of_sentences else r"\s+"
        breaks = [[gap.start() for gap in re.finditer(between, text)] or [len(text) // 2] for text in chosen]
        start, end = (places[len(places) * rng.randrange(3, 7) // 10] for places in breaks)
        return first[:start] + second[end:]

    def fill(self, slot, rng):
        def words(text, most):
            return " ".join(text.split()[:rng.randrange(2, most)]).strip(".,:;")

        def turn():
            return f"User: {self.some(self.instructions, rng)}\nAssistant: {self.some(self.responses, rng)[:600]}"

        ways = {
            "instruction": lambda: self.some(self.instructions, rng),
            "question": lambda: self.some(self.questions, rng),
            "answer": lambda: rng.choice([str(rng.randrange(2_000)), words(self.some(self.sentences, rng), 9)]),
            "response": lambda: self.some(self.responses, rng),
            "response_b": lambda: self.some(self.responses, rng),
            "document": lambda: self.some(self.documents, rng),
            "sentence": lambda: self.some(self.sentences, rng),
            "code": lambda: self.some(self.code, rng),
            "persona": lambda: self.some(self.personas, rng),
            "topic": lambda: words(self.some(self.sentences, rng), 5),
            "title": lambda: words(self.some(self.sentences, rng), 8),
            "labels": lambda: rng.choice(LABELS),
            "language": lambda: rng.choice(LANGUAGES),
            "examples": lambda: "\n".join(f"{n}. {self.some(self.instructions, rng)}" for n in range(1, 5)),
            "conversation": lambda: "\n".join(turn() for _ in range(rng.randrange(1, 4))),
            "tool": lambda: rng.choice(self.functions),
            "number": lambda: str(rng.randrange(1, 21)),
            "number_b": lambda: str(rng.randrange(1, 101)),
            "name": lambda: rng.choice(NAMES),
        }
        if slot not in ways:
            raise SystemExit(f"published: no payload for <<{slot}>>; known: {', '.join(sorted(ways))}")
        return ways[slot]()


def payloads(generate, corpora):
    """Those of the shared corpora."""

    def rows(of):
        for kind, begin in of:
            for source in corpora.by_kind.get(kind, []):
                if source.startswith(begin):
                    yield from ((kind, source, row) for row in corpora.rows(kind, source))

    def whole(of, least, most):
        """First messages."""
        texts = (generate.text_of(row["messages"][0]["content"]).strip() for _, _, row in rows(of))
        return [text for text in texts if least <= len(text) <= most]

    def left(of, least, most):
        """What a source fills into its own templates."""
        found = []
        for kind, source, row in rows(of):
            template = corpora.template_lines(kind, source)
            lines = [line for message in row["messages"] for line in generate.text_of(message["content"]).split("\n")]
            text = "\n".join(line for line in lines if line.strip() and line.strip() not in template)[:most].strip()
            if len(text) >= least:
                found.append(text)
        return found

    roles = (re.search(r"(?:act as|You are) (an? [^.,\n]{8,100})", text, re.IGNORECASE) for text in whole(ROLES, 20, 20_000))
    functions = (line.strip() for text in left(FUNCTIONS, 60, 4_000) for line in text.split("\n"))
    return Payloads(instructions=whole(PEOPLE, 20, 600), questions=left(EXERCISES, 40, 1_000), documents=left(PASSAGES, 400, 2_500),
                    responses=left(ANSWERS, 150, 2_000), code=left(CHANGES, 150, 1_500), personas=[role[1] for role in roles if role],
                    functions=[line for line in functions if line.startswith("{")])


def render(template, filling):
    """Rows of a template; a prompt without slots is sent as it is, again and again."""
    rng = random.Random(f"{template['repository']} {template['template']}")
    texts = [template["system"] or "", *(message["content"] for message in template["messages"])]
    for _ in range(ROWS if any(SLOT.search(text) for text in texts) else 1):
        chosen = {}

        def value(slot):
            if slot[1] not in ONCE or slot[1] not in chosen:
                chosen[slot[1]] = filling.fill(slot[1], rng)
            return chosen[slot[1]]

        def filled(text):
            return SLOT.sub(value, text)

        yield {"source": source(template), "kind": template["kind"], "license": template["license"],
               "system": template["system"] and filled(template["system"]),
               "messages": [message | {"content": filled(message["content"])} for message in template["messages"]],
               "params": template.get("params"), "meta": {"label": template["side"], "template": template["template"]}}


def source(template):
    return f"{template['repository']} ({template['version']})"


def templates():
    for path in sorted((HERE / "templates").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def write(shared, out):
    """The folder of corpora."""
    generate = load_generate(shared)
    filling = payloads(generate, generate.Corpora(str(shared / "corpora")))
    rows = [row for template in templates() for row in render(template, filling)]
    out.mkdir(parents=True, exist_ok=True)
    for path in (shared / "corpora").glob("*.jsonl.gz"):
        link = out / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
    with gzip.GzipFile(out / "published.jsonl.gz", "wb", mtime=0) as file:
        file.writelines(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    ours = sorted({f"{row['kind']}\t{row['source']}\n" for row in rows})
    (out / "sources.tsv").write_text((HERE / "sources.tsv").read_text(encoding="utf-8") + "".join(ours), encoding="utf-8")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/traffic"), help="generate.py, corpora")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = write(args.shared.resolve(), args.out)
    print(f"{len({(row['kind'], row['source']) for row in rows})} sources, {len(rows)} rows", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
