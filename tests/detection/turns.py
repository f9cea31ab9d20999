"""Senders that take turns, and those that only seem to: what `compose.py` adds for cohort synchrony.

Hostile: `dispatcher`, a pool whose manager always takes the account that has rested longest (`order`: "rest"; "random" takes any),
at a rate that changes from batch to batch, with pauses between batches in which all of it is silent (`system`: a template of the
scenario's own, so one that nobody else sends). Honest ones do what looks the same: `scheduled` (one tool's users, each at its own
minute of every period), `habits` (the same by hand, late or early), `polling` (a tool that asks every few minutes while an office
is open), `workshop` (a class that does one exercise after another together), `rota` (a firm that gives each request to its next
key, each on its own network).
"""
import heapq
from collections import deque


def senders(generate):
    class Turns:
        """A mixin for the composed trace."""

        def told(self, spec, kind, rows, name):
            """A crowd's own tool: its system prompt goes before a payload that nobody else has."""
            row = self.fresh(self.rng.choice(rows))
            return dict(row, kind=kind, system=f"You are {name}. {spec['own']} " + (row.get("system") or ""), messages=row["messages"][-1:])

        def tool(self, spec, n):
            """What the users of one tool have in common: its program and the provider that it comes with."""
            rng, kind = self.rng, spec.get("kind", "summarisation")
            spec = spec | {"own": " ".join(rng.choice(self.c.sentences) for _ in range(2))}
            name = f"{spec.get('name', spec['sender'])}-{n}"
            same = self.setup(spec) | {"ua": f"{name}/1.0"}
            users = self.accounts(spec, name, **same)
            # A tool may have several ends, releases that are still in use, and ways to set it that it offers. What comes before the
            # first digit is a program's name.
            brand = f"{spec.get('name', spec['sender'])}-{chr(ord('a') + n)}"
            ends = [f"{brand}{end}/1.{release}" for end in ["", "-mobile", "-web"][:spec.get("ends", 1)] for release in range(spec.get("releases", 1))]
            if spec.get("unbranded"):
                ends = rng.sample(generate.SDKS, spec["ends"])
            ways = [same["habits"], *(generate.habits_of(rng) for _ in range(1, spec.get("ways", 1)))]
            if len(ends) * len(ways) > 1:
                for account in users:
                    account.ua, account.habits = rng.choice(ends), rng.choice(ways)
            return spec, kind, self.c.rows(kind, spec.get("source")), name, users

        # ---- hostile

        def dispatcher(self, spec, n):
            rng, name = self.rng, spec["name"]
            several = range(spec.get("programs", 3))
            programs, settings = [rng.choice(generate.SDKS) for _ in several], [generate.habits_of(rng) for _ in several]
            dialect = spec.get("dialect") or rng.choices(*zip(*generate.DIALECT_WEIGHTS))[0]
            pool = [generate.Account(rng, f"{name}-{k}", dialect, rng.choice(programs), habits=rng.choice(settings)) for k in range(spec["accounts"])]
            span, begin = self.hours * 3600 * 0.9, self.start + self.hours * 360
            sources = [(kind, source) for kind in spec["kinds"] for source in spec.get("sources", self.c.by_kind[kind]) if (kind, source) in self.c.by_source]
            # Accounts join over the first part of it; a third are lost on the way.
            joins = deque(sorted((begin + span * spec.get("joining", 0.1) * rng.random(), k) for k in range(len(pool))))
            ends = [begin + span * (1 if rng.random() < 0.67 else rng.random()) for _ in pool]
            rested, busy, t, left = deque(), [], joins[0][0], spec["requests"]
            mean, batch, pace = span / spec["requests"] * (1 - spec.get("idle", 0.3)), 0, 1.0
            while left > 0 and t < begin + span:
                if batch == 0:
                    batch, pace = 1 + int(rng.expovariate(1 / spec.get("batch", 300))), rng.lognormvariate(0, spec.get("uneven", 0.5))
                    t += rng.expovariate(1 / (mean * spec.get("batch", 300) * spec.get("idle", 0.3) / (1 - spec.get("idle", 0.3)) + 1))
                t += rng.expovariate(1 / (mean * pace))
                while joins and joins[0][0] <= t:
                    rested.append(joins.popleft()[1])
                while busy and busy[0][0] <= t:
                    rested.append(heapq.heappop(busy)[1])
                rested = deque(k for k in rested if ends[k] > t)
                if not rested:
                    continue
                if spec.get("order", "rest") == "random":
                    rested.rotate(-rng.randrange(len(rested)))
                k = rested.popleft()
                heapq.heappush(busy, (t + rng.lognormvariate(3.0, 0.7), k))
                if rng.random() < spec.get("dilution", 0.3):
                    self.add(t, pool[k], self.chat(), name, "cover", "cover")
                else:
                    key = rng.choice(sources)
                    row = self.fresh(rng.choice(self.c.by_source[key]))
                    self.add(t, pool[k], dict(row, system=spec["system"]) if "system" in spec else row, name, *key)
                left, batch = left - 1, batch - 1

        # ---- honest

        def scheduled(self, spec, n):
            rng = self.rng
            spec, kind, rows, name, users = self.tool(spec, n)
            for account in users:
                t = self.start + rng.random() * spec["period"] * spec.get("skew", 1.0)
                first = self.start + rng.random() ** 2 * self.hours * 1800
                while t < self.start + self.hours * 3600:
                    if t > first and rng.random() < 0.97:
                        self.add(t + rng.expovariate(1 / 4), account, self.told(spec, kind, rows, name), "benign", kind, "scheduled")
                    t += spec["period"]

        def habits(self, spec, n):
            rng = self.rng
            spec, kind, rows, name, users = self.tool(spec, n)
            for account in users:
                at = rng.random() * spec["period"]
                for k in range(int(self.hours * 3600 / spec["period"])):
                    t = self.start + k * spec["period"] + at + rng.gauss(0, spec["period"] / 24)
                    if self.start < t < self.start + self.hours * 3600 and rng.random() < 0.9:
                        self.add(t, account, self.told(spec, kind, rows, name), "benign", kind, "habits")

        def polling(self, spec, n):
            rng = self.rng
            spec, kind, rows, name, users = self.tool(spec, n)
            for account in users:
                for day in range(int(self.hours // 24)):
                    opens = self.start + day * 86400 + 9 * 3600 + rng.gauss(0, 600)
                    t, closes = opens, opens + 8 * 3600 + rng.gauss(0, 900)
                    while t < closes:
                        self.add(t + rng.expovariate(1 / 3), account, self.told(spec, kind, rows, name), "benign", kind, "polling")
                        t += spec["period"]

        def workshop(self, spec, n):
            rng = self.rng
            spec, kind, rows, name, users = self.tool(spec, n)
            speed, t = [rng.random() for _ in users], self.moment() * 0.5 + self.start * 0.5
            for _ in range(spec["rounds"]):
                pace = 120 + rng.random() * 600
                for account, quick in zip(users, speed):
                    if rng.random() < 0.95:
                        self.add(t + pace * (0.5 * quick + 0.5 * rng.random()), account, self.told(spec, kind, rows, name), "benign", kind, "workshop")
                t += pace + rng.expovariate(1 / 300)

        def rota(self, spec, n):
            rng = self.rng
            spec, kind, rows, name, keys = self.tool(spec, n)
            t = self.start + rng.random() * 3600
            for k in range(spec["requests"]):
                if k % 50 == 0:
                    pace = rng.lognormvariate(0, 0.6) * self.hours * 3600 / spec["requests"] * 0.8
                t += rng.expovariate(1 / pace)
                if t < self.start + self.hours * 3600:
                    self.add(t, keys[k % len(keys)], self.told(spec, kind, rows, name), "benign", kind, "rota")

    return Turns
