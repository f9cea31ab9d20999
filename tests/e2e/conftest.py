"""An Envoy for all tests of a module, in every way in which the filter is deployed."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import envoy  # noqa: E402
from fixtures import keys, pair, redis, start, upstream  # noqa: E402, F401


# What the filter must get right in every way it is deployed: workers, and whether request headers can be held.
DEPLOYMENTS = {
    "1-worker-held": dict(workers=1, stop_iteration=True),
    "2-workers-held": dict(workers=2, stop_iteration=True),
    "1-worker-like-istio": dict(workers=1, stop_iteration=False, vm_id=""),
    "2-workers-like-istio": dict(workers=2, stop_iteration=False, vm_id=""),
}


@pytest.fixture(scope="module", params=list(DEPLOYMENTS))
def proxy(request, upstream):
    """An Envoy for all tests of a module, with the plugin configuration `{}`, in each deployment."""
    with envoy.start("static", upstream_port=upstream.port, **DEPLOYMENTS[request.param]) as one:
        yield one
