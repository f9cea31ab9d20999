"""Degradation is open, keeps every byte that it does not change, and is for those alone whom the rules name."""

import gzip
import json

import client
import envoy
import pytest
import rules
import server

KEY = "sk-e2e-degraded-0123456789abcdef"
DEGRADED = [("authorization", f"Bearer {KEY}")]
OTHER = [("authorization", "Bearer sk-somebody-else")]
BODY = (b'{ "zeta": [1, 2.50, "\\u00fc"],"model":"gpt-5", "n" : 4,"logprobs":true, "top_logprobs":5,'
        b'"max_tokens": 99999, "messages":[{"role":"user","content":"Hello"}] ,"unknown":{"a":null}}')


@pytest.fixture(scope="module", params=["held", "streamed"])
def degrading(request, upstream):
    plugin = {"mode": "enforce", "headers": request.param,
              "rules": rules.document([(KEY, "degrade")], degrade={"max_tokens": 64})}
    with envoy.start(upstream_port=upstream.port, plugin=json.dumps(plugin),
                     stop_iteration=request.param == "held") as proxy:
        proxy.held = request.param == "held"
        yield proxy


def sent(upstream):
    """The one request that reached upstream."""
    (request,) = upstream.seen()
    assert request["complete"]
    return request


def test_a_request_asks_for_less_and_keeps_the_rest_to_the_byte(degrading, upstream):
    upstream.forget()
    answer = client.post(degrading.port, body=BODY, headers=DEGRADED)
    assert answer.status == 200
    request = sent(upstream)
    if not degrading.held:
        # Its headers had gone, and with them its length: nothing is changed, and that is counted.
        assert request["text"].encode() == BODY and degrading.metric("degraded.missed") > 0
        return
    asked = json.loads(request["text"])
    assert asked["max_tokens"] == 64 and asked["n"] == 1
    assert not asked.get("logprobs") and "top_logprobs" not in asked
    assert request["text"].startswith('{ "zeta": [1, 2.50, "\\u00fc"],"model":"gpt-5"')
    assert request["text"].endswith('"messages":[{"role":"user","content":"Hello"}] ,"unknown":{"a":null}}')
    assert ["content-length", str(len(request["text"].encode()))] in request["headers"]
    assert set(answer.headers["x-azeotrope-degraded"].split(", ")) >= {"logprobs", "n", "max-tokens"}
    label = next(value for name, value in request["headers"] if name == "x-azeotrope")
    assert "action=degrade" in label and "operator_deny" in label


WAYS = {
    "chunked": lambda port, headers: client.http1(port, "POST", client.CHAT, iter([BODY[:9], BODY[9:]]), headers),
    "http2": lambda port, headers: client.http2(port, BODY, headers=headers),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_sent_upstream_gets_one_whole_request(degrading, upstream, way):
    """The stand-in reads exactly what is announced: what were left over would be a request of its own."""
    for _ in range(3):
        upstream.forget()
        assert WAYS[way](degrading.port, DEGRADED).status == 200
        assert json.loads(sent(upstream)["text"])["max_tokens"] == (64 if degrading.held else 99999)


@pytest.mark.parametrize("replay", ["messages/stream.sse", "responses/stream.sse", "gemini/stream.sse", "interactions/stream.sse",
                                    "chat_completions/stream.sse", "converse/stream.jsonl"])
@pytest.mark.parametrize("piece", [1, 50, 65536])
def test_an_answer_loses_the_text_of_reasoning_and_nothing_else(degrading, replay, piece):
    path, recorded = client.PATHS[replay.partition("/")[0]], server.replayed(replay)[1]
    headers = [("x-stand-in-replay", replay), ("x-stand-in-piece", str(piece))]
    degraded = client.post(degrading.port, path, client.chat(), [*DEGRADED, *headers])
    assert "reasoning-text" in degraded.headers["x-azeotrope-degraded"]
    for text in [b"Let me see", b"**Thinking**", b"**Looking"]:
        assert text not in degraded.body
    for kept in [b"Hi", b"signature", b"EncryptedContentOfTheItem"]:
        assert (kept in recorded) == (kept in degraded.body)
    assert len(recorded) - 200 < len(degraded.body) < len(recorded)
    untouched = client.post(degrading.port, path, client.chat(), [*OTHER, *headers])
    assert untouched.body == recorded and "x-azeotrope-degraded" not in untouched.headers


def test_others_are_never_touched(degrading, upstream):
    upstream.forget()
    answer = client.post(degrading.port, body=BODY, headers=OTHER)
    assert sent(upstream)["text"].encode() == BODY and "x-azeotrope-degraded" not in answer.headers


def test_a_body_that_is_no_json_passes_as_it_is(degrading, upstream):
    upstream.forget()
    assert client.post(degrading.port, body=b'{"max_tokens": 99999, "mess', headers=DEGRADED).status == 200
    assert sent(upstream)["text"] == '{"max_tokens": 99999, "mess'


@pytest.mark.parametrize("body, headers", [
    (gzip.compress(client.chat()), [("content-encoding", "gzip")]),
    (b'{"model":"m","max_tokens":99999,"messages":[{"role":"user","content":"Hello"}]' + b" " * (300 << 10) + b"}", []),
], ids=["compressed", "padded"])
def test_a_request_that_cannot_be_changed_still_gets_an_answer_that_can(degrading, upstream, body, headers):
    if not degrading.held:
        pytest.skip("its headers had gone")
    upstream.forget()
    replay = [("x-stand-in-replay", "messages/stream.sse"), ("accept-encoding", "gzip")]
    answer = client.post(degrading.port, "/v1/messages", body, [*DEGRADED, *headers, *replay])
    assert answer.status == 200 and b"Let me see" not in answer.body
    assert ["accept-encoding", "identity"] in sent(upstream)["headers"]


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
def test_an_answer_loses_its_reasoning_or_is_counted(degrading, encoding):
    missed = degrading.metric("degraded.missed")
    replay = [("x-stand-in-replay", "messages/stream.sse"), ("x-stand-in-encoding", encoding)]
    answer = client.post(degrading.port, "/v1/messages", client.chat(), [*DEGRADED, *replay])
    assert answer.status == 200
    if encoding == "identity":
        assert b"Let me see" not in answer.body
    else:
        assert degrading.metric("degraded.missed") > missed


def test_a_member_that_only_gemini_has_is_no_limit(degrading, upstream):
    if not degrading.held:
        pytest.skip("its headers had gone")
    upstream.forget()
    body = b'{"model":"m","batch":1,"messages":[{"role":"user","content":"Hello"}],"max_tokens":" 100000"}'
    assert client.post(degrading.port, body=body, headers=DEGRADED).status == 200
    asked = json.loads(sent(upstream)["text"])
    assert (asked["max_completion_tokens"] if "max_completion_tokens" in asked else asked["max_tokens"]) == 64


def test_a_request_that_its_client_has_signed_stays_as_it_is(start, upstream):
    signed = [("authorization", "AWS4-HMAC-SHA256 Credential=AKIASOMEBODY/20260101/us-east-1/bedrock/aws4_request, "
                                "SignedHeaders=host, Signature=00")]
    deny = [{"account": rules.digest("AKIASOMEBODY", "--access-key"), "action": "degrade"}]
    proxy = start(plugin=json.dumps({"mode": "enforce", "rules": rules.document(deny=deny, degrade={"max_tokens": 64})}))
    upstream.forget()
    body = b'{"messages":[{"role":"user","content":[{"text":"Hello"}]}],"inferenceConfig":{"maxTokens":9999}}'
    assert client.post(proxy.port, "/model/m/converse", body, signed).status == 200
    assert sent(upstream)["text"].encode() == body and proxy.metric("degraded.missed") == 1
