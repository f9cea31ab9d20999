"""Gateways as Istio and Envoy Gateway make them, run in a real Envoy."""

import contextlib
import pathlib
import sys

import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "upstream")]

import envoy  # noqa: E402
import fetch_deploy_tools  # noqa: E402
from server import Upstream  # noqa: E402

DEPLOY = envoy.ROOT / "envoy"


@pytest.fixture(scope="session", autouse=True)
def tools():
    """helm and the schemas."""
    if not fetch_deploy_tools.DIRECTORY.exists():
        fetch_deploy_tools.fetch()


@pytest.fixture(scope="session")
def upstream():
    """The stand-in LLM upstream."""
    with Upstream() as server:
        yield server


class AsWritten:
    """Leaves the filter as a manifest has it; only the module is where this machine has it."""

    def apply(self, config):
        config["vm_config"]["code"] = {"local": {"filename": str(envoy.MODULE)}}


@pytest.fixture
def run(upstream, tmp_path):
    """Runs a gateway's configuration; `extension` is what its ECDS delivers. Each must be healthy at the end."""
    running = contextlib.ExitStack()

    def run_one(config, extension=None):
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(config))
        ecds = None
        if extension:
            AsWritten().apply(extension["typed_config"]["config"])
            (tmp_path / "ecds").mkdir()
            ecds = tmp_path / "ecds" / "extension.yaml"
            ecds.write_text(yaml.safe_dump({"resources": [extension]}))
        one = envoy.Envoy(tmp_path / "gateway.yaml", upstream.port, 1, AsWritten(), (), "edge", ecds)
        return running.enter_context(one)

    with running:
        yield run_one


def documents(name):
    """The resources of a file below envoy/."""
    return [one for one in yaml.safe_load_all((DEPLOY / name).read_text()) if one]


def gateway():
    """A gateway without the filter: what a control plane makes before it hears of the filter."""
    config = yaml.safe_load((DEPLOY / "static.yaml").read_text())
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = [one for one in manager["http_filters"] if one["name"] != "azeotrope"]
    for host in manager["route_config"]["virtual_hosts"]:
        del host["request_body_buffer_limit"]
    # What Istio and Envoy Gateway give a listener.
    config["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = 32768
    config["static_resources"]["clusters"] = [one for one in config["static_resources"]["clusters"] if one["name"] == "llm"]
    return config, manager
