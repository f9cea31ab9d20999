"""The official SDKs before a real Envoy with the module."""
import json
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "upstream")]

import envoy  # noqa: E402
import orders  # noqa: E402
from server import Upstream  # noqa: E402


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
    plugin = {"mode": "enforce", "headers": request.param, "contact": orders.CONTACT, "rules": orders.rules()}
    with envoy.start(upstream_port=upstream.port, plugin=json.dumps(plugin),
                     stop_iteration=request.param == "held") as proxy:
        yield proxy
