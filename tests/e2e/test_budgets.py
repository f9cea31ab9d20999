"""Budgets of requests and tokens hold, in parallel and over workers, and say what is left."""

import collections
import concurrent.futures
import json

import client
import rules

KEY = [("authorization", "Bearer sk-e2e-budget-0123456789")]


def configured(**budgets):
    return json.dumps({"mode": "enforce", "rules": rules.document(budgets=budgets)})


def test_requests_in_parallel_never_exceed_the_budget(start):
    proxy = start(workers=2, plugin=configured(account={"requests": 25, "window_seconds": 3600}))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: client.post(proxy.port, body=client.chat(f"Question {n}"), headers=KEY),
                                range(100)))
    assert collections.Counter(answer.status for answer in answers) == {200: 25, 429: 75}
    assert proxy.metric("budget.over") == 75
    refused = next(answer for answer in answers if answer.status == 429)
    assert "budget" in json.loads(refused.body)["error"]["message"]
    assert refused.headers["x-ratelimit-limit-requests"] == "25"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0" and "retry-after" in refused.headers
    assert client.post(proxy.port, body=client.chat(), headers=[("authorization", "Bearer sk-other")]).status == 200


def test_tokens_are_reserved_by_the_estimate_and_settled_by_the_answer(start):
    proxy = start(plugin=configured(account={"tokens": 1000, "window_seconds": 3600}, assumed_tokens=400))
    replay = [*KEY, ("x-stand-in-replay", "messages/stream.sse")]
    left = []
    for _ in range(3):
        answer = client.post(proxy.port, "/v1/messages", client.chat("short"), replay)
        assert answer.status == 200
        left.append(int(answer.headers["anthropic-ratelimit-tokens-remaining"]))
    # 400 and the prompt are held while the answer is on its way; it costs 25 + 12 + 89.
    assert left[0] < 600
    assert left[0] - left[1] == left[1] - left[2] == 126


def test_an_observing_filter_only_tells(start):
    budgets = {"account": {"requests": 1, "window_seconds": 3600}}
    proxy = start(plugin=json.dumps({"rules": rules.document(budgets=budgets)}))
    assert [client.post(proxy.port, body=client.chat(), headers=KEY).status for _ in range(3)] == [200, 200, 200]
    assert "over_budget" in proxy.access_log(3)[-1]["azeotrope"]


def test_a_refusal_of_upstream_costs_no_tokens(start):
    proxy = start(plugin=configured(account={"tokens": 1000, "window_seconds": 3600}, assumed_tokens=900))
    for _ in range(3):
        failing = [*KEY, ("x-stand-in-status", "500")]
        assert client.post(proxy.port, body=client.chat(), headers=failing).status == 500
    assert client.post(proxy.port, body=client.chat(), headers=KEY).status == 200
