"""The processes that are measured: an Envoy for each contender, the upstream, the engine behind ext_proc."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time

import bodies
import contenders
import envoy
import process

#: Envoy on one core, load and upstream on another; with two workers, or one core in all, everything on all of them.
CORES = sorted(os.sched_getaffinity(0))

FIRST = bodies.compose(512, 1)[0].encode()


class AsWritten:
    """What the configurations say of Wasm filters stays."""

    def apply(self, config):
        pass


class Envoy(envoy.Envoy):
    """An Envoy of the bench; counts as ready when it answers its first LLM call with 200."""

    def __init__(self, path, upstream_port, workers):
        self.begun = time.monotonic()
        super().__init__(path, upstream_port, workers, AsWritten(), (), "bench", None)

    def _await_ready(self):
        until = time.monotonic() + envoy.START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"Envoy ended: {self.log()[-3000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.post(FIRST) == 200:
                    self.first_answer = time.monotonic() - self.begun
                    return
            time.sleep(0.002)
        raise TimeoutError(f"Envoy does not answer: {self.log()[-3000:]}")

    def post(self, body, key="sk-first"):
        """Sends one LLM call; its status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def host_calls(self, body):
        """Calls of the module to the host for a request of a known account, by name, as Envoy traces them. Of several requests
        the commonest: what is first after a tick asks for more."""
        for _ in range(5):
            self.post(body, "sk-known")
        self.admin("POST", "/logging?wasm=trace")
        begin = len(self.log())
        for _ in range(9):
            self.post(body, "sk-known")
        # What comes after the answer (log, delete) is written then.
        time.sleep(0.3)
        self.admin("POST", "/logging?wasm=info")
        requests = envoy.host_calls(self.log()[begin:])
        return max(requests, key=requests.count, default={})


class Stand:
    """Starts what is measured and ends it again, whatever happens."""

    def __init__(self, server, upstream_port, ext_proc_port):
        self.stack = contextlib.ExitStack()
        self.server, self.upstream_port, self.ext_proc_port = server, upstream_port, ext_proc_port
        self.envoys, self.ext_proc = {}, None

    def __enter__(self):
        try:
            self.upstream = self._start("upstream", str(self.upstream_port))
            plugin = contenders.plugin_of_ext_proc()
            self.ext_proc = self._start("ext-proc", str(self.ext_proc_port), plugin)
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def envoys_of(self, configurations, workers, attempt):
        """Starts an Envoy for each contender; `attempt` tells of those that do not start, which are left out."""
        self.envoys = {}
        for name, path in configurations.items():
            proxy = attempt(f"{name}, start", lambda path=path: Envoy(path, self.upstream_port, workers))
            if proxy:
                self.stack.callback(proxy.stop)
                self.envoys[name] = proxy
        self._pin(apart=workers == 1 and len(CORES) > 1)

    def stop_envoys(self):
        for proxy in self.envoys.values():
            proxy.stop()
        self.envoys = {}

    def _pin(self, apart):
        mine, others = ({CORES[0]}, {CORES[1]}) if apart else (set(CORES), set(CORES))
        for proxy in self.envoys.values():
            process.pin(proxy.pid, mine)
        # The engine behind ext_proc has the load's core, most of which is free: that is to its advantage.
        for one in (self.upstream, self.ext_proc):
            process.pin(one.pid, others)
        self.load_cores = ",".join(map(str, sorted(others)))

    def _start(self, *arguments):
        running = subprocess.Popen([self.server, *arguments], stdin=subprocess.DEVNULL)
        self.stack.callback(_end, running)
        _await_port(int(arguments[1]), running)
        return running


def _end(running):
    running.send_signal(signal.SIGTERM)
    try:
        running.wait(5)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()


def _await_port(port, running):
    until = time.monotonic() + 10
    while time.monotonic() < until and running.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        with contextlib.suppress(OSError):
            connection.connect()
            connection.close()
            return
        time.sleep(0.02)
    raise RuntimeError(f"a server of the bench does not listen on {port}")


def machine():
    """The machine, in words."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version = subprocess.run([envoy.binary(), "--version"], capture_output=True, text=True, check=True).stdout
    return {"cores": len(CORES), "processor": models[0] if models else "unknown", "memory": f"{memory:.0f} GiB",
            "envoy": re.search(r"/(\d+\.\d+\.\d+)/", version)[1], "kernel": os.uname().release, "date": time.strftime("%Y-%m-%d"),
            "module": contenders.envoy.MODULE.stat().st_size}


def dump(path, results):
    """Results as they are, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(results, indent=1), encoding="utf-8")
    fresh.rename(path)
