"""What the stand-in answers, in each API's own shape: plain, streamed, and as an error.

Shapes follow the providers' published references closely enough for their official SDKs to parse them.
"""
import json
import re
from dataclasses import dataclass

import eventstream

CREATED = 1_790_000_000
SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"

_PATHS = [
    (re.compile(r"/chat/completions$"), "chat", None),
    (re.compile(r"(?<!chat)/completions$"), "completions", None),
    (re.compile(r"/responses$"), "responses", None),
    (re.compile(r"/messages$"), "messages", None),
    (re.compile(r"/interactions$"), "interactions", None),
    (re.compile(r"/models/(?P<model>[^/]+):generateContent$"), "gemini", False),
    (re.compile(r"/models/(?P<model>[^/]+):streamGenerateContent$"), "gemini", True),
    (re.compile(r"/models/(?P<model>[^/]+):rawPredict$"), "messages", False),
    (re.compile(r"/models/(?P<model>[^/]+):streamRawPredict$"), "messages", True),
    (re.compile(r"/model/(?P<model>[^/]+)/invoke$"), "messages", False),
    (re.compile(r"/model/(?P<model>[^/]+)/invoke-with-response-stream$"), "invoke-stream", True),
    (re.compile(r"/model/(?P<model>[^/]+)/converse$"), "converse", False),
    (re.compile(r"/model/(?P<model>[^/]+)/converse-stream$"), "converse", True),
]


@dataclass
class Call:
    """A request, as far as the answer depends on it."""

    dialect: str
    stream: bool
    model: str
    given: int  # prompt tokens, roughly
    sse: bool = True  # Gemini streams a JSON array unless asked for alt=sse
    include_usage: bool = False
    background: bool = False  # Responses and Interactions: made later, and fetched by another request


def recognise(path, query, body, length):
    """The call that a path and a body make; None for what is no LLM call."""
    for pattern, dialect, stream in _PATHS:
        found = pattern.search(path)
        if found:
            break
    else:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document, dict):
        document = {}
    options = document.get("stream_options")
    return Call(
        dialect=dialect,
        stream=bool(document.get("stream")) if stream is None else stream,
        model=str(found.groupdict().get("model") or document.get("model") or "stand-in"),
        given=max(1, length // 4),
        sse="alt=sse" in query,
        include_usage=isinstance(options, dict) and bool(options.get("include_usage")),
        background=document.get("background") is True,
    )


def words(number):
    """The answer's text, in the pieces in which it is streamed."""
    return ["The stand-in ", "has read ", "your request", f" number {number}."]


# ---------------------------------------------------------------- plain


def plain(call, number):
    """The whole answer: (content type, bytes)."""
    text, out = "".join(words(number)), 8
    made = _PLAIN[call.dialect]
    begun = call.background and made in (_responses, _interactions)
    answer = made(call, number, text, out, "in_progress") if begun else made(call, number, text, out)
    return JSON, json.dumps(answer).encode()


def _chat(call, number, text, out):
    return {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": CREATED, "model": call.model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": None},
                         "logprobs": None, "finish_reason": "stop"}],
            "usage": _openai_usage(call, out), "system_fingerprint": "fp_stand_in"}


def _completions(call, number, text, out):
    return {"id": f"cmpl-{number}", "object": "text_completion", "created": CREATED, "model": call.model,
            "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}],
            "usage": _openai_usage(call, out)}


def _openai_usage(call, out):
    return {"prompt_tokens": call.given, "completion_tokens": out, "total_tokens": call.given + out}


def _responses(call, number, text, out, status="completed"):
    done = status == "completed"
    return {"id": f"resp_{number}", "object": "response", "created_at": CREATED, "status": status, "model": call.model,
            "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
            "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "output": [_responses_item(number, text, "completed")] if done else [],
            "usage": {"input_tokens": call.given, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                      "output_tokens": out, "output_tokens_details": {"reasoning_tokens": 0},
                      "total_tokens": call.given + out} if done else None}


def _responses_item(number, text, status):
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}] if text else []
    return {"id": f"msg_{number}", "type": "message", "status": status, "role": "assistant", "content": content}


def _messages(call, number, text, out):
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": call.model,
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": call.given, "output_tokens": out}}


def _gemini(call, number, text, out, finish="STOP"):
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    answer = {"candidates": [candidate], "modelVersion": call.model, "responseId": f"r{number}"}
    if finish:
        candidate["finishReason"] = finish
        answer["usageMetadata"] = {"promptTokenCount": call.given, "candidatesTokenCount": out,
                                   "totalTokenCount": call.given + out}
    return answer


def _interactions(call, number, text, out, status="completed"):
    done = status == "completed"
    answer = {"id": f"v1_{number}", "object": "interaction", "status": status, "model": call.model, "role": "model",
              "created": "2026-09-21T00:00:00Z", "updated": "2026-09-21T00:00:00Z"}
    if done:
        answer["steps"] = [{"type": "model_output", "content": [{"type": "text", "text": text}]}]
        answer["usage"] = {"total_input_tokens": call.given, "total_output_tokens": out, "total_thought_tokens": 0,
                           "total_cached_tokens": 0, "total_tokens": call.given + out}
    return answer


def _converse(call, number, text, out):
    return {"output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": "end_turn",
            "usage": _converse_usage(call, out), "metrics": {"latencyMs": 1}}


def _converse_usage(call, out):
    return {"inputTokens": call.given, "outputTokens": out, "totalTokens": call.given + out}


_PLAIN = {"chat": _chat, "completions": _completions, "responses": _responses, "messages": _messages,
          "gemini": _gemini, "interactions": _interactions, "converse": _converse}

# ---------------------------------------------------------------- streamed


def streamed(call, number):
    """The answer as a stream: (content type, list of chunks)."""
    pieces = words(number)
    if call.dialect == "invoke-stream":
        return eventstream.CONTENT_TYPE, [eventstream.chunk(e) for _, e in _messages_events(call, number, pieces)]
    if call.dialect == "converse":
        events = _converse_events(call, number, pieces)
        return eventstream.CONTENT_TYPE, [eventstream.message(name, event) for name, event in events]
    if call.dialect == "gemini" and not call.sse:
        array = [event for _, event in _gemini_events(call, number, pieces)]
        return JSON, [json.dumps(array).encode()]
    chunks = [_sse(name, event) for name, event in _EVENTS[call.dialect](call, number, pieces)]
    if call.dialect in ("chat", "completions"):
        chunks.append(b"data: [DONE]\n\n")
    if call.dialect == "interactions":
        chunks.append(b"event: done\ndata: [DONE]\n\n")
    return SSE, chunks


def _sse(name, event):
    lead = f"event: {name}\n" if name else ""
    return f"{lead}data: {json.dumps(event)}\n\n".encode()


def _chat_events(call, number, pieces):
    base = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": CREATED, "model": call.model}

    def event(delta, finish=None):
        return None, {**base, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    events = [event({"role": "assistant", "content": ""})]
    events += [event({"content": piece}) for piece in pieces]
    events.append(event({}, "stop"))
    if call.include_usage:
        events.append((None, {**base, "choices": [], "usage": _openai_usage(call, len(pieces))}))
    return events


def _completions_events(call, number, pieces):
    base = {"id": f"cmpl-{number}", "object": "text_completion", "created": CREATED, "model": call.model}
    last = len(pieces) - 1
    return [(None, {**base, "choices": [{"index": 0, "text": piece, "logprobs": None,
                                         "finish_reason": "stop" if n == last else None}]})
            for n, piece in enumerate(pieces)]


def _responses_events(call, number, pieces):
    text, out = "".join(pieces), len(pieces)
    at = {"item_id": f"msg_{number}", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": []}
    events = [
        ("response.created", {"response": _responses(call, number, text, out, "in_progress")}),
        ("response.in_progress", {"response": _responses(call, number, text, out, "in_progress")}),
        ("response.output_item.added", {"output_index": 0, "item": _responses_item(number, "", "in_progress")}),
        ("response.content_part.added", {**at, "part": {**part, "text": ""}}),
        *[("response.output_text.delta", {**at, "delta": piece, "logprobs": []}) for piece in pieces],
        ("response.output_text.done", {**at, "text": text, "logprobs": []}),
        ("response.content_part.done", {**at, "part": {**part, "text": text}}),
        ("response.output_item.done", {"output_index": 0, "item": _responses_item(number, text, "completed")}),
        ("response.completed", {"response": _responses(call, number, text, out)}),
    ]
    return [(name, {"type": name, "sequence_number": n, **event}) for n, (name, event) in enumerate(events)]


def _messages_events(call, number, pieces):
    start = {**_messages(call, number, "", 1), "content": [], "stop_reason": None}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *[{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}} for p in pieces],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": len(pieces)}},
        {"type": "message_stop"},
    ]
    return [(event["type"], event) for event in events]


def _gemini_events(call, number, pieces):
    last = len(pieces) - 1
    return [(None, _gemini(call, number, piece, len(pieces), "STOP" if n == last else None))
            for n, piece in enumerate(pieces)]


def _interactions_events(call, number, pieces):
    whole = _interactions(call, number, "".join(pieces), len(pieces))
    del whole["steps"]
    events = [
        ("interaction.created", {"interaction": _interactions(call, number, "", 0, "in_progress")}),
        ("step.start", {"index": 0, "step": {"type": "model_output"}}),
        *[("step.delta", {"index": 0, "delta": {"type": "text", "text": piece}}) for piece in pieces],
        ("step.stop", {"index": 0}),
        ("interaction.completed", {"interaction": whole}),
    ]
    return [(name, {**event, "event_type": name}) for name, event in events]


def _converse_events(call, number, pieces):
    return [
        ("messageStart", {"role": "assistant"}),
        *[("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}) for piece in pieces],
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": _converse_usage(call, len(pieces)), "metrics": {"latencyMs": 1}}),
    ]


_EVENTS = {"chat": _chat_events, "completions": _completions_events, "responses": _responses_events,
           "messages": _messages_events, "gemini": _gemini_events, "interactions": _interactions_events}

# ---------------------------------------------------------------- errors

_ANTHROPIC = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
              413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error"}
_GOOGLE = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
           429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
_AWS = {400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
        408: "ModelTimeoutException", 429: "ThrottlingException", 500: "InternalServerException",
        503: "ServiceUnavailableException"}
_OPENAI = {429: ("requests", "rate_limit_exceeded"), 403: ("insufficient_permissions", "forbidden")}


def error(dialect, status):
    """An error of the upstream's own: (headers, bytes). `dialect` may be None."""
    text = f"stand-in upstream error {status}"
    if dialect == "messages":
        kind = _ANTHROPIC.get(status, "api_error")
        return {}, json.dumps({"type": "error", "error": {"type": kind, "message": text}}).encode()
    if dialect == "gemini":
        state = _GOOGLE.get(status, "UNKNOWN")
        return {}, json.dumps({"error": {"code": status, "message": text, "status": state}}).encode()
    if dialect == "interactions":
        return {}, json.dumps({"error": {"code": _GOOGLE.get(status, "UNKNOWN").lower(), "message": text}}).encode()
    if dialect in ("converse", "invoke-stream"):
        return {"x-amzn-errortype": _AWS.get(status, "ModelErrorException")}, json.dumps({"message": text}).encode()
    kind, code = _OPENAI.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    return {}, json.dumps({"error": {"message": text, "type": kind, "param": None, "code": code}}).encode()
