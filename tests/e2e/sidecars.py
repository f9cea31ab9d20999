"""Sidecars under test, and a Redis for them: real processes on free ports of 127.0.0.1.

    with sidecars.Keys() as keys, sidecars.start(keys) as one:
        envoy.start(sidecars=[one.port], plugin={**one.plugin(), "mode": "enforce"}, ...)
        one.get("/v1/status")["bundle"]["version"]
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import envoy

PROGRAM = envoy.ROOT / "target" / "release" / "azeotrope"
TOKEN, ADMIN = "filters-show-this-token", "operators-show-this-one"
START_SECONDS = 30


def wait(what, until, seconds=15.0):
    """Waits for something to be true; what it gave, or a failure that says what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := until():
                return found
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class Keys:
    """A folder with a signing key and the tokens."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="azeotrope-keys-"))
        self.key = self.dir / "key"
        self.public = run("rules", "keygen", "--out", self.key).stdout.strip()
        (self.dir / "token").write_text(TOKEN + "\n")
        (self.dir / "admin").write_text(ADMIN + "\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)


def run(*arguments, check=True, **more):
    """Runs the program to its end."""
    command = [str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


class Sidecar:
    """A running `azeotrope serve`."""

    def __init__(self, keys, store=None, name="sidecar", port=None, data=None, options=()):
        self.keys, self.name = keys, name
        self.port = port or envoy.free_ports(1)[0]
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="azeotrope-sidecar-"))
        self.data = data or self.dir / "data"
        self.store = ["--store", store] if store else ["--data", str(self.data)]
        self.options = [str(option) for option in options]
        self._log = self.dir / "log"
        self._process = None
        self.start()

    def start(self, ready=True):
        command = [str(PROGRAM), "serve", "--listen", f"127.0.0.1:{self.port}", "--key", str(self.keys.key),
                   "--token-file", str(self.keys.dir / "token"), "--admin-token-file", str(self.keys.dir / "admin"),
                   "--name", self.name, *self.store, *self.options]
        with self._log.open("ab") as log:
            # Python ignores SIGXFSZ, and so must who comes upon a full disk under test.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                             restore_signals=False)
        if ready:
            wait(f"{self.name} answers: {self.log()}", lambda: self.ask("GET", "/healthz")[0] == 200, START_SECONDS)

    def plugin(self, **more):
        """What a plugin configuration says of it."""
        sidecar = {"cluster": "azeotrope-sidecar", "token": TOKEN, "flush_milliseconds": 200}
        return {"public_keys": [self.keys.public], "sidecar": sidecar, **more}

    def ask(self, method, path, body=None, headers=()):
        """(status, headers, body) of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def get(self, path):
        """An answer in JSON."""
        status, _, body = self.ask("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)

    def version(self):
        """The version that is published."""
        return self.get("/v1/status")["bundle"]["version"]

    def command(self, *arguments, **more):
        """Runs the program against this sidecar."""
        place = ["--sidecar", f"http://127.0.0.1:{self.port}"]
        admin = {"AZEOTROPE_ADMIN_TOKEN_FILE": str(self.keys.dir / "admin")}
        return run(*arguments, *place, env={**os.environ, **admin}, **more)

    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def memory(self):
        """What it occupies, in MiB."""
        pages = pathlib.Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") >> 20

    def alive(self):
        return self._process.poll() is None

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        """As a crash does."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self.alive():
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Redis:
    """A real Redis."""

    def __init__(self):
        self.port = envoy.free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="azeotrope-redis-"))
        self._process = None
        self.start()

    def start(self):
        if not shutil.which("redis-server"):
            raise FileNotFoundError("these tests need redis-server (Debian: redis-server)")
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
                   "--appendfsync", "always", "--dir", str(self.dir)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait("Redis answers", lambda: self.cli("PING") == "PONG")

    def cli(self, *command):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *command], capture_output=True, text=True, timeout=10)
        return done.stdout.strip()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
