"""Bundles that a filter must not use, from a stand-in sidecar that answers whatever a test wants."""

import base64
import hashlib
import http.server
import json
import re
import struct
import threading
import time

import client
import pytest
import rules
import sidecars
from sidecars import wait

VICTIM = "sk-somebody-000001"


class StandIn:
    """A sidecar that answers as it is told: `answers[path prefix] = (status, body, seconds to wait)`."""

    def __init__(self):
        self.answers, self.asked, self.batches = {}, [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append((self.path, dict(self.headers)))
                self.reply(next((outer.answers[key] for key in outer.answers if self.path.startswith(key)), (404, b"", 0)))

            def do_POST(self):
                outer.batches.append(self.rfile.read(int(self.headers["content-length"])))
                self.reply(outer.answers.get("POST", (202, b"", 0)))

            def reply(self, answer):
                status, body, seconds = answer
                time.sleep(seconds)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def serve(self, package):
        """Serves a bundle: the manifest, and its parts by name."""
        sealed, parts = split(package)
        for part in parts:
            self.answers[f"/v1/parts/{hashlib.sha256(part).hexdigest()}"] = (200, part, 0)
        self.answers["/v1/bundle"] = (200, sealed, 0)

    def stop(self):
        self._server.shutdown()


def split(package):
    """(manifest, parts) of a bundle that has one part of rules."""
    length = struct.unpack("<I", package[16:20])[0]
    end = 20 + length + 64
    return package[:end], [package[end:]]


@pytest.fixture
def stand_in():
    one = StandIn()
    one.answers["/healthz"] = (200, b"ok", 0)
    yield one
    one.stop()


def signed(keys, tmp_path, action, version, hours="1", key=None):
    """A bundle that orders something for the victim."""
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(rules.document([(VICTIM, action)])))
    done = sidecars.run("rules", "sign", path, "--key", key or keys.key, "--bundle-version", version,
                        "--expire-hours", hours)
    return base64.b64decode(done.stdout)


def plugin(keys, **more):
    sidecar = {"cluster": "azeotrope-sidecar", "token": sidecars.TOKEN, "flush_milliseconds": 200}
    return {"mode": "enforce", "public_keys": [keys.public], "sidecar": sidecar, **more}


def status(proxy):
    headers = [("authorization", f"Bearer {VICTIM}"), ("content-type", "application/json")]
    return client.post(proxy.port, client.CHAT, client.chat(), headers).status


def runs(proxy, version):
    return proxy.metric("rules.version") == version


def test_a_good_bundle_is_in_force_and_a_bad_one_after_it_is_not(keys, stand_in, start, tmp_path):
    proxy = start(workers=2, plugin=plugin(keys), sidecars=[stand_in.port])
    assert status(proxy) == 200
    stand_in.serve(signed(keys, tmp_path, "block", 100))
    wait("in force with both workers", lambda: {status(proxy) for _ in range(12)} == {403})
    assert runs(proxy, 100)
    with sidecars.Keys() as others:
        forged = signed(keys, tmp_path, "throttle", 200, key=others.key)
    good = signed(keys, tmp_path, "throttle", 300)
    sealed, parts = split(good)
    bad = {
        "of another key": forged,
        "with a byte changed": sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:] + parts[0],
        "cut short": sealed[:60],
        "no bundle": b"<html>502</html>" * 10,
        "nothing": b"",
        "expired": None,
        "older": signed(keys, tmp_path, "throttle", 99),
    }
    for what, package in bad.items():
        if package is None:
            package = signed(keys, tmp_path, "throttle", 301, hours="0.0003")
            time.sleep(1.5)  # until it has
        refused = proxy.metric("bundle.refused")
        if what in ("of another key", "expired", "older"):
            stand_in.serve(package)
        else:
            stand_in.answers["/v1/bundle"] = (200, package, 0)
        wait(f"{what} is refused", lambda: proxy.metric("bundle.refused") > refused)
        assert runs(proxy, 100) and status(proxy) == 403, what
    # A part that is another one than the manifest says.
    stand_in.serve(good)
    name = hashlib.sha256(parts[0]).hexdigest()
    stand_in.answers[f"/v1/parts/{name}"] = (200, parts[0][:-1] + b"?", 0)
    refused = proxy.metric("bundle.refused")
    wait("the part is refused", lambda: proxy.metric("bundle.refused") > refused)
    assert runs(proxy, 100)
    stand_in.answers[f"/v1/parts/{name}"] = (200, parts[0], 0)
    wait("mended with both workers", lambda: {status(proxy) for _ in range(12)} == {429})
    assert runs(proxy, 300)
    assert re.search(r"bundle refused: .*; the rules before it stay in force", proxy.log())


def test_rules_end_with_their_bundle_and_the_built_in_ones_observe(keys, stand_in, start, tmp_path):
    proxy = start(workers=1, plugin=plugin(keys), sidecars=[stand_in.port])
    stand_in.serve(signed(keys, tmp_path, "block", 100, hours="0.0014"))
    wait("in force", lambda: status(proxy) == 403, 4)
    stand_in.answers.clear()
    wait("ended", lambda: status(proxy) == 200, 10)
    label = proxy.access_log()[-1]["azeotrope"]
    assert "rules=0" in label and "rules_expired" in label, label
    stand_in.serve(signed(keys, tmp_path, "block", 101))
    wait("a new one comes without a hand", lambda: status(proxy) == 403)


def test_a_slow_or_failing_sidecar_is_waited_for_by_no_request(keys, stand_in, start):
    stand_in.answers.update({"/v1/bundle": (200, b"x" * 10, 30), "POST": (503, b"", 0)})
    proxy = start(workers=1, plugin=plugin(keys), sidecars=[stand_in.port])
    began = time.monotonic()
    assert {status(proxy) for _ in range(30)} == {200}
    assert time.monotonic() - began < 10
    wait("batches are tried again", lambda: len(stand_in.batches) >= 3)
    assert proxy.metric("sidecar.sent") == 0 and proxy.metric("sidecar.reached") == 0
    stand_in.answers["POST"] = (202, b"", 0)
    wait("nothing was lost", lambda: proxy.metric("sidecar.sent") >= 30)
    assert proxy.metric("sidecar.lost") == 0


def test_what_does_not_fit_the_queue_is_counted_and_memory_does_not_grow(keys, stand_in, start):
    stand_in.answers["POST"] = (503, b"", 0)
    small = plugin(keys)
    small["sidecar"]["queue_bytes"] = 16_384
    proxy = start(workers=1, plugin=small, sidecars=[stand_in.port])
    for _ in range(400):
        assert status(proxy) == 200
    wait("the loss is counted", lambda: proxy.metric("sidecar.lost") > 0)
    # Twice the queue at most: what is on its way, and what waits.
    assert max(map(len, stand_in.batches)) < 17_000


def test_a_cluster_that_does_not_exist_hurts_nobody(keys, start):
    nowhere = plugin(keys)
    nowhere["sidecar"]["cluster"] = "nowhere"
    proxy = start(workers=1, plugin=nowhere)
    assert {status(proxy) for _ in range(10)} == {200}
    wait("it is told", lambda: proxy.metric("sidecar.failed") > 0)


def test_one_worker_of_a_process_asks_for_rules(keys, stand_in, start):
    proxy = start(workers=4, plugin=plugin(keys), sidecars=[stand_in.port])

    def polls():
        return sum(path == "/v1/bundle" for path, _ in stand_in.asked)

    wait("it is asked", polls)
    began, before = time.monotonic(), polls()
    wait("it is asked again", lambda: polls() >= before + 6)
    # Once a second, a tenth earlier at most: each of four workers would take a quarter of that.
    assert time.monotonic() - began > 4
    assert proxy.metric("rules.version") == 0


def test_a_bundle_in_the_configuration_needs_no_sidecar(keys, start, tmp_path):
    package = base64.b64encode(signed(keys, tmp_path, "block", 55)).decode()
    proxy = start(workers=1, plugin={"mode": "enforce", "public_keys": [keys.public], "bundle": package})
    assert status(proxy) == 403 and "rules=55" in proxy.access_log()[-1]["azeotrope"]


def test_a_configuration_with_a_forged_bundle_is_refused_and_the_one_before_stays(keys, start, tmp_path):
    good = base64.b64encode(signed(keys, tmp_path, "block", 55)).decode()
    proxy = start("ecds", plugin={"mode": "enforce", "public_keys": [keys.public], "bundle": good})
    wait("in force", lambda: status(proxy) == 403)
    with sidecars.Keys() as others:
        forged = base64.b64encode(signed(keys, tmp_path, "throttle", 77, key=others.key)).decode()
    proxy.reconfigure({"mode": "enforce", "public_keys": [keys.public], "bundle": forged})
    wait("refused", lambda: proxy.metric("config.refused") > 0)
    assert status(proxy) == 403
    assert "$.bundle: signed with a key that `public_keys` does not have" in proxy.log()


def test_a_process_does_not_go_back_behind_a_bundle_that_a_configuration_brought(keys, start, tmp_path):
    def configuration(action, version):
        package = base64.b64encode(signed(keys, tmp_path, action, version)).decode()
        return {"mode": "enforce", "public_keys": [keys.public], "bundle": package}

    proxy = start("ecds", plugin=configuration("block", 55), workers=2)
    wait("in force", lambda: status(proxy) == 403)
    refused = proxy.metric("bundle.refused")
    proxy.reconfigure(configuration("throttle", 54))
    wait("it is told", lambda: proxy.metric("bundle.refused") > refused)
    assert status(proxy) == 403 and "older than version 55, which is in force" in proxy.log()
    proxy.reconfigure(configuration("throttle", 56))
    wait("the next one is taken", lambda: status(proxy) == 429)
