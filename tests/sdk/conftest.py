"""The official SDKs before a real Envoy with the module."""
import json
import pathlib
import subprocess
import sys
import uuid

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "upstream")]

import envoy  # noqa: E402
from clients import CLIENTS  # noqa: E402
from server import Upstream  # noqa: E402

PROGRAM = ROOT / "target" / "release" / "azeotrope"
#: Seconds that throttled SDKs are told to wait: short, because a test waits for it.
RETRY_AFTER = 2
CONTACT = "abuse@example.com"
ACTIONS = ("throttle", "block")
#: A key of each SDK that the rules name, for each action, and a digest of it: the rules know no keys.
ORDERED = {(client.name, action): client.key_prefix + uuid.uuid5(uuid.NAMESPACE_URL, f"{client}-{action}").hex[:16].upper()
           for client in CLIENTS for action in ACTIONS}


def digest(key):
    """The digest by which rules name the account of a key (AWS: of an access key id), as an operator finds it out."""
    command = [str(PROGRAM), "digest", "--account", "-"]
    return subprocess.run(command, input=key, check=True, capture_output=True, text=True).stdout.strip()


def rules():
    """Rules that order something for every key of ORDERED, and for nobody else."""
    deny = [{"account": digest(key), "action": action, "note": f"test of {name}"}
            for (name, action), key in ORDERED.items()]
    return {"format": 1, "version": 1, "name": "sdk tests", "throttle": {"retry_after_seconds": RETRY_AFTER},
            "deny": deny}


@pytest.fixture(scope="session")
def upstream():
    """The stand-in LLM upstream."""
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def observing(upstream):
    """An Envoy with a fresh install's configuration."""
    with envoy.start(upstream_port=upstream.port, plugin={}) as proxy:
        yield proxy


@pytest.fixture(scope="module", params=["held", "streamed"])
def enforcing(request, upstream):
    """An Envoy whose rules order throttles and blocks, in both header modes."""
    plugin = {"mode": "enforce", "headers": request.param, "contact": CONTACT, "rules": rules()}
    with envoy.start(upstream_port=upstream.port, plugin=json.dumps(plugin),
                     stop_iteration=request.param == "held") as proxy:
        yield proxy
