#!/usr/bin/env python3
"""Makes the pictures of the console that README shows: `make console-shots`.

Plays the sample of `make demo` (tests/demo/SAMPLE.md) through a real Envoy to a real sidecar whose clock runs fast, so
that two minutes are most of a day, changes rules as people do, and takes the pictures in Chromium.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(HERE), str(TESTS / "e2e"), str(TESTS / "upstream"), str(TESTS / "demo")]
import envoy  # noqa: E402
import sidecars  # noqa: E402
from browser import FLAGS, Visit  # noqa: E402
from clock import Clock  # noqa: E402
from play import Player, read_sample  # noqa: E402
from server import Upstream  # noqa: E402
from sidecars import wait  # noqa: E402

SPEED = 500
RATE = 20
LARGEST = 150_000


def publish(sidecar, who, note, **more):
    """Rules into force, as somebody does."""
    document = {"format": 1, "version": 1, "name": "production", **more}
    token = {"ann": "ann-shows-this-token", "bob": "bob-shows-this-token"}[who]
    status, _, body = sidecar.ask("PUT", "/v1/rules?force=true&note=" + note.replace(" ", "%20"), json.dumps(document),
                                  [("authorization", f"Bearer {token}"), ("x-azeotrope-client", "console")])
    assert status == 200, body


def play(proxy, sidecar, sample):
    player = Player(proxy.port, RATE)
    changes = {len(sample) // 8: ("ann", "first rules", {"thresholds": {"observe": 4.5}}),
               len(sample) // 2: ("bob", "fewer labels on weekdays", {"thresholds": {"observe": 4.8}})}
    for number, (exchange, _) in enumerate(sample):
        if number in changes:
            who, note, more = changes[number]
            publish(sidecar, who, note, **more)
        player.send(exchange)
    player.close()


def counted(sidecar):
    """Requests that the sidecar tells of over time."""
    return sum(sum(row[1:6]) for row in sidecar.get("/v1/traffic?step=hour")["rows"])


def pictures(sidecar, chromium):
    """(name, dark, address, what is done first)"""
    name = max(sidecar.get("/v1/campaigns")["campaigns"], key=lambda one: one["accounts"])["name"]
    return [("console-overview-light", False, "#/", None), ("console-campaign-dark", True, f"#/campaigns/{name}", None),
            ("console-thresholds-light", False, "#/thresholds", move)]


def move(page):
    page.get_by_label("throttle, in nats").fill("18")
    page.get_by_label("throttle, in nats").press("Tab")
    page.wait_for_selector("#outcome:not(.busy) #no-longer:not(:text-is('0'))", timeout=30_000)
    page.evaluate("document.activeElement.blur()")


def take(sidecar, folder):
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
        for name, dark, address, first in pictures(sidecar, browser):
            visit = Visit(browser, sidecar, dark=dark, size=(1200, 860))
            visit.open(address)
            visit.login("bob-shows-this-token")
            if first:
                first(visit.page)
            visit.page.wait_for_timeout(300)
            visit.page.evaluate("document.querySelector('.bar').style.position = 'static'")
            path = folder / f"{name}.png"
            visit.page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": 1200, "height": 1080})
            visit.check()
            visit.close()
            subprocess.run(["pngquant", "--force", "--ext", ".png", "--nofs", "--speed", "1", "64", str(path)], check=True)
            assert path.stat().st_size <= LARGEST, f"{path}: {path.stat().st_size} bytes"
            print(path)
        browser.close()


def main():
    sample = read_sample(TESTS / "demo" / "sample.jsonl.xz", TESTS / "demo" / "sample-labels.tsv")
    hours = SPEED * (len(sample) / RATE + 30) / 3_600
    with Upstream() as upstream, sidecars.Keys() as keys, sidecars.Redis() as redis:
        (keys.dir / "admin").write_text("ann ann-shows-this-token\nbob bob-shows-this-token\n")
        # It begins hours ago and runs fast; Redis keeps the leases' real time.
        begin = time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - hours * 3_600))
        clock = Clock(keys.dir / "clock", f"{begin} x{SPEED}")
        with clock(lambda: sidecars.Sidecar(keys, redis.url, "sidecar-1", options=["--expire-hours", 48])) as sidecar:
            plugin = sidecar.plugin(mode="observe", headers="held", trusted_hops=2)
            with envoy.start(upstream_port=upstream.port, workers=2, plugin=plugin, sidecars=[sidecar.port], node="edge-a") as proxy:
                play(proxy, sidecar, sample)
                wait("a campaign is named", lambda: sidecar.get("/v1/campaigns")["campaigns"], 30)
                # From where it is it goes on as others do.
                clock.set(f"{round(sidecar.get('/v1/status')['now'] / 1_000 - time.time()):+d} x1")
                wait("the proxy is heard", lambda: len(sidecar.get("/v1/status")["filters"]) == 2, 30)
                wait("all is counted", lambda: counted(sidecar) >= len(sample), 60)
                take(sidecar, pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)


if __name__ == "__main__":
    main()
