"""The providers' own SDKs, pointed at an address: one way to call each, plain and streaming.

A `Client` hides nothing but names: it calls the SDK as its documentation shows and gives back the answer's text.
"""
import os
from dataclasses import dataclass
from typing import Callable

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import google.genai
import google.genai._interactions
import google.genai.errors
import google.genai.types
import openai

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
# The stand-in is on this machine: no proxy of the environment stands between.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

SYSTEM = "You are a helpful assistant."
PROMPT = "Name three rivers of Europe, and say in a sentence where each of them ends."
TIMEOUT = 20


@dataclass(frozen=True)
class Client:
    """One SDK call: `run(base URL, key, retries)` gives the answer's text."""

    name: str
    run: Callable[[str, str, int], str]
    # how the provider's keys begin
    key_prefix: str
    throttled: Callable[[BaseException], bool]
    blocked: Callable[[BaseException], bool]

    def __str__(self):
        return self.name


# ---------------------------------------------------------------- OpenAI


def _openai(base, key, retries):
    return openai.OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=retries, timeout=TIMEOUT)


_CHAT = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]


def openai_chat(base, key, retries=0):
    answer = _openai(base, key, retries).chat.completions.create(model="gpt-4", messages=_CHAT, max_tokens=256)
    assert answer.usage.total_tokens > 0 and answer.choices[0].finish_reason == "stop"
    return answer.choices[0].message.content


def openai_chat_stream(base, key, retries=0):
    stream = _openai(base, key, retries).chat.completions.create(
        model="gpt-4", messages=_CHAT, max_tokens=256, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert chunks[-1].usage.total_tokens > 0
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def openai_completions(base, key, retries=0):
    answer = _openai(base, key, retries).completions.create(model="gpt-4", prompt=PROMPT, max_tokens=256)
    return answer.choices[0].text


def openai_responses(base, key, retries=0):
    answer = _openai(base, key, retries).responses.create(model="gpt-4", instructions=SYSTEM, input=PROMPT)
    assert answer.status == "completed" and answer.usage.total_tokens > 0
    return answer.output_text


def openai_responses_stream(base, key, retries=0):
    with _openai(base, key, retries).responses.stream(model="gpt-4", instructions=SYSTEM, input=PROMPT) as stream:
        for _ in stream:
            pass
        return stream.get_final_response().output_text


# ---------------------------------------------------------------- Anthropic


def _anthropic(base, key, retries):
    return anthropic.Anthropic(base_url=base, api_key=key, max_retries=retries, timeout=TIMEOUT)


_MESSAGE = {"model": "claude-opus-4", "max_tokens": 256, "system": SYSTEM,
            "messages": [{"role": "user", "content": PROMPT}]}


def anthropic_messages(base, key, retries=0):
    answer = _anthropic(base, key, retries).messages.create(**_MESSAGE)
    assert answer.stop_reason == "end_turn" and answer.usage.output_tokens > 0
    return answer.content[0].text


def anthropic_messages_stream(base, key, retries=0):
    with _anthropic(base, key, retries).messages.stream(**_MESSAGE) as stream:
        text = "".join(stream.text_stream)
        assert stream.get_final_message().stop_reason == "end_turn"
        return text


# ---------------------------------------------------------------- Google


def _gemini(base, key, retries):
    retry = google.genai.types.HttpRetryOptions(attempts=retries + 1)
    options = google.genai.types.HttpOptions(base_url=base, timeout=TIMEOUT * 1000, retry_options=retry)
    return google.genai.Client(api_key=key, http_options=options)


_GEMINI = {"model": "gemini-pro-4", "contents": PROMPT,
           "config": google.genai.types.GenerateContentConfig(system_instruction=SYSTEM, max_output_tokens=256)}


def gemini_generate(base, key, retries=0):
    with _gemini(base, key, retries) as client:
        answer = client.models.generate_content(**_GEMINI)
    assert answer.usage_metadata.total_token_count > 0
    return answer.text


def gemini_generate_stream(base, key, retries=0):
    with _gemini(base, key, retries) as client:
        return "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**_GEMINI))


_INTERACTION = {"model": "gemini-pro-4", "input": PROMPT, "system_instruction": SYSTEM,
                "generation_config": {"max_output_tokens": 256}}


def gemini_interactions(base, key, retries=0):
    with _gemini(base, key, retries) as client:
        answer = client.interactions.create(**_INTERACTION)
    assert answer.status == "completed" and answer.usage.total_tokens > 0
    return answer.output_text


def gemini_interactions_stream(base, key, retries=0):
    with _gemini(base, key, retries) as client:
        events = list(client.interactions.create(**_INTERACTION, stream=True))
    assert events[-1].event_type == "interaction.completed" and events[-1].interaction.usage.total_tokens > 0
    return "".join(event.delta.text for event in events if event.event_type == "step.delta")


# ---------------------------------------------------------------- AWS Bedrock


def _bedrock(base, key, retries):
    return boto3.client(
        "bedrock-runtime", endpoint_url=base, region_name="us-east-1", aws_access_key_id=key,
        aws_secret_access_key="secret", config=botocore.config.Config(
            retries={"total_max_attempts": retries + 1, "mode": "standard"}, read_timeout=TIMEOUT))


_CONVERSE = {"modelId": "anthropic.claude-opus-4", "system": [{"text": SYSTEM}],
             "messages": [{"role": "user", "content": [{"text": PROMPT}]}], "inferenceConfig": {"maxTokens": 256}}


def bedrock_converse(base, key, retries=0):
    answer = _bedrock(base, key, retries).converse(**_CONVERSE)
    assert answer["stopReason"] == "end_turn" and answer["usage"]["totalTokens"] > 0
    return answer["output"]["message"]["content"][0]["text"]


def bedrock_converse_stream(base, key, retries=0):
    events = _bedrock(base, key, retries).converse_stream(**_CONVERSE)["stream"]
    return "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)


# ---------------------------------------------------------------- errors


def _is(kind):
    return lambda error: isinstance(error, kind)


def _google(code, status):
    return lambda error: (isinstance(error, google.genai.errors.ClientError)
                          and error.code == code and error.status == status)


def _aws(code):
    return lambda error: isinstance(error, botocore.exceptions.ClientError) and error.response["Error"]["Code"] == code


_OPENAI = {"key_prefix": "sk-proj-", "throttled": _is(openai.RateLimitError),
           "blocked": _is(openai.PermissionDeniedError)}
_ANTHROPIC = {"key_prefix": "sk-ant-api03-", "throttled": _is(anthropic.RateLimitError),
              "blocked": _is(anthropic.PermissionDeniedError)}
_GOOGLE = {"key_prefix": "AIza", "throttled": _google(429, "RESOURCE_EXHAUSTED"),
           "blocked": _google(403, "PERMISSION_DENIED")}
_INTERACTIONS = {"key_prefix": "AIza", "throttled": _is(google.genai._interactions.RateLimitError),
                 "blocked": _is(google.genai._interactions.PermissionDeniedError)}
_AWS = {"key_prefix": "AKIA", "throttled": _aws("ThrottlingException"), "blocked": _aws("AccessDeniedException")}

CLIENTS = [
    Client("openai-chat", openai_chat, **_OPENAI),
    Client("openai-chat-stream", openai_chat_stream, **_OPENAI),
    Client("openai-completions", openai_completions, **_OPENAI),
    Client("openai-responses", openai_responses, **_OPENAI),
    Client("openai-responses-stream", openai_responses_stream, **_OPENAI),
    Client("anthropic-messages", anthropic_messages, **_ANTHROPIC),
    Client("anthropic-messages-stream", anthropic_messages_stream, **_ANTHROPIC),
    Client("gemini-generate", gemini_generate, **_GOOGLE),
    Client("gemini-generate-stream", gemini_generate_stream, **_GOOGLE),
    Client("gemini-interactions", gemini_interactions, **_INTERACTIONS),
    Client("gemini-interactions-stream", gemini_interactions_stream, **_INTERACTIONS),
    Client("bedrock-converse", bedrock_converse, **_AWS),
    Client("bedrock-converse-stream", bedrock_converse_stream, **_AWS),
]
