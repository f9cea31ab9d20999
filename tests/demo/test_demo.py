"""The demo's own judgement: it must say "right" only when it is."""
import io
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from picture import Label, Outcome, Picture, parse_label  # noqa: E402
from play import Broken, Reasons, outcome, read_sample  # noqa: E402
from view import View  # noqa: E402

ALLOWED, THROTTLED = Outcome("allow"), Outcome("throttle", ("skeleton-spread", "account-shape"), "412")


def person(n):
    return Label(f"p{n}", f"person-h-{n}", "benign", "human_chat")


def robot(n):
    return Label(f"h{n}", f"hydra-{n}", "hydra", "cot_elicitation")


def picture_of(*exchanges):
    picture = Picture()
    for label, result in exchanges:
        picture.add(label, result)
    return picture


def test_a_caught_harvest_and_untouched_people_are_the_right_picture():
    picture = picture_of(*[(person(n), ALLOWED) for n in range(9)], (robot(0), ALLOWED),
                         *[(robot(n), THROTTLED) for n in range(4)])
    assert picture.problems() == []
    assert "first acted on at its exchange 2, when 1 of its accounts had shown" in picture.story()[0]
    assert any("skeleton-spread" in line and "4 exchanges" in line for line in picture.story())


def test_a_harvest_that_gets_away_is_a_problem():
    picture = picture_of(*[(robot(n), ALLOWED) for n in range(9)], (robot(9), THROTTLED))
    assert any("1 of 10 exchanges" in problem for problem in picture.problems())


def test_few_accounts_caught_often_are_not_enough():
    picture = picture_of(*[(robot(0), THROTTLED)] * 20, *[(robot(n), ALLOWED) for n in range(1, 9)])
    assert any("1 of 9 accounts" in problem for problem in picture.problems())


@pytest.mark.parametrize("action", ["throttle", "degrade", "block"])
def test_acting_on_one_honest_exchange_is_a_problem(action):
    picture = picture_of((robot(0), THROTTLED), (person(0), Outcome(action)))
    assert any("1 honest exchanges" in problem for problem in picture.problems())


def test_observing_an_honest_sender_is_no_problem():
    assert picture_of((robot(0), THROTTLED), (person(0), Outcome("observe"))).problems() == []


def test_a_sample_without_a_harvest_shows_nothing():
    assert picture_of((person(0), ALLOWED)).problems()


def test_labels_are_read_in_their_structured_form():
    label = parse_label('action=observe, score=312, reasons=(skeleton-spread "account-shape"), campaign="c1", t=17')
    assert label == Outcome("observe", ("skeleton-spread", "account-shape"), "312", "c1")
    assert parse_label("") == ALLOWED
    assert parse_label("action=Throttle, score=1").action == "throttle"


@pytest.mark.parametrize("status, action", [(429, "throttle"), (403, "block")])
def test_a_reply_that_did_not_come_from_upstream_is_the_filters(status, action):
    assert outcome(status, {}, b"").action == action


def test_an_error_of_the_upstream_counts_as_let_through():
    assert outcome(429, {"x-stand-in": "7"}, b"").action == "allow"


def test_a_proxy_that_fails_is_not_taken_for_a_verdict():
    with pytest.raises(Broken):
        outcome(503, {}, b"no healthy upstream")


def log_of(*labels):
    return lambda count: [{"azeotrope": label} for label in labels]


def test_the_access_log_says_why_an_exchange_was_refused():
    reasons = Reasons(log_of("action=allow", "action=throttle, score=7.2, reasons=(skeleton_spread)"))
    assert reasons.explain(0, person(0), ALLOWED) == ALLOWED
    assert reasons.explain(1, robot(0), Outcome("throttle")).reasons == ("skeleton_spread",)
    told = reasons.all([(person(0), ALLOWED), (robot(0), Outcome("throttle"))])
    assert [outcome.action for _, outcome in told] == ["allow", "throttle"]


@pytest.mark.parametrize("labels", [["action=block"], ["action=allow"], [None], []])
def test_a_log_that_disagrees_with_the_sender_is_no_picture(labels):
    with pytest.raises(Broken):
        Reasons(log_of(*labels)).all([(robot(0), Outcome("throttle"))])


def test_the_sample_holds_a_harvest_that_starts_part_way_and_honest_heavy_users():
    sample = read_sample(HERE / "sample.jsonl.xz", HERE / "sample-labels.tsv")
    groups = {label.group for _, label in sample}
    first = next(n for n, (_, label) in enumerate(sample) if label.harvest)
    assert len(sample) > 1500 and first > len(sample) / 5
    assert sum("organisation" in group for group in groups) >= 4 and "users of a coding app" in groups
    assert [exchange["t"] for exchange, _ in sample] == sorted(exchange["t"] for exchange, _ in sample)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_view_tells_each_account_once(terminal):
    class Out(io.StringIO):
        def isatty(self):
            return terminal

    out, picture = Out(), Picture()
    view = View(picture, 3, out)
    for _ in range(3):
        view.exchange("08:00", robot(1), THROTTLED, picture.add(robot(1), THROTTLED))
    view.close()
    assert out.getvalue().count("account h1") == 1
    assert ("\x1b[" in out.getvalue()) == terminal
