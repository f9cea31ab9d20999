"""What a case is, and what may hold of one.

A case sends one request in a way that might get it past the filter, and says what must come of it and why that is enough.
"""

import dataclasses
import typing

import client
import prompts

KEY = "sk-bypass-0123456789abcdef"
AUTH = [("authorization", f"Bearer {KEY}")]
JSON = [("content-type", "application/json")]


@dataclasses.dataclass(frozen=True)
class Same:
    """Judged as the plain request is: the same account, and the template known by the key of this place. `truncated`: and
    told that only the beginning was read."""

    place: str = "head"
    truncated: bool = False


@dataclasses.dataclass(frozen=True)
class Told:
    """Judged for its account, and upstream, log and metrics are told that it could not be read (`unread`) or not all of
    it (`truncated`)."""

    reason: str = "unread"


@dataclasses.dataclass(frozen=True)
class Refused:
    """Answered with a 4xx (of Envoy's, which is told with `by`: its response code details); upstream got nothing whole."""

    status: int
    by: str = ""


@dataclasses.dataclass(frozen=True)
class Untouched:
    """Passed to upstream as it came, without a verdict: upstream makes no LLM call of it."""


@dataclasses.dataclass(frozen=True)
class Lost:
    """A limit: judged for its account and its conversation, but the template is not known again. The reason says what it
    costs the sender, and the README names it."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One row."""

    name: str
    why: str
    send: typing.Callable
    holds: object = Same()


CASES = []


def case(name, send, holds, why):
    """Adds a row."""
    assert why and name not in [row.name for row in CASES], name
    CASES.append(Case(name, why, send, holds))


def post(body=None, headers=(), path=client.CHAT, auth=AUTH, kind=JSON):
    """Sends a POST with content-length."""
    return lambda port: client.post(port, path, prompts.body() if body is None else body, [*auth, *kind, *headers])


def says(text=None, **more):
    """Sends a Chat Completions call whose user says `text`."""
    return post(prompts.body(text, **more))


def raw(pieces, pause=0.0):
    """Sends bytes as they are."""
    return lambda port: client.raw(port, pieces, pause)
