"""The real Envoy of tests/e2e, with rules that know the plain request's template and say by which of its keys."""

import json
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "bypass"), str(TESTS / "e2e"), str(TESTS / "upstream")]

import envoy  # noqa: E402
import prompts  # noqa: E402
from server import Upstream  # noqa: E402

PROGRAM = envoy.ROOT / "target" / "release" / "azeotrope"
PLACES = {"head": "Head", "tail": "Tail", "part": "UserPart", "system": "System"}


def keys(text, system=None):
    """The keys of a plain request's template: {place: [digest]}."""
    body = json.dumps({"messages": prompts.messages(text, system)})
    command = [str(PROGRAM), "digest", "--skeleton", "-", "--json"]
    found = json.loads(subprocess.run(command, input=body, check=True, capture_output=True, text=True).stdout)
    return {name: [key["digest"] for key in found if key["place"] == place] for name, place in PLACES.items()}


def rules():
    """Rules in which each place's keys are a campaign of its name: the label says by which a request was known."""
    known = {**keys(prompts.prompt(prompts.PLAIN)), "system": keys(prompts.PLAIN, prompts.SYSTEM)["system"]}
    assert all(known.values()), known
    campaigns = [{"id": place, "confirmed": True, "skeletons": digests} for place, digests in known.items()]
    return {"format": 1, "version": 1, "name": "bypass", "campaigns": campaigns}


@pytest.fixture(scope="session")
def upstream():
    """The stand-in LLM upstream; `seen()` tells what reached it."""
    with Upstream() as server:
        yield server


DEPLOYMENTS = {
    "held": dict(workers=1, stop_iteration=True),
    "like-istio": dict(workers=2, stop_iteration=False, vm_id=""),
}


@pytest.fixture(scope="session", params=list(DEPLOYMENTS))
def proxy(request, upstream):
    """An Envoy in observe mode with the rules above; healthy at the end of all cases."""
    plugin = json.dumps({"rules": rules()})
    with envoy.start("static", upstream_port=upstream.port, plugin=plugin, **DEPLOYMENTS[request.param]) as one:
        yield one
