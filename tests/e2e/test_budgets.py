"""Budgets of requests and tokens hold, in parallel and over workers, and say what is left."""

import collections
import concurrent.futures
import gzip
import json

import client
import pytest
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


def test_an_answer_that_is_not_read_costs_what_was_reserved(start):
    proxy = start(plugin=configured(account={"tokens": 1000, "window_seconds": 3600}, assumed_tokens=400))
    headers = [*KEY, ("x-stand-in-replay", "messages/stream.sse"), ("x-stand-in-encoding", "br")]
    answers = [client.post(proxy.port, "/v1/messages", client.chat("short"), headers) for _ in range(5)]
    assert [answer.status for answer in answers][:2] == [200, 200] and answers[-1].status == 429


def test_a_compressed_request_is_reserved_for_by_what_it_says(start):
    proxy = start(plugin=configured(account={"tokens": 1_000_000, "window_seconds": 3600}, assumed_tokens=10))
    body, left = client.chat("word " * 40_000), []
    for key, data, more in [("a", body, []), ("b", gzip.compress(body), [("content-encoding", "gzip")])]:
        answer = client.post(proxy.port, body=data, headers=[("authorization", f"Bearer sk-{key}"), *more])
        left.append(answer.headers["x-ratelimit-remaining-tokens"])
    assert left[0] == left[1]


def test_what_upstream_does_not_believe_uses_up_nobodys_budget(start):
    proxy = start(plugin=configured(account={"requests": 5, "window_seconds": 3600}))

    def signed(signature):
        return ("authorization", "AWS4-HMAC-SHA256 Credential=AKIASOMEBODY/20260101/us-east-1/bedrock/aws4_request, "
                                 f"SignedHeaders=host, Signature={signature}")

    # AWS answers an incomplete signature with 400.
    for n, status in enumerate([403, 400, 404] * 4):
        forged = [signed(f"forged{n}"), ("x-stand-in-status", str(status))]
        assert client.post(proxy.port, "/model/m/converse", client.chat(), forged).status == status
    assert client.post(proxy.port, "/model/m/converse", client.chat(), [signed("good")]).status == 200


def test_a_header_that_a_provider_does_not_look_at_gives_no_new_budget(start):
    proxy = start(plugin=configured(account={"requests": 5, "window_seconds": 3600}))
    path = "/v1beta/models/gemini:generateContent"
    decoys = [[("x-goog-api-key", "AIza-one"), ("x-api-key", f"decoy-{n}")] for n in range(8)]
    answers = [client.post(proxy.port, path, client.chat(), headers).status for headers in decoys]
    assert answers == [200] * 5 + [429] * 3


def test_beside_a_key_of_anthropics_another_credential_gives_no_new_budget(start):
    proxy = start(plugin=configured(account={"requests": 5, "window_seconds": 3600}))
    decoys = [[("authorization", f"Bearer decoy-{n}"), ("x-api-key", "sk-ant-one")] for n in range(8)]
    answers = [client.post(proxy.port, "/v1/messages", client.chat(), headers).status for headers in decoys]
    assert answers == [200] * 5 + [429] * 3


@pytest.mark.parametrize("path", ["/v1/responses", "/v1beta/interactions"])
def test_what_is_made_in_the_background_costs_what_was_reserved(start, path):
    proxy = start(plugin=configured(account={"requests": 10, "tokens": 2000, "window_seconds": 3600}))
    spent = 0
    for background, least, most in [(True, 300, 400), (False, 10, 100), (True, 300, 400)]:
        body = json.dumps({"model": "m", "input": "short", "background": background, "max_output_tokens": 300}).encode()
        assert client.post(proxy.port, path, body, KEY).status == 200
        # What is left is told before the answer is known: the next request tells of this one.
        next_one = json.dumps({"model": "m", "input": "?", "max_output_tokens": 1}).encode()
        told = client.post(proxy.port, path, next_one, KEY)
        before, spent = spent, 2000 - int(told.headers["x-ratelimit-remaining-tokens"])
        assert least <= spent - before <= most, (background, before, spent)


def test_a_batch_costs_as_many_requests_as_it_holds(start):
    proxy = start(plugin=configured(account={"requests": 5, "window_seconds": 3600}))
    one = {"custom_id": "1", "params": json.loads(client.chat("short"))}
    batch = json.dumps({"requests": [one] * 4}).encode()
    ordered = [*KEY, ("x-stand-in-status", "202")]
    answers = [client.post(proxy.port, "/v1/messages/batches", batch, ordered) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 429]
    assert answers[0].headers["anthropic-ratelimit-requests-remaining"] == "1"
    assert client.post(proxy.port, "/v1/messages", client.chat("short"), KEY).status == 200
