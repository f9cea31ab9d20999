#!/usr/bin/env python3
"""What a request makes Envoy execute: instructions of the worker's thread, counted one by one in the running process.

    steps.py --program P --server S --empty M --steps T [--times N] [--out target/bench-steps.md] [--addresses FOLDER]

Where `gateway.py` measures time, which the machine's other work changes, this counts, and the same build gives the same figures.
An Envoy for each contender, one worker, one connection, a known account among others; the least of a few times. Prints
Markdown tables. `--addresses` keeps what was executed, for who wants to know where: 8 bytes an instruction, in order.
"""

import argparse
import http.client
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import bodies  # noqa: E402
import contenders  # noqa: E402
import envoy  # noqa: E402
import process  # noqa: E402
import report  # noqa: E402
import stand  # noqa: E402

#: Who is stepped, and whom the others are held against.
NAMES = ("none", "empty", "calls", "observe", "enforce")
BASE = "empty"
#: Requests with each body before one is counted: accounts are known by then and memory has grown to what it takes.
WARM = 50
#: Others right before it, of accounts of their own: a busy worker has their pages at hand.
OTHERS = 16
#: The longest that stepping one request may take, in seconds: a machine of its own steps 30,000 instructions in one.
LONGEST = 600


class Client:
    """One connection to an Envoy; requests go out in one piece, so that the worker wakes as often for each."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
        self.connection.connect()

    def send(self, body, key):
        body = body.encode()
        head = (f"POST /v1/chat/completions HTTP/1.1\r\nhost: llm\r\nauthorization: Bearer {key}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n")
        self.connection.sock.sendall(head.encode() + body)
        answer = http.client.HTTPResponse(self.connection.sock, method="POST")
        answer.begin()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"a request was answered with {answer.status}")

    def close(self):
        self.connection.close()


class Steps:
    """The program that steps a thread."""

    def __init__(self, program, addresses):
        self.program, self.addresses = program, addresses

    def request(self, proxy, name, before, send):
        """What `send` makes the worker execute, right after `before`: "instructions" and "lines" of code, {region: number} each."""
        command = [self.program, str(proxy.pid), str(worker(proxy.pid)), str(LONGEST)]
        if self.addresses:
            command.append(str(self.addresses / name))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            try:
                # They take turns: on one core that wakes no other.
                process.pin(running.pid, {stand.CORES[0]})
                before()
                print(file=running.stdin, flush=True)
                if running.stdout.readline().strip() == "ready":
                    send()
                out, errors = running.communicate(timeout=LONGEST)
            finally:
                running.kill()
        if running.returncode:
            raise RuntimeError(errors.strip())
        instructions, lines = out.splitlines()[-2:]
        return {"instructions": counts(instructions), "lines": counts(lines)}


def worker(pid):
    """The thread of the only worker."""
    found = [thread for thread in process.threads(pid)
             if pathlib.Path(f"/proc/{pid}/task/{thread}/comm").read_text().strip() == "wrk:worker_0"]
    if len(found) != 1:
        raise RuntimeError(f"Envoy has {len(found)} threads wrk:worker_0")
    return found[0]


def counts(line):
    """`envoy 1 module 2 library 3`, as a dictionary, with the sum as `all`."""
    words = line.split()
    found = {region: int(number) for region, number in zip(words[::2], words[1::2])}
    return {"all": sum(found.values()), **found}


def measure(proxy, name, size, times, steps):
    """What `Steps.request` has of a request. The least of some: what a tick of a timer came before asks for more."""
    body, *_ = bodies.compose(size, 1, seed=3)
    others = bodies.compose(512, OTHERS, seed=4)
    client = Client(proxy.port)

    def send():
        client.send(body, "sk-steps")

    def before():
        for place, other in enumerate(others):
            client.send(other, f"sk-other-{place}")
        send()

    try:
        for _ in range(WARM):
            send()
        before()
        tries = (steps.request(proxy, f"{name}-{size}", before, send) for _ in range(times))
        return min(tries, key=lambda one: one["instructions"]["all"])
    finally:
        client.close()


def tables(found):
    """`found`: {size: {name: what `measure` gives}}."""
    def parts(kind):
        return lambda name, size: "{all:,} ({envoy:,} / {module:,} / {library:,})".format(**found[size][name][kind])

    def over(name, size):
        mine, base = (found[size][of]["instructions"]["all"] for of in (name, BASE))
        return f"{mine - base:+,}"

    header = ["", *(report.SIZES[size] for size in found)]
    others = [name for name in NAMES if name != BASE]
    return "\n".join((
        "All (Envoy's own / the module's / libraries'):\n",
        report.table(header, [report.row_of(name, found, parts("instructions")) for name in NAMES]),
        f"Over the {contenders.NAMES[BASE]}:\n",
        report.table(header, [report.row_of(name, found, over) for name in others]),
        "Code that is executed, in cache lines of 64 bytes (Envoy's own / the module's / libraries'):\n",
        report.table(header, [report.row_of(name, found, parts("lines")) for name in NAMES])))


def run(options, folder):
    upstream, ext_proc = envoy.free_ports(2)
    configurations = contenders.build(folder, options.program, options.empty, ext_proc)
    found = {}
    with stand.Stand(options.server, upstream, ext_proc) as place:
        place.envoys_of({name: configurations[name] for name in NAMES}, 1, lambda _, start: start())
        steps = Steps(options.steps, options.addresses)
        for size in bodies.COUNTS:
            for name, proxy in place.envoys.items():
                found.setdefault(size, {})[name] = measure(proxy, name, size, options.times, steps)
                print(f"steps: {size} bytes, {name}: {found[size][name]}", file=sys.stderr, flush=True)
        for proxy in place.envoys.values():
            proxy.check_health()
    options.out.write_text(tables(found), encoding="utf-8")
    print(options.out.read_text(), end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in (("program", "target/release/azeotrope"), ("server", "the bench's server"), ("empty", "the empty filter"),
                       ("steps", "what steps a thread")):
        parser.add_argument(f"--{name}", type=lambda path: pathlib.Path(path).resolve(), required=True, help=text)
    parser.add_argument("--times", type=int, default=3, choices=range(1, 25), metavar="1..24", help="how often each is counted")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/bench-steps.md"))
    parser.add_argument("--addresses", type=pathlib.Path)
    options = parser.parse_args()
    # Whatever ends the run ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="azeotrope-bench-") as folder:
        try:
            run(options, pathlib.Path(folder))
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            sys.exit(f"bench-steps: {error}")


if __name__ == "__main__":
    main()
