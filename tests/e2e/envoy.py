"""A real Envoy under test: started from a shipped configuration, looked into, stopped.

    with envoy.start("static", upstream_port=8080, workers=2, plugin={"mode": "enforce"}) as proxy:
        requests.get(f"http://127.0.0.1:{proxy.port}/")
        proxy.metric("verdict.allow")

Ports are free ones on 127.0.0.1. The shipped file is changed only where a test must: addresses, ports, paths of the
module and the access log, and what `start` is asked for.
"""

import collections
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))
from fetch_envoy import envoy as binary  # noqa: E402

MODULE = pathlib.Path(os.environ.get("AZEOTROPE_WASM", ROOT / "target" / "azeotrope.wasm"))
TEMPLATES = {"static": ROOT / "envoy" / "static.yaml", "ecds": ROOT / "envoy" / "ecds-file" / "envoy.yaml",
             "ecds-grpc": ROOT / "envoy" / "ecds-grpc" / "envoy.yaml"}
LIVE = ROOT / "envoy" / "ecds-file" / "live" / "azeotrope.yaml"
WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"

START_SECONDS = 30
#: How often the module has told its counters, over all workers.
TOLD = "wasmcustom.azeotrope.told_total"
#: What a trap leaves in Envoy's log.
FAILURES = re.compile(r"bug: panic|Function: \w+ failed|in-VM backtrace|RuntimeError")


def start(template="static", *, upstream_port, workers=1, plugin=None, stop_iteration=True, vm_id="azeotrope",
          sidecars=(), node="edge", ecds=None, token="", module=None, hot=False):
    """Starts an Envoy and waits until it serves.

    `template`: "static", "ecds", or the path of an Envoy configuration. `plugin`: the plugin configuration (None: `{}`).
    `stop_iteration=False` and `vm_id=""` give what stock Istio gives. `sidecars`: ports of the cluster
    `azeotrope-sidecar`; `node`: Envoy's name; `ecds`: the file, or the port, that a sidecar serves the filter by, and the
    `token` that Envoy shows there. `module`: another build of the module. `hot`: a process may take over from the one before it.
    """
    wasm = Filter(plugin, stop_iteration, vm_id, module or MODULE)
    return Envoy(template, upstream_port, workers, wasm, sidecars, node, ecds, hot, token)


class Filter:
    """The filter's part of a configuration."""

    def __init__(self, plugin, stop_iteration, vm_id, module):
        self.plugin, self.stop_iteration, self.vm_id, self.module = plugin, stop_iteration, vm_id, module

    def apply(self, config):
        """Changes a shipped wasm `config`."""
        config["allow_on_headers_stop_iteration"] = self.stop_iteration
        config["vm_config"]["vm_id"] = self.vm_id
        config["vm_config"]["code"]["local"]["filename"] = str(self.module)
        plugin = {} if self.plugin is None else self.plugin
        config["configuration"]["value"] = plugin if isinstance(plugin, str) else json.dumps(plugin)


class Envoy:
    """A running Envoy."""

    def __init__(self, template, upstream_port, workers, wasm, sidecars, node, ecds, hot=False, token=""):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="azeotrope-envoy-"))
        self.port, self.admin_port = free_ports(2)
        self.upstream_port, self.wasm, self.sidecars = upstream_port, wasm, sidecars
        self.node, self.ecds, self.token = node, ecds, token
        self._access, self._log = self.dir / "access.jsonl", self.dir / "envoy.log"
        self._live = self.dir / "live"
        config = yaml.safe_load(pathlib.Path(TEMPLATES.get(template, template)).read_text())
        self._adapt(config)
        (self.dir / "envoy.json").write_text(json.dumps(config))
        self._workers, self._epoch = workers, 0 if hot else None
        self._process = self._run()
        try:
            self._await_ready()
        except Exception:
            self.stop()
            raise

    # ------------------------------------------------------------ looking in

    @property
    def url(self):
        """Where clients speak to it."""
        return f"http://127.0.0.1:{self.port}"

    def stats(self, *parts):
        """Counters and gauges whose name contains any of `parts` (all without): {name: value}. Waits until the module has
        told what it counted so far."""
        self.await_told()
        return {name: value for name, value in self._stats().items()
                if name != TOLD and (not parts or any(part in name for part in parts))}

    def _stats(self):
        pairs = (line.rpartition(": ") for line in self.admin("GET", "/stats").decode().splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def await_told(self):
        """Waits until the module's timer has fired on every worker."""
        # Workers and main thread tell at one pace: when each could have done so three times, each has.
        until, told = time.monotonic() + 10, self._stats().get(TOLD, 0)
        while time.monotonic() < until and self._stats().get(TOLD, 0) < told + 3 * (self._workers + 1):
            time.sleep(0.02)

    def metric(self, name):
        """A metric of the module, over all workers; 0 if it does not exist. Counters without their `_total`."""
        self.await_told()
        return self.told(name)

    def told(self, *names):
        """As `metric`, as far as the module has told by now: waits for nothing. Of several: {name: value}."""
        stats, prefix = self._stats(), "wasmcustom.azeotrope."
        found = {name: stats.get(f"{prefix}{name}_total", stats.get(f"{prefix}{name}", 0)) for name in names}
        return found if len(names) > 1 else found[names[0]]

    def requests(self):
        """(requests that have ended, requests on their way)."""
        totals = collections.Counter()
        for name, value in self._stats().items():
            if counted := re.fullmatch(r"http\.(?!admin\.).+\.downstream_rq_(total|active)", name):
                totals[counted[1]] += value
        return totals["total"] - totals["active"], totals["active"]

    def access_log(self, count=None, timeout=10):
        """The access log's entries; waits until there are `count`, or as many as requests have ended."""
        count = self.requests()[0] if count is None else count
        until = time.monotonic() + timeout
        while True:
            self.admin("POST", "/reopen_logs")
            text = self._access.read_text() if self._access.exists() else ""
            # The last line may be half-written.
            lines = text[:text.rfind("\n") + 1].splitlines()
            if len(lines) >= count or time.monotonic() > until:
                return [json.loads(line) for line in lines]
            time.sleep(0.05)

    def log(self):
        """What Envoy and the module logged so far."""
        return self._log.read_text(errors="replace")

    def admin(self, method, path):
        """A call of the admin interface."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().read()
        finally:
            connection.close()

    @property
    def pid(self):
        """The process."""
        return self._process.pid

    def resident(self):
        """Resident memory in bytes."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def check_health(self):
        """Asserts that the process is up and that no VM has failed or been reloaded since it started."""
        assert self._process.poll() is None, f"Envoy has ended: {self.log()[-2000:]}"
        failed = {name: value for name, value in self.stats("wasm").items()
                  if value and re.search(r"vm_reload|fail", name) and not name.startswith("wasmcustom.")}
        assert not failed, failed
        traces = [line for line in self.log().splitlines() if FAILURES.search(line)]
        assert not traces, traces[:5]

    # ------------------------------------------------------------ changing it

    def reconfigure(self, plugin=None, stop_iteration=None):
        """Puts another plugin configuration in the watched directory (template "ecds" only)."""
        if stop_iteration is not None:
            self.wasm.stop_iteration = stop_iteration
        self.wasm.plugin = plugin
        self._write_live()

    def kill(self):
        """As a crash does."""
        self._process.kill()
        self._process.wait()

    def start_again(self):
        """Starts what was killed, in the same place."""
        self._process = self._run()
        self._await_ready()

    def take_over(self):
        """Starts a process that takes over from this one, which drains and ends: Envoy's hot restart."""
        before, self._epoch = self._process, self._epoch + 1
        self._process = self._run()
        before.wait(START_SECONDS)
        self._await_ready()

    def stop(self):
        """Ends it; its files go too, unless KEEP_ENVOY_LOGS is set."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if not os.environ.get("KEEP_ENVOY_LOGS"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check_health()
        finally:
            self.stop()

    # ------------------------------------------------------------ starting

    def _adapt(self, config):
        config["admin"]["address"] = address(self.admin_port)
        resources = config["static_resources"]
        resources["listeners"][0]["address"] = address(self.port)
        for endpoint in find([one for one in resources["clusters"] if one["name"] == "llm"], "endpoint"):
            endpoint["address"] = address(self.upstream_port)
        config["node"] = {"id": self.node, "cluster": "llm"}
        self._adapt_sidecars(resources["clusters"])
        for metadata in find(resources["listeners"], "initial_metadata"):
            metadata[0]["value"] = f"Bearer {self.token}"
        for entry in find(resources["listeners"], "access_log"):
            entry[0]["typed_config"]["path"] = str(self._access)
        for wasm in find(resources["listeners"], "typed_config"):
            if wasm["@type"] == WASM:
                self.wasm.apply(wasm["config"])
        for source in find(resources["listeners"], "path_config_source"):
            if self.ecds:
                source["path"], source["watched_directory"]["path"] = str(self.ecds), str(self.ecds.parent)
                continue
            self._live.mkdir(exist_ok=True)
            self._write_live()
            source["path"] = str(self._live / LIVE.name)
            source["watched_directory"]["path"] = str(self._live)

    def _adapt_sidecars(self, clusters):
        for cluster in clusters:
            if cluster["name"] == "azeotrope-sidecar-ecds":
                for endpoint in find(cluster, "endpoint"):
                    endpoint["address"] = address(self.ecds)
            if cluster["name"] == "azeotrope-sidecar":
                ports = self.sidecars or [9]  # discard: nobody is there
                endpoints = [{"endpoint": {"address": address(port)}} for port in ports]
                cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
                if not self.sidecars:
                    cluster.pop("health_checks", None)

    def _write_live(self):
        document = yaml.safe_load(LIVE.read_text())
        self.wasm.apply(document["resources"][0]["typed_config"]["config"])
        fresh = self.dir / "fresh.json"
        fresh.write_text(json.dumps(document))
        fresh.rename(self._live / LIVE.name)

    def _run(self):
        if not MODULE.exists():
            raise FileNotFoundError(f"{MODULE}: build it with `make wasm`")
        command = [binary(), "--config-path", str(self.dir / "envoy.json"), "--concurrency", str(self._workers)]
        if self._epoch is None:
            command += ["--disable-hot-restart"]
        else:
            # A port is nobody else's, and so is the name of the memory that the two processes share.
            command += ["--base-id", str(self.port), "--restart-epoch", str(self._epoch), "--drain-time-s", "2",
                        "--parent-shutdown-time-s", "3"]
        command += ["--log-level", "info", "--file-flush-interval-msec", "50"]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def _await_ready(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"Envoy ended: {self.log()[-3000:]}")
            try:
                if self.admin("GET", "/ready").strip() == b"LIVE":
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"Envoy is not ready: {self.log()[-3000:]}")


def host_calls(log):
    """What the module called of the host for each request, by name, from a trace (`/logging?wasm=trace`) of requests one after the
    other; what it does on ticks is no request's."""
    requests, inside = [], {}
    for line in log.splitlines():
        thread = line.split("][")[1] if "][" in line else ""
        if (entered := re.search(r"\[host->vm\] (\w+)\(", line)) and "memory_allocate" not in line:
            inside[thread] = entered[1]
            if entered[1] == "proxy_on_context_create":
                requests.append(collections.Counter())
        elif (called := re.search(r"\[vm->host\] env\.(?:proxy_)?(\w+)\(", line)) and requests and inside.get(thread) != "proxy_on_tick":
            requests[-1][called[1]] += 1
    return [dict(calls) for calls in requests]


def validate(template, cwd=ROOT):
    """Has Envoy validate a shipped configuration (it runs the module's on_configure too): (code, output)."""
    command = [binary(), "--mode", "validate", "--config-path", str(template)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def find(node, key):
    """All values under `key`, anywhere in a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from find(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from find(value, key)


class Ports:
    """Ports of 127.0.0.1 that no other process of tests is given as long as this one lives, and that the kernel gives to nobody who
    connects: two Envoys on one port would share its connections and not notice."""

    FIRST, LAST, BLOCK = 10_000, 30_000, 500

    def __init__(self):
        self._pid, self._next = None, None

    def free(self):
        """The next one that nobody has."""
        if self._pid != os.getpid():
            self._claim()
        for _ in range(self.BLOCK):
            port = next(self._next)
            with contextlib.suppress(OSError), socket.socket() as one:
                one.bind(("127.0.0.1", port))
                return port
        raise RuntimeError("every port is taken")

    def _claim(self):
        """Takes a block: a name without a file belongs to this process until it ends, however it does."""
        for first in range(self.FIRST, self.LAST, self.BLOCK):
            self._held = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(OSError):
                self._held.bind(f"\0azeotrope-test-ports-{first}")
                self._pid, self._next = os.getpid(), itertools.cycle(range(first, first + self.BLOCK))
                return
        raise RuntimeError("other processes of tests have all the ports")


PORTS = Ports()


def free_ports(count):
    """Ports for servers under test."""
    return [PORTS.free() for _ in range(count)]
