"""Rules that name keys of the tests."""

import subprocess

import envoy

PROGRAM = envoy.ROOT / "target" / "release" / "azeotrope"


def digest(key, what="--account"):
    """The digest by which rules name the account of a key."""
    command = [str(PROGRAM), "digest", what, "-"]
    return subprocess.run(command, input=key, check=True, capture_output=True, text=True).stdout.strip()


def document(orders=(), **more):
    """Rules that order `(key, action)`, and what else they say."""
    deny = [{"account": digest(key), "action": action} for key, action in orders]
    return {"format": 1, "version": 7, "name": "e2e", "deny": deny, **more}
