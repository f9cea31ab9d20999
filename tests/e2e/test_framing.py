"""Framing: a firm's own prompt, sent from many throw-away accounts, must not get the firm refused. Replayed, both tiers.

The traffic is the demo's sample: its people and firms, and its harvest's template, of which a part is given to a firm here.
What a verdict may know is what came before, so it matters who began.
"""

import collections

import pytest
import rules
from replayed import HOUR, refused, replay, sample, sent_by, throw_away

FIRMS = ("shop-support", "ticket-routing", "book-translation", "model-evaluation", "docs-indexing")


@pytest.fixture(scope="module", name="sample")
def the_sample():
    return sample()


def one_account(exchanges):
    return [sent_by(one, "sk-firm", "77.7.7.7", "firm/1", one["t"]) for one in exchanges]


def keys_of_a_network(exchanges):
    return [sent_by(one, f"sk-firm-{n % 4}", "77.7.7.7", "firm/1", one["t"]) for n, one in enumerate(exchanges)]


def an_account_that_travels(exchanges):
    return [sent_by(one, "sk-firm", f"{80 + n % 12}.7.7.7", "firm/1", one["t"]) for n, one in enumerate(exchanges)]


def an_organisation(exchanges):
    return [sent_by(one, f"sk-firm-{n % 12}", f"{80 + n % 12}.7.7.7", "firm/1", one["t"], **{"x-org": "firm"})
            for n, one in enumerate(exchanges)]


SENDERS = (one_account, keys_of_a_network, an_account_that_travels, an_organisation)


@pytest.mark.parametrize("begin", [-6 * HOUR, 12 * HOUR], ids=["strangers first", "firm first"])
@pytest.mark.parametrize("firms", [*((firm,) for firm in FIRMS), FIRMS], ids=[*FIRMS, "all at once"])
def test_an_ordinary_prompt_builds_no_case_whoever_sends_it(sample, tmp_path, firms, begin):
    """Two requests of throw-away accounts for each of the firm's, its very texts."""
    parts = {"firm": [one for one, organisation, *_ in sample if organisation in firms]}
    parts["others"] = [one for one, organisation, actor, _ in sample if organisation not in firms and actor == "benign"]
    parts["strangers"] = throw_away(2 * parts["firm"], sample[0][0]["t"] + begin, 20)
    actions = replay(tmp_path, parts)
    assert {part: refused(of) for part, of in actions.items()} == {"firm": 0, "others": 0, "strangers": 0}


def harvest(sample, firm, began, strangers):
    """People and firms; a firm whose prompt reads like a harvest's, every five minutes from hour `began` on; and strangers who
    send that prompt from hour `strangers` on, every minute."""
    start = sample[0][0]["t"]
    texts = [one for one, _, actor, kind in sample if actor == "hydra" and kind != "cover"]
    own = [{**one, "t": start + began * HOUR + 300 * n} for n, one in enumerate(texts[::3])]
    others = [one for n, one in enumerate(texts) if n % 3]
    return {"firm": firm(own), "others": [one for one, _, actor, _ in sample if actor == "benign"],
            "strangers": throw_away(others, start + strangers * HOUR)}


@pytest.mark.parametrize("proxies", [1, 2])
@pytest.mark.parametrize("firm", SENDERS, ids=lambda firm: firm.__name__)
def test_who_had_a_harvest_like_prompt_first_is_let_alone_and_the_strangers_are_stopped(sample, tmp_path, firm, proxies):
    parts = harvest(sample, firm, 2, 6)
    actions = replay(tmp_path, parts, proxies)
    assert (refused(actions["firm"]), refused(actions["others"])) == (0, 0)
    # A dozen of them is what it takes to see that they are many.
    assert refused(actions["strangers"][20:]) > 0.95 * len(actions["strangers"][20:]), collections.Counter(actions["strangers"])


@pytest.mark.parametrize("firm", SENDERS, ids=lambda firm: firm.__name__)
def test_who_comes_to_it_later_is_let_alone_where_the_operator_says_so(sample, tmp_path, firm):
    parts = harvest(sample, firm, 6, 2)
    accounts = {one["headers"]["authorization"].removeprefix("Bearer ") for one in parts["firm"]}
    actions = replay(tmp_path, parts, allow=[{"account": rules.digest(account)} for account in sorted(accounts)])
    assert (refused(actions["firm"]), refused(actions["others"])) == (0, 0)
    assert refused(actions["strangers"][20:]) > 0.95 * len(actions["strangers"][20:]), collections.Counter(actions["strangers"])
