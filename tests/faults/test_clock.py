"""A sidecar's clock is set while it runs: by an hour, back by a day, on by a year."""

import json

import crowd
import sidecars
from clock import Clock
from sidecars import wait


def test_a_sidecar_whose_clock_is_set_goes_on_and_proxies_with_it(start, keys, tmp_path):
    clock, rules = Clock(tmp_path / "clock"), tmp_path / "rules.json"
    # To a clock a year ahead what was seen before it is a year old, and to proxies a bundle of a clock a day behind ends a day
    # earlier: kept, and valid, for longer than that.
    options = ["--keep-days", 3650, "--expire-hours", 72]
    with clock(lambda: sidecars.Sidecar(keys, options=options)) as sidecar:
        proxy = start(plugin=sidecar.plugin(mode="enforce", headers="held", trusted_hops=2), sidecars=[sidecar.port])
        crowd.people([proxy], 200)
        crowd.harvest([proxy])
        (campaign,) = wait("the campaign is named", lambda: sidecar.get("/v1/campaigns")["campaigns"])
        wait("the proxy knows it", lambda: crowd.recognised(proxy))
        for number, written in enumerate(("+1h", "-1d", "+1y", "+0"), 1):
            before = sidecar.version()
            clock.set(written)
            rules.write_text(json.dumps({"format": 1, "version": number, "thresholds": {"observe": 4 + number / 10}}))
            sidecar.command("rules", "publish", rules)
            version = wait(f"rules under {written}", lambda: (v := sidecar.version()) > before and v)
            wait(f"they are in force under {written}", lambda: proxy.metric("rules.version") >= version)
            assert crowd.person(proxy.port, number).status == 200 and crowd.recognised(proxy)
            assert sidecar.get("/v1/rules")["version"] == number and sidecar.ask("GET", "/readyz")[0] == 200
            assert [one["name"] for one in sidecar.get("/v1/campaigns")["campaigns"]] == [campaign["name"]]
        assert proxy.metric("bundle.refused") == 0 and proxy.metric("sidecar.lost") == 0
        # It dies, and is begun anew with its clock set back: it does not wait for the lease of the one that died.
        before = sidecar.version()
        sidecar.kill()
        clock.set("-1d")
        clock(sidecar.start)
        version = wait("the duty is taken up, and something published", lambda: (v := sidecar.version()) > before and v)
        wait("it is in force", lambda: proxy.metric("rules.version") >= version)
        assert [one["name"] for one in sidecar.get("/v1/campaigns")["campaigns"]] == [campaign["name"]]
        assert "panic" not in sidecar.log() and sidecar.alive()
