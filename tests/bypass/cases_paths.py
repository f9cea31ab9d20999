"""Tricks with the path, and endpoints that take many requests at once."""

import json

import client
import prompts
from prompts import chat, prompt
from table import AUTH, Refused, Same, Told, Untouched, case, post, raw

CHAT = client.CHAT
BODY = prompts.body()
LENGTH = ("content-length", len(BODY))

SAME_PATHS = {
    "slashes": "//v1///chat//completions",
    "thousands of slashes": "/" * 4_000 + "v1/chat/completions",
    "a slash behind": CHAT + "/",
    "dots": "/v1/./x/../chat/completions/.",
    "escaped slashes": "/v1%2Fchat%2fcompletions",
    "escaped letters": "/v1/%63hat/%63ompletion%73",
    "case": "/V1/Chat/COMPLETIONS",
    "backslashes": "/v1\\chat\\completions",
    "a gateway's prefix": "/any/gateway/openai/v1/chat/completions",
    "matrix parameters": "/v1;a=1/chat/completions;jsessionid=2",
    "a query": CHAT + "?path=/v1/models&x=%2F%3F",
    "a query of 8 KiB": CHAT + "?pad=" + "a" * 8_192,
}
for name, path in SAME_PATHS.items():
    case(f"path: {name}", post(path=path), Same(), "whatever a server may put into the same form is the same path")
case("path: escaped twice", post(path="/v1/chat%252Fcompletions"), Untouched(),
     "undone once, as servers do; what is left names nothing upstream")
case("path: a dot behind", post(path=CHAT + "."), Untouched(), "a name of its own: upstream has nothing there (404)")
case("path: in the query", post(path="/v1/models?x=" + CHAT), Untouched(), "a query names no path")
case("path: a fragment", raw([client.head(CHAT + "#x", [*AUTH, LENGTH]), BODY]), Refused(400),
     "a fragment is no part of a target (RFC 9112, 3.2); Envoy refuses")
for name, value in {"Google's method": ":generateContent", "Google's path": "/v1beta/interactions", "Azure's path": "/openai/deployments/x"}.items():
    decoys = [("x-goog-api-key", "decoy"), ("api-key", "decoy")]
    case(f"path: {name} in the query", post(path=f"{CHAT}?x={value}/", headers=decoys), Same(),
         "keys that another provider would look at make no new account")

# Many requests in one.
ANTHROPIC = {"model": "claude-x", "max_tokens": 4096, "messages": [{"role": "user", "content": prompt()}]}
BATCH = {"requests": [{"custom_id": str(n), "params": ANTHROPIC} for n in range(3)]}
case("batch: Anthropic", post(json.dumps(BATCH).encode(), path="/v1/messages/batches"), Same(truncated=True),
     "one of its requests stands for all, and the label says that not all were read")
HARMLESS = {"custom_id": "0", "params": {**ANTHROPIC, "messages": [{"role": "user", "content": "hello"}]}}
case("batch: Anthropic, a harmless one first", post(json.dumps({"requests": [HARMLESS, *BATCH["requests"] * 10]}).encode(),
                                                    path="/v1/messages/batches"), Same(truncated=True),
     "which one stands for all is drawn by the digest key: who sends them does not know")
GOOGLE = {"request": {"contents": [{"role": "user", "parts": [{"text": prompt()}]}]}}
case("batch: Gemini", post(json.dumps({"batch": {"input_config": {"requests": {"requests": [GOOGLE] * 2}}}}).encode(),
                           path="/v1beta/models/gemini-x:batchGenerateContent"), Same(truncated=True), "as above")
case("batch: OpenAI, the order", post(json.dumps({"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"}).encode(),
                                      path="/v1/batches"), Told(),
     "what is asked is in a file that was uploaded before: the order is counted for its account and told as unread")
LINES = "\n".join(json.dumps({"custom_id": str(n), "method": "POST", "url": CHAT, "body": chat()}) for n in range(3))
case("batch: OpenAI, the file", post(b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n"
                                     + LINES.encode() + b"\r\n--x--\r\n", path="/v1/files",
                                     kind=[("content-type", "multipart/form-data; boundary=x")]), Untouched(),
     "files are uploaded for many purposes and may have gigabytes; the order that makes calls of one is counted (above)")

# The same prompt through the provider's other API.
for name, said in {"a string": prompt(), "contents": [{"type": "text", "text": prompt()}],
                   "a step": [{"type": "user_input", "content": [{"type": "text", "text": prompt()}]}],
                   "a turn": [{"role": "user", "content": prompt()}]}.items():
    case(f"interactions: {name}", post(json.dumps({"model": "gemini-x", "input": said}).encode(), path="/v1beta/interactions"), Same(),
         "Gemini's Interactions are read as generateContent is")

# Other places and other vendors' requests, through the same paths.
case("OpenRouter's prompt", post(json.dumps({"model": "m", "prompt": prompt()}).encode()), Same(),
     "read in the place of messages, as OpenRouter does")
case("a prompt beside messages", post(json.dumps({**chat(), "prompt": prompts.OTHER}).encode()), Same(), "messages come first")
for name, model, content in [
    ("Converse: a search result", "anthropic.claude-x/converse", {"searchResult": {"source": "s", "title": "", "content": [{"text": prompt()}]}}),
    ("Converse: a document's context", "anthropic.claude-x/converse", {"document": {"name": "d", "format": "txt", "context": prompt(),
                                                                                  "source": {"bytes": "eA=="}}}),
    ("Nova by InvokeModel", "amazon.nova-premier-v1:0/invoke", {"text": prompt()}),
    ("gpt-oss by InvokeModel", "openai.gpt-oss-120b-1:0/invoke", {"type": "text", "text": prompt()}),
]:
    said = {"messages": [{"role": "user", "content": [content]}]}
    case(f"Bedrock, {name}", post(json.dumps(said).encode(), path=f"/model/{model}"), Same(), "what carries text is read")
case("Bedrock, a vendor that is not read", post(json.dumps({"inputText": prompt()}).encode(), path="/model/amazon.titan-text-x/invoke"),
     Told(), "counted for its account and told; all of these vendors' models are behind Converse as well")
case("Vertex counts tokens", post(json.dumps(ANTHROPIC).encode(),
                                  path="/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict"),
     Untouched(), "it calls no model")

TEXT = [{"type": "text", "text": prompt()}]

# Where prompts are kept for later, or asked in other ways than one by one.
SAID = [{"role": "user", "content": prompt()}]
KEPT = "what is kept for calls to come is read as a call is"
for name, path, sent, why in [
    ("OpenAI's conversations", "/v1/conversations", {"items": SAID}, KEPT),
    ("items of OpenAI's conversations", "/v1/conversations/conv_1/items", {"items": SAID}, KEPT),
    ("Mistral's conversations", "/v1/conversations", {"model": "m", "inputs": prompt()}, "answered at once"),
    ("Mistral's agents", "/v1/agents/completions", {"agent_id": "a", "messages": SAID}, "Chat Completions by another path"),
    ("events of a session", "/v1/sessions/sesn_1/events", {"events": [{"type": "user.message", "content": TEXT}]},
     "an agent is asked in events"),
    ("events that a session begins with", "/v1/sessions",
     {"agent": "agent_1", "environment_id": "e", "initial_events": [{"type": "user.message", "content": TEXT}]}, "as above"),
    ("a cache of Gemini's", "/v1beta/cachedContents", {"model": "models/g", "contents": [GOOGLE["request"]["contents"][0]]}, KEPT),
    ("an evaluation", "/v1/evals/eval_1/runs", {"data_source": {"type": "completions", "model": "m", "input_messages": {
        "type": "template", "template": SAID}}}, "its template is asked as often as its source has entries"),
    ("a batch that says what it speaks", "/api/beta/batches",
     {"endpoint": "/v1/responses", "model": "m", "requests": [{"custom_id": "1", "body": {"input": prompt()}}]},
     "its requests are read as what they are"),
    ("xAI's batch", "/v1/batches/b1/requests", {"batch_requests": [{"batch_request_id": "1", "batch_request": {
        "chat_get_completion": chat()}}]}, "as above"),
    ("Mistral's batch", "/v1/batch/jobs", {"endpoint": CHAT, "model": "m", "requests": [{"custom_id": "1", "body": chat()}]}, "as above"),
]:
    case(name, post(json.dumps(sent).encode(), path=path), Same(), why)
case("the template as an agent's instructions", post(json.dumps({"model": "claude-x", "name": "n", "system": prompts.SYSTEM}).encode(),
                                                     path="/v1/agents"), Same("system"), KEPT)
for name, path in {"Azure's": "/openai/batches?api-version=1", "Gemini's": "/v1beta/openai/batches"}.items():
    case(f"batch: {name} order", post(json.dumps({"input_file_id": "file-1", "endpoint": CHAT}).encode(), path=path), Told(),
         "as OpenAI's")
