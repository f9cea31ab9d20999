"""Every official SDK through the real Envoy: nothing changes for honest callers, and a refusal is the SDK's own error."""
import time
import uuid

import anthropic
import openai
import pytest
from clients import CLIENTS
from orders import ACTIONS, CONTACT, DEGRADED_TOKENS, ORDERED, RETRY_AFTER

ANSWER = "has read your request"
# boto3 and google-genai wait as long as they like, whatever Retry-After says
HEEDS_RETRY_AFTER = [client for client in CLIENTS if client.name in ("openai-chat", "openai-responses-stream",
                                                                     "anthropic-messages")]
every_client = pytest.mark.parametrize("client", CLIENTS, ids=str)


def fresh_key(client):
    return client.key_prefix + uuid.uuid4().hex[:16].upper()


def refused(client, proxy, action, retries=0):
    """The error that a refused call ends in."""
    with pytest.raises(Exception) as caught:
        client.run(proxy.url, ORDERED[client.name, action], retries)
    return caught.value


@every_client
def test_calls_work_unchanged_while_observing(observing, upstream, client):
    upstream.forget()
    assert ANSWER in client.run(observing.url, fresh_key(client), 0)
    (arrived,) = upstream.seen()
    assert arrived["complete"] and arrived["length"] > 0


@every_client
def test_the_body_that_arrives_is_the_body_that_was_sent(observing, upstream, client):
    """Compared with the same call made without a proxy between."""
    upstream.forget()
    client.run(f"http://127.0.0.1:{upstream.port}", "key", 0)
    client.run(observing.url, "key", 0)
    straight, through = upstream.seen()
    assert (straight["path"], straight["sha256"]) == (through["path"], through["sha256"])


@every_client
def test_calls_of_others_work_while_enforcing(enforcing, client):
    assert ANSWER in client.run(enforcing.url, fresh_key(client), 0)


@every_client
def test_a_throttle_is_the_sdks_rate_limit_error(enforcing, client):
    error = refused(client, enforcing, "throttle")
    assert client.throttled(error), repr(error)


@every_client
def test_a_block_is_the_sdks_permission_error(enforcing, client):
    error = refused(client, enforcing, "block")
    assert client.blocked(error), repr(error)


@every_client
@pytest.mark.parametrize("action", ACTIONS)
def test_the_error_says_what_happened_and_where_to_turn(enforcing, client, action):
    text = str(refused(client, enforcing, action))
    assert "protection of this API" in text and CONTACT in text, text


@every_client
@pytest.mark.parametrize("action", ACTIONS)
def test_a_refused_call_does_not_reach_the_provider(enforcing, upstream, client, action):
    """Where headers are streamed its head does, without the body."""
    upstream.forget()
    refused(client, enforcing, action)
    assert not any(arrived["complete"] for arrived in upstream.seen())


@pytest.mark.parametrize("client", HEEDS_RETRY_AFTER, ids=str)
def test_sdks_wait_as_long_as_retry_after_says(enforcing, client):
    before, calls = time.monotonic(), len(enforcing.access_log())
    error = refused(client, enforcing, "throttle", retries=1)
    assert client.throttled(error), repr(error)
    assert time.monotonic() - before >= RETRY_AFTER
    assert len(enforcing.access_log(calls + 2)) == calls + 2


@pytest.mark.parametrize("client", HEEDS_RETRY_AFTER, ids=str)
def test_sdks_do_not_try_again_what_is_blocked(enforcing, client):
    calls = len(enforcing.access_log())
    refused(client, enforcing, "block", retries=2)
    assert len(enforcing.access_log(calls + 1)) == calls + 1


@every_client
def test_a_degraded_caller_gets_answers_that_its_sdk_understands(enforcing, upstream, client):
    upstream.forget()
    assert ANSWER in client.run(enforcing.url, ORDERED[client.name, "degrade"], 0)
    (arrived,) = upstream.seen()
    headers = dict(map(tuple, arrived["headers"]))
    # Where the request's headers are streamed nothing can be changed in it any more, and nothing where its client has signed it.
    changes = "x-azeotrope" in headers and not headers.get("authorization", "").startswith("AWS4-")
    assert (f": {DEGRADED_TOKENS}" in arrived["text"] or f":{DEGRADED_TOKENS}" in arrived["text"]) == changes


def stream_of(client, proxy, replay, key):
    """The events of a recorded stream, as the SDK understands them."""
    headers = {"x-stand-in-replay": replay, "x-stand-in-piece": "50"}
    if client == "anthropic":
        sdk = anthropic.Anthropic(base_url=proxy.url, api_key=key, max_retries=0)
        with sdk.messages.stream(model="claude", max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 1024},
                                 messages=[{"role": "user", "content": "27 * 453?"}], extra_headers=headers) as stream:
            return stream.get_final_message()
    sdk = openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=key, max_retries=0)
    events = list(sdk.responses.create(model="gpt-5", input="27 * 453?", stream=True, extra_headers=headers))
    return next(event.response for event in events if event.type == "response.completed")


def test_degraded_thinking_is_empty_and_still_signed(enforcing):
    honest = stream_of("anthropic", enforcing, "messages/stream.sse", "sk-ant-somebody").content
    degraded = stream_of("anthropic", enforcing, "messages/stream.sse", ORDERED["anthropic-messages", "degrade"]).content
    assert [block.type for block in degraded] == [block.type for block in honest]
    assert honest[0].thinking and degraded[0].thinking == "" and degraded[0].signature == honest[0].signature
    assert degraded[1:] == honest[1:]


def test_degraded_reasoning_summaries_are_empty_and_what_is_encrypted_stays(enforcing):
    honest = stream_of("openai", enforcing, "responses/stream.sse", "sk-somebody").output
    degraded = stream_of("openai", enforcing, "responses/stream.sse", ORDERED["openai-responses", "degrade"]).output
    assert honest[0].summary[0].text and [part.text for part in degraded[0].summary] == [""]
    assert degraded[0].encrypted_content == honest[0].encrypted_content and degraded[1:] == honest[1:]
