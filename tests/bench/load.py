"""Load by wrk (Debian: `apt install wrk`), one window at a time."""

import dataclasses
import json
import pathlib
import shutil
import subprocess

import bodies

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 32


#: Bodies that new accounts send.
FILLERS = 10_000


@dataclasses.dataclass
class Window:
    """What one window of load showed."""

    requests: int
    microseconds: int
    #: Connections that failed and requests that timed out; answers above 399.
    failed: int
    refused: int
    p50: int
    p99: int
    #: Requests that were sent late, and all that were sent.
    late: int
    sent: int

    @property
    def rate(self):
        return self.requests * 1e6 / self.microseconds

    @property
    def good(self):
        return self.requests > 0 and not self.failed and not self.refused


class Load:
    """Bodies on disk, and wrk on some cores."""

    def __init__(self, folder, cores):
        self.cores = cores
        self.files = bodies.write_all(folder)
        self.fillers = folder / "fillers.txt"
        bodies.write(self.fillers, 512, FILLERS, seed=2)

    def full(self, port, size, seconds):
        """As fast as the proxy goes: closed loop over CONNECTIONS connections of one thread."""
        return self._run(port, seconds, self.files[size], size, bodies.COUNTS[size], 0, "known", 1)

    def paced(self, port, size, seconds, rate):
        """`rate` requests a second, evenly spaced over CONNECTIONS connections."""
        return self._run(port, seconds, self.files[size], size, bodies.COUNTS[size], rate, "known", CONNECTIONS)

    def fill(self, port, seconds):
        """A new account with every request, as fast as the proxy goes."""
        return self._run(port, seconds, self.fillers, 512, FILLERS, 0, "new", 1)

    def soak(self, port, seconds, first, accounts):
        """`accounts` accounts in turn, beginning with `first`, as fast as the proxy goes."""
        return self._run(port, seconds, self.fillers, 512, FILLERS, 0, f"{first}/{accounts}", 1)

    def _run(self, port, seconds, path, size, count, rate, accounts, threads):
        command = ["taskset", "--cpu-list", self.cores, "wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{seconds}s",
                   "--timeout", "5s", "-s", str(HERE / "load.lua"), f"http://127.0.0.1:{port}", "--",
                   str(path), str(size), str(count), str(rate), accounts, str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        if done.returncode:
            raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
        return Window(**json.loads(done.stdout.strip().splitlines()[-1]))


def need():
    """What is missing, in words; None: nothing."""
    missing = [tool for tool in ("wrk", "taskset") if not shutil.which(tool)]
    return f"make bench needs {' and '.join(missing)} (Debian: apt install wrk util-linux)" if missing else None
