"""What the documents name is there: links, files, tests, make targets, commands and their flags, values of the chart."""

import functools
import json
import pathlib
import re
import subprocess

import pytest
import sidecars
import yaml
from envoy import ROOT

DOCUMENTS = sorted(
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, check=True,
                               capture_output=True, text=True).stdout.split()
)
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
#: The program, its words, and the rest.
COMMAND = re.compile(r"(?:^|[|;&] *)azeotrope ((?:[a-z][a-z-]+ ?)*)([^|;&]*)")


def named(path):
    return str(path.relative_to(ROOT))


@pytest.fixture(params=DOCUMENTS, ids=named)
def document(request):
    return request.param


def slugs(path):
    """Anchors of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "")).lower().replace(" ", "-") for heading in headings}


def code(text):
    """What stands in back-ticks or in a block of a shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    without = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0] for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", without)


@functools.cache
def help_of(*words):
    """What a command says of itself; None if there is none."""
    done = subprocess.run([str(sidecars.PROGRAM), *words, "--help"], capture_output=True, text=True, timeout=30)
    return done.stdout if done.returncode == 0 else None


def commands():
    """Every command of the program, as words."""
    found = [()]
    for words in found:
        listed = help_of(*words).partition("Commands:\n")[2].partition("\n\n")[0]
        found += [(*words, name) for name in re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE) if name != "help"]
    return found


def flags(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def test_links_lead_somewhere(document):
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in slugs(target)):
            dead.append(link)
    assert dead == []


def test_make_targets_exist(document):
    named_targets = {target for one in code(document.read_text()) for target in re.findall(r"(?:^|\s)make ([a-z][a-z0-9-]+)", one)}
    assert named_targets <= TARGETS


def test_files_and_tests_exist(document):
    missing, file = [], None
    for one in code(document.read_text()):
        path, _, test = one.partition("::")
        if re.fullmatch(r"(?:src|tests|envoy)/[\w./-]+", path):
            file = ROOT / path
            if not file.exists():
                missing.append(one)
                continue
        elif path or not test:
            continue
        if re.fullmatch(r"\w+", test) and not re.search(rf"\b(?:def|fn) {test}\b", file.read_text()):
            missing.append(one)
    assert missing == []


def test_commands_and_flags_exist(document):
    known = set(commands())
    wrong = []
    for one in code(document.read_text()):
        for words, rest in COMMAND.findall(one):
            chosen = tuple(words.split())
            while chosen and chosen not in known:
                chosen = chosen[:-1]
            # A command that has others below it must be followed by one of them.
            if words.split() and not chosen:
                wrong.append(one)
            missing = flags(rest) - flags(help_of(*chosen))
            wrong += [f"{one}: {flag}" for flag in missing]
    assert wrong == []


def test_flags_that_stand_alone_are_some_commands():
    everything = set().union(*(flags(help_of(*words)) for words in commands()))
    documents = [ROOT / "README.md", *sorted((ROOT / "envoy").rglob("*.md"))]
    alone = {one.split()[0] for path in documents for one in code(path.read_text()) if one.startswith("--")}
    # Envoy's.
    assert alone - everything <= {"--mode"}


def test_json_in_documents_is_json(document):
    blocks = re.findall(r"^```json\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    for block in blocks:
        json.loads(block)


def test_values_that_the_charts_page_names_exist():
    chart = ROOT / "envoy" / "chart"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    names = [one for one in code((chart / "README.md").read_text()) if re.fullmatch(r"[a-z]\w+(?:\.[a-z]\w+)+", one)]
    assert len(names) > 5
    for name in names:
        place = values
        for part in name.split("."):
            assert part in place, name
            place = place[part]


def test_manifests_name_images_that_make_image_makes():
    for path in pathlib.Path(ROOT / "envoy").rglob("*.yaml"):
        for kind, tag in re.findall(r"registry\.example\.com/azeotrope/(\w+)(?::([\w.]+))?", path.read_text()):
            assert kind in ("filter", "sidecar") and (not tag or f'version = "{tag}"' in (ROOT / "Cargo.toml").read_text()), path
