"""Nothing of a text, a key, a token or an address is in anything that is written, logged, sent or told.

Secrets are planted in every place of a request and of an answer; then everything that filter, sidecar and program leave behind is
searched for them, as they are and in base64, hexadecimal and percent-encoding.
"""

import base64
import contextlib
import http.server
import json
import threading
import urllib.parse

import client
import pytest
import sidecars
from sidecars import wait

#: What is planted, by what it is. Each is found nowhere else.
SECRETS = {
    "prompt": "quokka-prompt: my diagnosis is 7f3b9e",
    "system prompt": "quokka-system: internal playbook 5d1c",
    "tool result": "quokka-tool-result: balance 88123.45",
    "tool schema": "quokka_tool_schema",
    "earlier answer": "quokka-earlier-answer: as I said",
    "blob": "cXVva2thLWJsb2I6RXFRQkNnSVlBaElNMWdiY0RhOUdKd1pBMmIzaEd4",
    "key": "sk-quokka-1f4e9a7c0b2d",
    "key in the query": "AIza-quokka-77ab31",
    "token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJxdW9ra2EtYW5uIn0.quokka-signature",
    "address": "198.51.100.77",
    "organisation": "quokka-holdings",
    "client": "quokka-client/9.9",
    "answer": "has read your request",
    "digest key": "quokka-digest-key-not-to-be-told",
    "filters' token": sidecars.TOKEN,
    "operators' token": sidecars.ADMIN,
}
CHAT, MESSAGES, GEMINI = client.CHAT, "/v1/messages", "/v1beta/models/gemini-2.5-pro:generateContent"


def spellings(secret):
    """How a secret may stand somewhere."""
    raw = secret.encode()
    quoted = urllib.parse.quote(secret, safe="").encode()
    # base64 of a secret somewhere in other text: three of four letters are the same, whatever stands before it.
    coded = [base64.b64encode(b"x" * lead + raw)[4 * lead:][4:-4] for lead in range(3)]
    return {raw, quoted, raw.hex().encode(), json.dumps(secret)[1:-1].encode(), *coded}


def found(written):
    """Which secrets stand in `written` ({where: bytes}), and where."""
    return {(where, name) for where, text in written.items() for name, secret in SECRETS.items()
            if any(spelling in text for spelling in spellings(secret))}


def headers(**more):
    plain = {"authorization": f"Bearer {SECRETS['key']}", "x-forwarded-for": f"{SECRETS['address']}, 10.0.0.1",
             "x-organisation": SECRETS["organisation"], "user-agent": SECRETS["client"], "content-type": "application/json"}
    return list({**plain, **more}.items())


def bodies():
    """Requests that carry the secrets: as they should be, and broken in ways that a log could quote."""
    chat = {"model": "gpt-5", "messages": [
        {"role": "system", "content": SECRETS["system prompt"]}, {"role": "user", "content": SECRETS["prompt"]},
        {"role": "assistant", "content": SECRETS["earlier answer"], "reasoning_details": [{"data": SECRETS["blob"]}]},
        {"role": "tool", "content": SECRETS["tool result"], "tool_call_id": "1"},
        {"role": "user", "content": SECRETS["prompt"] + " again"}],
        "tools": [{"type": "function", "function": {"name": SECRETS["tool schema"], "parameters": {}}}]}
    messages = {"model": "claude", "max_tokens": 9, "messages": [
        {"role": "user", "content": SECRETS["prompt"]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": SECRETS["earlier answer"],
                                           "signature": SECRETS["blob"]}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": SECRETS["tool result"]}]}]}
    gemini = {"contents": [{"role": "user", "parts": [{"text": SECRETS["prompt"]}]}]}
    whole = json.dumps(chat).encode()
    yield CHAT, whole, headers()
    yield CHAT, json.dumps({**chat, "stream": True}).encode(), headers()
    yield MESSAGES, json.dumps(messages).encode(), headers(**{"x-api-key": SECRETS["key"]})
    yield f"{GEMINI}?key={SECRETS['key in the query']}", json.dumps(gemini).encode(), headers()
    yield CHAT, whole, headers(authorization=f"Bearer {SECRETS['token']}")
    yield CHAT, whole[:-40], headers()
    yield CHAT, whole, headers(**{"content-encoding": "gzip"})
    yield CHAT, whole, headers(**{"content-encoding": SECRETS["prompt"]})
    yield CHAT, whole.decode().encode("utf-16"), headers()
    yield CHAT, SECRETS["prompt"].encode(), headers(**{"x-azeotrope": SECRETS["prompt"]})
    yield f"/v1/models?key={SECRETS['key in the query']}", whole, headers()


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes what filters send, as a sidecar would, and keeps it."""

    sent = []

    def do_POST(self):
        self.sent.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def listening():
    """A listener in place of a sidecar: its port, and what it was sent."""
    Listener.sent = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, Listener.sent
    finally:
        server.shutdown()
        server.server_close()


PLUGIN = {"mode": "enforce", "trusted_hops": 2, "organisation": {"header": "x-organisation"},
          "digest_key": {"current": SECRETS["digest key"], "previous": SECRETS["digest key"] + "-before"}}


def sent_through(proxy, upstream, rounds=2):
    """Sends every body so many times, at the most talkative level of the module's log; what upstream was told of verdicts."""
    proxy.admin("POST", "/logging?wasm=trace")
    upstream.forget()
    for _ in range(rounds):
        for path, body, fields in bodies():
            client.post(proxy.port, path, body, fields)
    seen = upstream.seen()
    # Upstream gets what was asked; the search finds it there, so it would find it elsewhere.
    carried = {name for _, name in found({"upstream": json.dumps(seen).encode()})}
    assert carried >= {"prompt", "system prompt", "tool result", "blob", "key", "key in the query", "token", "address"}
    return "\n".join(value for one in seen for name, value in one["headers"] if name == "x-azeotrope").encode()


def of_envoy(proxy):
    """What an Envoy leaves behind of requests, and tells of itself; its own configuration is the operator's."""
    # Of its log the module's lines: Envoy at this level quotes itself what it was configured with.
    lines = [line for line in proxy.log().splitlines() if "[wasm]" in line or "azeotrope" in line]
    return {"access log": json.dumps(proxy.access_log()).encode(), "log": "\n".join(lines).encode(),
            "stats": proxy.admin("GET", "/stats") + proxy.admin("GET", "/stats/prometheus")}


def of_sidecar(sidecar):
    """What a sidecar tells whoever asks, and logs."""
    paths = ["/metrics", "/readyz", "/v1/status", "/v1/campaigns", "/v1/rules", "/v1/rules/history", "/v1/audit", "/v1/bundle"]
    told = {path: sidecar.ask("GET", path)[2] for path in paths}
    told["refused"] = b"".join(sidecar.ask(method, path, SECRETS["prompt"].encode(), headers())[2] for method, path in
                               [("POST", "/v1/observations"), ("PUT", "/v1/rules"), ("GET", "/v1/parts/" + SECRETS["key"])])
    return {**told, "sidecar's log": sidecar.log().encode()}


def files(folder):
    """Every file of a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_filter_writes_logs_and_sends_no_secret(keys, start, upstream):
    with listening() as (port, sent):
        sidecar = {"cluster": "azeotrope-sidecar", "token": sidecars.TOKEN, "flush_milliseconds": 100}
        plugin = {**PLUGIN, "public_keys": [keys.public], "sidecar": sidecar}
        proxy = start(plugin=plugin, sidecars=[port])
        labels = sent_through(proxy, upstream)
        assert b"action=" in labels
        wait("observations of them", lambda: sum(map(len, sent)) > 2_000)
        written = {**of_envoy(proxy), "x-azeotrope": labels, "observations": b"".join(sent)}
        assert found(written) == set()


def test_a_configuration_that_is_refused_is_not_quoted(start):
    proxy = start("ecds", plugin=PLUGIN)
    wrong = {"current": SECRETS["digest key"], "previous": [SECRETS["digest key"]], "currant": SECRETS["digest key"]}
    proxy.reconfigure({**PLUGIN, "digest_key": wrong, "sidecar": {"token": [sidecars.TOKEN], "cluster": ""}})
    wait("it is refused", lambda: "configuration refused" in proxy.log())
    written = of_envoy(proxy)
    assert b"$.digest_key" in written["log"] and b"$.sidecar" in written["log"]
    assert found(written) == set()


@pytest.mark.parametrize("store", ["embedded", "redis"])
def test_the_sidecar_stores_logs_and_tells_no_secret(store, keys, start, upstream, tmp_path):
    with contextlib.ExitStack() as running:
        redis = running.enter_context(sidecars.Redis()) if store == "redis" else None
        place = {"store": redis.url} if redis else {"data": tmp_path / "data"}
        sidecar = running.enter_context(sidecars.Sidecar(keys, **place))
        plugin = sidecar.plugin(**PLUGIN)
        proxy = start(plugin=plugin, sidecars=[sidecar.port])
        sent_through(proxy, upstream)
        wait("they are joined", lambda: sidecar.get("/v1/status")["today"]["requests"] >= 10)
        written = of_sidecar(sidecar)
        # What is appended to the log of the store holds every key and value that was ever written to it.
        written |= files(redis.dir if redis else tmp_path / "data")
        assert sum(len(text) for where, text in written.items() if "/" in where) > 1_000
        assert found(written) == set()


def trace():
    """The same exchanges, as a trace."""
    for number, (path, body, fields) in enumerate(bodies()):
        with contextlib.suppress(ValueError):
            yield {"id": number, "t": 1_790_000_000 + number, "path": path, "headers": dict(fields), "body": json.loads(body),
                   "response": {"status": 200, "body": {"choices": [{"message": {"content": SECRETS["answer"]}}]}}}


def test_replay_and_explain_tell_no_secret(tmp_path):
    lines = [json.dumps(exchange) for exchange in trace()]
    (tmp_path / "trace").write_text("\n".join(lines) + "\n")
    replayed = sidecars.run("replay", tmp_path / "trace")
    explained = sidecars.run("explain", "--id", "0", tmp_path / "trace")
    written = {"replay": replayed.stdout + replayed.stderr, "explain": explained.stdout + explained.stderr}
    # Lines that are no exchange are told of, by their place.
    first = json.loads(lines[0])
    for name, wrong in {"time": {**first, "t": SECRETS["prompt"]}, "path": {**first, "path": [SECRETS["key"]]},
                        "headers": {**first, "headers": SECRETS["key"]}, "number": {**first, "id": SECRETS["prompt"]}}.items():
        (tmp_path / "wrong").write_text(json.dumps(wrong) + "\n")
        refused = sidecars.run("replay", tmp_path / "wrong", check=False)
        assert refused.returncode == 2, refused
        written[name] = refused.stdout + refused.stderr
    assert found({where: text.encode() for where, text in written.items()}) == set()
