"""What a play of the sample showed: counted by who really sent what, and whether it is the right picture."""
import collections
import re
from dataclasses import dataclass, field

ACTIONS = ("allow", "observe", "throttle", "degrade", "block")
ENFORCED = frozenset(ACTIONS[2:])
# The picture is right when at least these shares of a harvest were acted on, over the whole play: its first
# requests pass, because one request of it looks like anybody's.
CAUGHT_EXCHANGES = 0.5
CAUGHT_ACCOUNTS = 0.5

# Reason codes in plain words, for the summary; a code without any is shown alone.
MEANING = {
    "blob_provenance": "another account's reasoning blob was sent",
    "prefix_continuity": "another account's conversation went on",
    "failover_echo": "what was refused came again from another account",
    "skeleton_spread": "one template in the requests of many unrelated accounts",
    "corpus_sweep": "question after question out of public sets",
    "cohort_synchrony": "accounts that take to one model together",
    "harvest_content": "worded like training data being made; never a reason by itself",
    "technique_search": "one payload under ever new wordings",
}

_MEMBER = re.compile(r'([a-z*][a-z0-9_.*-]*)=(\([^)]*\)|"[^"]*"|[^,;\s]+)')


@dataclass(frozen=True)
class Label:
    """Who really sent an exchange. The filter never sees it."""

    account: str
    org: str
    actor: str
    kind: str

    @property
    def harvest(self):
        return self.actor != "benign"

    @property
    def group(self):
        """The line of the table that this exchange belongs to."""
        if self.harvest:
            return f"{self.actor} (harvest)"
        for prefix, name in _CROWDS.items():
            if self.org.startswith(prefix):
                return name
        return f"{self.org} (organisation)"


_CROWDS = {"person-": "people", "app-": "users of a coding app", "viral-": "people passing a prompt around"}


@dataclass(frozen=True)
class Outcome:
    """What became of an exchange."""

    action: str
    reasons: tuple[str, ...] = ()
    score: str = ""
    campaign: str = ""


def parse_label(text):
    """The filter's label, an RFC 9651 dictionary: `action=observe, score=312, reasons=(a b)`. Also `reasons=a`."""
    members = dict(_MEMBER.findall(text.lower()))
    reasons = members.get("reasons", members.get("reason", "")).strip("()").replace('"', " ").split()
    action = members.get("action", "allow").strip('"')
    return Outcome(action if action in ACTIONS else "allow", tuple(reason.split(";")[0] for reason in reasons),
                   members.get("score", ""), members.get("campaign", "").strip('"?'))


@dataclass
class Tally:
    """One line of the table."""

    harvest: bool
    accounts: set = field(default_factory=set)
    enforced_accounts: set = field(default_factory=set)
    actions: collections.Counter = field(default_factory=collections.Counter)
    reasons: collections.Counter = field(default_factory=collections.Counter)
    first_enforced: tuple | None = None  # (exchanges, accounts) of this group until then

    def add(self, label, outcome):
        self.accounts.add(label.account)
        self.actions[outcome.action] += 1
        self.reasons.update(outcome.reasons)
        if outcome.action in ENFORCED:
            self.enforced_accounts.add(label.account)
            self.first_enforced = self.first_enforced or (self.exchanges, len(self.accounts))

    @property
    def exchanges(self):
        return self.actions.total()

    @property
    def enforced(self):
        return sum(self.actions[action] for action in ENFORCED)


class Picture:
    """All tallies of a play."""

    def __init__(self):
        self.tallies = {}

    def add(self, label, outcome):
        tally = self.tallies.setdefault(label.group, Tally(label.harvest))
        tally.add(label, outcome)
        return tally

    def table(self):
        """The table as lines of text: harvests first, then the honest, biggest first."""
        head = f"{'who':33}{'accounts':>9}{'sent':>6}" + "".join(f"{name:>10}" for name in _COLUMNS) + "  reasons"
        rows = sorted(self.tallies.items(), key=lambda item: (not item[1].harvest, -item[1].exchanges))
        return [head, *[_row(name, tally) for name, tally in rows]]

    def problems(self):
        """Why the picture is not right; empty when it is."""
        found = []
        harvests = {name: tally for name, tally in self.tallies.items() if tally.harvest}
        if not harvests:
            found.append("the sample held no harvest: nothing was shown")
        for name, tally in harvests.items():
            if tally.enforced < CAUGHT_EXCHANGES * tally.exchanges:
                found.append(f"{name}: {tally.enforced} of {tally.exchanges} exchanges were acted on, "
                             f"at least {CAUGHT_EXCHANGES:.0%} should have been")
            if len(tally.enforced_accounts) < CAUGHT_ACCOUNTS * len(tally.accounts):
                found.append(f"{name}: {len(tally.enforced_accounts)} of {len(tally.accounts)} accounts were acted on, "
                             f"at least {CAUGHT_ACCOUNTS:.0%} should have been")
        for name, tally in self.tallies.items():
            if not tally.harvest and tally.enforced:
                found.append(f"{name}: {tally.enforced} honest exchanges of {len(tally.enforced_accounts)} accounts "
                             f"were acted on ({', '.join(tally.reasons)}), none should have been")
        return found

    def story(self):
        """Sentences on when each harvest was caught, why, and whom it did not touch."""
        lines = []
        for name, tally in self.tallies.items():
            if tally.harvest and tally.first_enforced:
                exchanges, accounts = tally.first_enforced
                lines.append(f"{name}: first acted on at its exchange {exchanges}, when {accounts} of its accounts had "
                             f"shown; {tally.enforced} of {tally.exchanges} exchanges and "
                             f"{len(tally.enforced_accounts)} of {len(tally.accounts)} accounts in all. "
                             "Why:")
                lines += [f"  {reason:20} {count:>5} exchanges  {MEANING.get(reason, '')}".rstrip()
                          for reason, count in tally.reasons.most_common()]
        honest = [tally for tally in self.tallies.values() if not tally.harvest]
        sent, acted = sum(tally.exchanges for tally in honest), sum(tally.enforced for tally in honest)
        lines.append(f"honest senders: {acted} of {sent} exchanges acted on.")
        return lines


_COLUMNS = {"allowed": "allow", "observed": "observe", "throttled": "throttle", "degraded": "degrade",
            "blocked": "block"}


def _row(name, tally):
    counts = "".join(f"{tally.actions[action] or '·':>10}" for action in _COLUMNS.values())
    reasons = ", ".join(reason for reason, _ in tally.reasons.most_common(3)) or "-"
    return f"{name:33}{len(tally.accounts):>9}{tally.exchanges:>6}{counts}  {reasons}"
