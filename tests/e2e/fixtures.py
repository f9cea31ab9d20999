"""What tests in a real Envoy share: one stand-in upstream, signing keys, and a fresh Envoy where a test asks for one."""

import contextlib
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "upstream")]

import envoy  # noqa: E402
import sidecars  # noqa: E402
from server import Upstream  # noqa: E402


@pytest.fixture(scope="session")
def upstream():
    """The stand-in LLM upstream; `seen()` tells what reached it."""
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def keys():
    """A signing key and tokens for sidecars."""
    with sidecars.Keys() as keys:
        yield keys


@pytest.fixture
def redis():
    """A Redis of its own."""
    with sidecars.Redis() as one:
        yield one


@pytest.fixture
def pair(keys, redis):
    """Two sidecars that share a Redis."""
    with sidecars.Sidecar(keys, redis.url, "one") as one, sidecars.Sidecar(keys, redis.url, "two") as two:
        yield one, two


@pytest.fixture
def start(upstream):
    """Starts Envoys as `envoy.start` does; each must be healthy at the end of the test."""
    with contextlib.ExitStack() as running:
        def start_one(template="static", **options):
            return running.enter_context(envoy.start(template, upstream_port=upstream.port, **options))

        yield start_one
