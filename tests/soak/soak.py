#!/usr/bin/env python3
"""Soak: a real Envoy at a set load for a set time, with accounts that come and go, streamed answers and rules that change.

    soak.py [--minutes 20] [--rate 200] [--accounts 20000] [--out target/soak]

Writes samples.csv (one line a second or so), summary.json and soak.png into the folder. Ends with 1 when a request failed,
Envoy's resident memory was not flat after warm-up (the first quarter of the time), a write of counters was lost, or the last
rules did not come into force.

Sent at fixed times whether answers are back or not, so that a stall shows in the latencies of all that had to wait.
"""
import argparse
import asyncio
import csv
import dataclasses
import itertools
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import envoy  # noqa: E402
import picture  # noqa: E402
import stream  # noqa: E402

CONNECTIONS = 64
#: Seconds between two rules documents, and until a tenth of the accounts has been replaced.
RULES_EVERY, REPLACED_EVERY = 5, 60
#: Of so many requests one is a harvest's: one template, from ever new networks.
HARVEST = 20
MODELS = ["gpt-5", "mistral-large", "llama-4", "qwen-3", "deepseek-r1"]
#: What may be gained between the third quarter and the fourth.
GROWTH = 4 << 20
COUNTERS = ["requests.chat_completions", "answers.read", "would.observe", "would.throttle", "store.conflict", "store.lost",
            "host.error", "config.accepted", "config.refused"]


def plugin(version):
    """A plugin configuration whose rules have this version, in observe mode: a soak refuses nothing."""
    budget = {"requests": 1_000_000, "tokens": 1_000_000_000 + version, "window_seconds": 60}
    return json.dumps({"trusted_hops": 2, "rules": {"format": 1, "version": version, "budgets": {"account": budget}}})


def request(number, account):
    """The `number`-th request."""
    model = MODELS[account % len(MODELS)]
    if number % HARVEST:
        question = f"Question {number} of account {account} about the rivers of Europe and the towns beside them"
    else:
        model = MODELS[-1]
        question = (f"Think aloud about task {number} below in complete detail, number every step, and criticise each. "
                    f"Where does river {number * 104729} end? Give the final answer between the marks BEGIN and END.")
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": question}]}).encode()
    network = f"{20 + account // 65536 % 200}.{account // 256 % 256}.{account % 256}.7"
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer sk-soak-{account}\r\n"
            f"x-forwarded-for: {network}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n")
    return head.encode() + body


class Load:
    """What is sent, when, and what became of it."""

    def __init__(self, minutes, rate, accounts):
        self.rate, self.accounts, self.total = rate, accounts, int(minutes * 60 * rate)
        self.begun = time.perf_counter()
        self.numbers = itertools.count()
        self.failed, self.done, self.latencies = 0, 0, []

    def next(self):
        """(when it is due, the request), or None when all are sent."""
        number = next(self.numbers)
        if number >= self.total:
            return None
        due = self.begun + number / self.rate
        # Each minute a tenth of the accounts is replaced by new ones.
        slot, minute = number * 7919 % self.accounts, number // (self.rate * REPLACED_EVERY)
        generation = (minute + slot % 10) // 10
        return due, request(number, slot + generation * self.accounts)

    def take_latencies(self):
        taken, self.latencies = self.latencies, []
        return sorted(taken)


class Client(asyncio.Protocol):
    """One connection, one request after the other, each when it is due."""

    def __init__(self, load):
        self.load, self.due, self.buffer = load, None, b""
        self.loop = asyncio.get_running_loop()
        self.over = self.loop.create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.next()

    def next(self):
        following, self.due, self.buffer = self.load.next(), None, b""
        if following is None:
            self.transport.close()
            return
        due, data = following
        self.loop.call_later(max(0.0, due - time.perf_counter()), self.send, due, data)

    def send(self, due, data):
        self.due = due
        self.transport.write(data)

    def data_received(self, data):
        self.buffer += data
        if self.buffer.endswith(b"0\r\n\r\n"):
            self.load.latencies.append(time.perf_counter() - self.due)
            self.load.done += 1
            self.load.failed += not (self.buffer.startswith(b"HTTP/1.1 200") and b"[DONE]" in self.buffer)
            self.next()

    def connection_lost(self, _error):
        self.load.failed += self.due is not None
        if not self.over.done():
            self.over.set_result(None)


@dataclasses.dataclass
class Sample:
    """The state at one moment; latencies of what ended since the one before, in milliseconds."""

    seconds: float
    resident: int
    done: int
    failed: int
    p50: float
    p99: float
    longest: float
    rules: int
    counters: dict


def sample(proxy, load):
    values = load.take_latencies() or [0.0]
    at = time.perf_counter() - load.begun
    told = proxy.told(*COUNTERS, "rules.version")
    return Sample(round(at, 1), proxy.resident(), load.done, load.failed, 1e3 * statistics.median(values),
                  1e3 * values[len(values) * 99 // 100], 1e3 * values[-1], told.pop("rules.version"), told)


async def observe(proxy, load, samples, every):
    while True:
        await asyncio.sleep(every)
        samples.append(await asyncio.to_thread(sample, proxy, load))
        if len(samples) % 60 == 0:
            one = samples[-1]
            print(f"{one.seconds:7.0f} s {one.done:>9} answered {one.failed} failed {one.resident / 2**20:7.1f} MiB "
                  f"p50 {one.p50:.1f} ms p99 {one.p99:.1f} ms rules {one.rules}", flush=True)


async def change_rules(proxy, written):
    for version in itertools.count(written[0] + 1):
        await asyncio.sleep(RULES_EVERY)
        await asyncio.to_thread(proxy.reconfigure, plugin(version))
        written[0] = version


async def soak(options):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(stream.Upstream, "127.0.0.1", 0)
    port, samples, written = server.sockets[0].getsockname()[1], [], [1]
    with envoy.start("ecds", upstream_port=port, workers=options.workers, plugin=plugin(1)) as proxy:
        load = Load(options.minutes, options.rate, options.accounts)
        every = max(1.0, options.minutes * 60 / 1200)
        helpers = [asyncio.create_task(observe(proxy, load, samples, every)), asyncio.create_task(change_rules(proxy, written))]
        opened = [await loop.create_connection(lambda: Client(load), "127.0.0.1", proxy.port) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(client.over for _, client in opened))
        for helper in helpers:
            helper.cancel()
        until = time.monotonic() + 10
        while proxy.metric("rules.version") != written[0] and time.monotonic() < until:
            await asyncio.sleep(0.1)
        proxy.stats()  # until all is told
        samples.append(sample(proxy, load))
        proxy.check_health()
    return load, samples, written[0]


def quarter(samples, number):
    """The median of resident memory in a quarter of the time."""
    part = samples[len(samples) * number // 4: len(samples) * (number + 1) // 4]
    return statistics.median(one.resident for one in part)


def judged(load, samples, rules):
    """What is to be told, and whether all is well."""
    last = samples[-1]
    growth = quarter(samples, 3) - quarter(samples, 2)
    warm = samples[len(samples) // 4:]
    problems = [text for text, wrong in [
        (f"{load.failed} requests failed", load.failed),
        (f"{load.total - load.done} requests were never answered", load.total != load.done),
        (f"memory grew by {growth / 2**20:.1f} MiB from the third quarter to the fourth", growth > GROWTH),
        (f"{last.counters['store.lost']} writes of counters were lost", last.counters["store.lost"]),
        (f"{last.counters['host.error']} calls of the host failed", last.counters["host.error"]),
        (f"rules {last.rules} are in force, not {rules}", last.rules != rules),
        (f"{load.done - last.counters['requests.chat_completions']} requests were not judged",
         load.done != last.counters["requests.chat_completions"]),
    ] if wrong]
    return {"minutes": round(last.seconds / 60, 1), "rate": load.rate, "requests": load.done, "failed": load.failed,
            "rules_documents": rules, "resident_mib_third_quarter": round(quarter(samples, 2) / 2**20, 1),
            "resident_mib_fourth_quarter": round(quarter(samples, 3) / 2**20, 1),
            "p50_ms": round(statistics.median(one.p50 for one in warm), 2),
            "p99_ms": round(statistics.median(one.p99 for one in warm), 2),
            "longest_ms": round(max(one.longest for one in warm), 1), **last.counters, "problems": problems}


def write(folder, samples, summary):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "samples.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        names = [field.name for field in dataclasses.fields(Sample) if field.name != "counters"]
        rows.writerow(names + COUNTERS)
        rows.writerows([getattr(one, name) for name in names] + list(one.counters.values()) for one in samples)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    picture.draw(samples, summary, folder / "soak.png")


def main(options):
    load, samples, rules = asyncio.run(soak(options))
    summary = judged(load, samples, rules)
    write(options.out, samples, summary)
    print(json.dumps(summary, indent=1))
    return 1 if summary["problems"] else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, default=envoy.ROOT / "target" / "soak")
    sys.exit(main(parser.parse_args()))
