"""A sidecar that has seen real traffic through a real Envoy, and a real Chromium that looks at it."""

import os
import pathlib
import shutil
import sys

import pytest
from playwright.sync_api import sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "upstream")]

import crowd  # noqa: E402
import envoy  # noqa: E402
import sidecars  # noqa: E402
from browser import FLAGS, Visit  # noqa: E402
from server import Upstream  # noqa: E402
from sidecars import wait  # noqa: E402

PEOPLE, HARVEST = 200, 24


@pytest.fixture(scope="session")
def keys():
    """A signing key, and tokens: of filters, of an admin without a name, of bob, and of eve, who may only read."""
    with sidecars.Keys() as keys:
        (keys.dir / "admin").write_text(f"{sidecars.ADMIN}\nbob {BOB}\n")
        (keys.dir / "readers").write_text(f"# may look\neve {EVE}\n")
        yield keys


BOB, EVE = "bob-shows-this-token", "eve-shows-this-token"


@pytest.fixture(scope="session")
def fleet(keys):
    """(sidecar, Envoy) after people and a harvest came by."""
    with Upstream() as upstream, sidecars.Sidecar(keys, options=["--refuse-from", 1]) as sidecar:
        plugin = sidecar.plugin(mode="observe", headers="held", trusted_hops=2)
        with envoy.start("static", upstream_port=upstream.port, workers=1, plugin=plugin, sidecars=[sidecar.port]) as proxy:
            crowd.people([proxy], PEOPLE)
            crowd.harvest([proxy], HARVEST)
            wait("the campaign is named", lambda: sidecar.get("/v1/campaigns")["campaigns"], 30)
            wait("the proxy has heard of it", lambda: crowd.recognised(proxy), 30)
            # Whoever was there before is now seen as a member of it.
            crowd.harvest([proxy], HARVEST)
            wait("all is joined", lambda: seen(sidecar) >= len(proxy.access_log()), 30)
            yield sidecar, proxy


def seen(sidecar):
    """Requests that the sidecar tells of over time."""
    return sum(sum(row[1:6]) for row in sidecar.get("/v1/traffic?step=hour")["rows"])


@pytest.fixture(scope="session")
def sidecar(fleet):
    return fleet[0]


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, headless."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "no chromium (Debian: apt install chromium; or name one with CHROMIUM=/path)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """`visit(sidecar, ...)` opens the console as a person would; what must hold on any page is checked at the end."""
    visits = []

    def open_one(of, path="", **options):
        visits.append(Visit(chromium, of, **options))
        return visits[-1].open(path)

    yield open_one
    try:
        for one in visits:
            one.check()
    finally:
        for one in visits:
            one.close()
