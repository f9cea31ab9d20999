"""Every row of the table, in the real Envoy: the trick gains nothing, or is told, or is refused, or calls no model.

To add one: `case(name, how it is sent, what must hold, why that is enough)` in the `cases_*.py` that it belongs to; `table.py`
has what may hold. A row that needs more than one request is a test in `test_crowds.py`.
"""

import socket

import cases_body
import cases_paths
import cases_text
import cases_wire
import client
import prompts
import pytest
import rules as rules_of
from table import AUTH, CASES, JSON, KEY, Lost, Refused, Same, Told, Untouched

TABLES = [cases_wire, cases_body, cases_text, cases_paths]


@pytest.fixture(scope="session")
def account():
    """Under which digest the label knows the account of all cases."""
    return rules_of.digest(KEY)


@pytest.mark.parametrize("row", CASES, ids=[row.name for row in CASES])
def test_case(proxy, upstream, account, row):
    upstream.forget()
    logged = len(proxy.access_log())
    answer = row.send(proxy.port)
    entry = proxy.access_log(logged + 1)[-1]
    label = entry["azeotrope"]
    match row.holds:
        case Refused(status, by):
            assert answer.status == status and by in (entry["details"] or ""), (answer, entry)
            assert not [seen for seen in upstream.seen() if seen["complete"]]
        case Untouched():
            assert label is None, label
            assert [seen["complete"] for seen in upstream.seen()] == [True]
        case Same(place, truncated):
            judged(label, account)
            assert f'campaign="{place}"' in label, label
            assert ("truncated" in label, "unread" in label) == (truncated, False), label
        case Told(reason):
            judged(label, account)
            assert reason in label, label
        case Lost():
            judged(label, account)
            assert "campaign=" not in label, label
        case other:
            raise AssertionError(other)
    if not isinstance(row.holds, Refused):
        assert "x-stand-in" in answer.headers, answer


def judged(label, account):
    assert label and f'case="{account}"' in label, label


def test_what_is_not_of_the_template_is_not_taken_for_it(proxy, upstream, account):
    for text in (prompts.OTHER, prompts.TASK, prompts.words(200, 12), f"{prompts.words(80, 13)}\n{prompts.TASK}"):
        logged = len(proxy.access_log())
        client.post(proxy.port, client.CHAT, prompts.body(text), [*AUTH, *JSON])
        label = proxy.access_log(logged + 1)[-1]["azeotrope"]
        judged(label, account)
        assert "campaign=" not in label, label


def test_two_requests_in_one_write_are_judged_each(proxy, upstream):
    upstream.forget()
    logged = len(proxy.access_log())
    one = [*AUTH, ("content-length", len(prompts.body()))]
    heads = [client.head(headers=one), client.head(headers=one), client.head(headers=[*one, ("connection", "close")])]
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=client.TIMEOUT) as wire:
        wire.sendall(b"".join(head + prompts.body() for head in heads))
        while wire.recv(65536):
            pass
    labels = [entry["azeotrope"] for entry in proxy.access_log(logged + 3)[logged:]]
    assert len(labels) == 3 and all('campaign="head"' in label for label in labels), labels
    assert len(upstream.seen()) == 3


def test_every_row_has_a_reason_and_no_table_is_forgotten():
    assert len(CASES) > 100
    assert all(row.why for row in CASES) and all(TABLES)
