"""The published templates: each can be filled in, says where it is from, and may be here."""

import gzip
import json
from collections import Counter
from types import SimpleNamespace

import pytest

import published

TEMPLATES = list(published.templates())
FIELDS = ["repository", "version", "path", "license", "side", "kind", "template", "system", "messages", "params"]
PERMISSIVE = {"MIT", "Apache-2.0", "CC-BY-4.0"}


@pytest.fixture
def filling():
    texts = [f"Text number {n} of those that are filled in, which goes on for a while so that it is a sentence." for n in range(5)]
    return published.Payloads(*[texts] * 7)


def test_all_say_where_they_are_from_and_under_which_licence():
    for template in TEMPLATES:
        assert list(template) == FIELDS, template["template"]
        assert template["license"] in PERMISSIVE and template["repository"].count("/") == 1 and template["path"], template["template"]
        assert {message["role"] for message in template["messages"]} <= {"user", "assistant"}, template["template"]
    names = Counter((template["repository"], template["template"]) for template in TEMPLATES)
    assert set(names.values()) == {1}


def test_all_have_both_sides_and_no_kind_is_of_both():
    kinds = {side: {template["kind"] for template in TEMPLATES if template["side"] == side} for side in ("harvest", "benign")}
    assert len(TEMPLATES) == sum(template["side"] in kinds for template in TEMPLATES)
    assert all(kinds.values()) and not kinds["harvest"] & kinds["benign"]


def test_each_is_filled_in_whole_and_the_same_way_again(filling):
    for template in TEMPLATES:
        rows = list(published.render(template, filling))
        assert rows == list(published.render(template, filling))
        for row in rows:
            texts = [row["system"] or "", *(message["content"] for message in row["messages"])]
            assert any(text.strip() for text in texts) and not any(published.SLOT.search(text) for text in texts), template["template"]


def test_what_is_one_thing_is_the_same_wherever_it_stands(filling):
    template = {"repository": "a/b", "version": "1", "license": "MIT", "side": "benign", "kind": "rag", "template": "t", "system": "<<name>>",
                "messages": [{"role": "user", "content": "<<name>> <<number_b>> <<number_b>> <<number_b>>"}]}
    rows = list(published.render(template, filling))
    assert all(row["messages"][0]["content"].startswith(row["system"] + " ") for row in rows)
    assert any(len(set(row["messages"][0]["content"].split()[-3:])) > 1 for row in rows)


def test_no_payload_is_anybodys_as_it_stands():
    texts = [f"{who} goes first to the market of {n}.\nThen {who} buys {n} of them.\nNobody asks {who} why." for n, who in enumerate("ABCDEFGH")]
    filling, rng = published.Payloads(*[[text * 2 for text in texts]] * 7), published.random.Random(1)
    for _ in range(100):
        assert filling.fill("document", rng) not in filling.documents


def test_every_source_is_written_and_two_versions_of_one_repository_are_two(filling, tmp_path, monkeypatch):
    monkeypatch.setattr(published, "load_generate", lambda _: SimpleNamespace(Corpora=lambda _: None))
    monkeypatch.setattr(published, "payloads", lambda *_: filling)
    published.write(tmp_path, tmp_path / "out")
    with gzip.open(tmp_path / "out" / "published.jsonl.gz", "rt", encoding="utf-8") as file:
        written = {(row["kind"], row["source"]) for row in map(json.loads, file)}
    assert written == {(template["kind"], published.source(template)) for template in TEMPLATES}
    lines = (tmp_path / "out" / "sources.tsv").read_text(encoding="utf-8").splitlines()
    named = [tuple(line.split("\t")) for line in lines if not line.startswith("#")]
    assert written < set(named) and len(named) == len(set(named)), "what may be trained on, the shared sources among it"


def test_a_slot_that_nothing_is_known_for_is_refused(filling):
    template = {**TEMPLATES[0], "messages": [{"role": "user", "content": "<<weather>>"}]}
    with pytest.raises(SystemExit, match="weather"):
        list(published.render(template, filling))


def test_corpora_that_lack_something_are_refused():
    with pytest.raises(SystemExit, match="personas"):
        published.Payloads(*[["A text that is long enough to be a sentence of a document."] * 4] * 5, personas=[], functions=["{}"] * 4)
