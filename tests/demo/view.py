"""The live view: a line for each notable event and, on a terminal, a table that runs below them."""
import os
import sys
import time

from picture import ENFORCED

SINGLY = 8  # accounts of a group whose first action gets a line of its own; after that every tenth
PROGRESS_EVERY = 250  # exchanges, where the output is no terminal
REDRAW_SECONDS = 0.2
WIDTH = 120  # of a terminal that does not say
_COLOURS = {"observe": "36", "throttle": "33", "degrade": "35", "block": "31", "start": "1"}


class View:
    """Shows a play as it happens. `out` defaults to standard output."""

    def __init__(self, picture, total, out=None):
        self._picture, self._total, self._out = picture, total, out or sys.stdout
        self._live = self._out.isatty()
        self._drawn, self._next_draw, self._count = 0, 0.0, 0
        self._told, self._heard, self._explained, self._harvests = set(), set(), set(), set()

    def exchange(self, at, label, outcome, tally):
        """Takes note of an exchange that was already added to the picture. `at`: the trace's own time, HH:MM."""
        self._count += 1
        if label.harvest and label.actor not in self._harvests:
            self._harvests.add(label.actor)
            self._event(at, "start", f"{label.group} begins; nothing tells the filter so")
        if outcome.action in ENFORCED:
            self._enforced(at, label, outcome, tally)
        elif outcome.action == "observe" and (label.group, outcome.reasons) not in self._heard:
            self._heard.add((label.group, outcome.reasons))
            self._event(at, "observe", f"account {label.account} of {label.group}: {_why(outcome)}")
        if self._live:
            self._draw()
        elif self._count % PROGRESS_EVERY == 0:
            acted = sum(tally.enforced for tally in self._picture.tallies.values())
            self._print(f"{at}  {self._count} of {self._total} exchanges, {acted} acted on")

    def close(self):
        """Takes the running table away; the summary follows."""
        self._erase()
        self._out.flush()

    def _enforced(self, at, label, outcome, tally):
        if (label.account, outcome.action) in self._told:
            return
        self._told.add((label.account, outcome.action))
        reached = len(tally.enforced_accounts)
        if reached <= SINGLY or reached % 10 == 0 or not label.harvest:
            more = f", number {reached} of it" if reached > 1 else ""
            known = (label.group, outcome.reasons) in self._explained
            self._explained.add((label.group, outcome.reasons))
            why = f"the same, score {_score(outcome)}" if known else _why(outcome)
            self._event(at, outcome.action, f"account {label.account} of {label.group}{more}: {why}")

    def _event(self, at, action, text):
        word = f"{action:9}"
        if self._live:
            word = f"\x1b[{_COLOURS[action]}m{word}\x1b[0m"
        self._erase()
        self._print(f"{at}  {word} {text}")

    def _draw(self):
        if time.monotonic() < self._next_draw:
            return
        self._next_draw = time.monotonic() + REDRAW_SECONDS
        self._erase()
        lines = ["", f"{self._count} of {self._total} exchanges", *self._picture.table()]
        width = _columns(self._out)
        for line in lines:
            self._print(line[:width])
        self._drawn = len(lines)

    def _erase(self):
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _print(self, line):
        self._out.write(line + "\n")
        self._out.flush()


def _why(outcome):
    reasons = ", ".join(outcome.reasons) or "no reason given"
    return reasons + (f", score {_score(outcome)}" if outcome.score else "")


def _score(outcome):
    """The score as it is read: one decimal is enough."""
    try:
        return f"{float(outcome.score):.1f}"
    except ValueError:
        return outcome.score or "-"


def _columns(out):
    try:
        return os.get_terminal_size(out.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH
