"""Questions reach the sidecar that has the duty, whichever is asked, and go on when it dies."""

import json

import crowd
import envoy
import sidecars
from conftest import seen
from server import Upstream
from sidecars import wait


def test_any_sidecar_answers_and_what_was_counted_comes_back_after_a_takeover(keys, visit, tmp_path):
    with (Upstream() as upstream, sidecars.Redis() as redis, sidecars.Sidecar(keys, redis.url, "first") as first,
          sidecars.Sidecar(keys, redis.url, "second") as second):
        duty = wait("one has the duty", lambda: (first.get("/v1/status")["duty"] or {}).get("name"))
        holder, other = (first, second) if duty == "first" else (second, first)
        plugin = first.plugin(mode="observe", headers="held", trusted_hops=2)
        with envoy.start("static", upstream_port=upstream.port, workers=1, plugin=plugin,
                         sidecars=[first.port, second.port]) as proxy:
            crowd.people([proxy], 120)
            crowd.harvest([proxy], 20)
            name = wait("it is named", lambda: other.get("/v1/campaigns")["campaigns"], 30)[0]["name"]
            total = wait("all is counted", lambda: (n := seen(other)) >= 140 and n, 30)
        assert other.get(f"/v1/campaigns/{name}")["accounts"] == holder.get(f"/v1/campaigns/{name}")["accounts"]
        path = tmp_path / "rules.json"
        path.write_text(json.dumps({"format": 1, "version": 1, "thresholds": {"observe": 3.0, "throttle": 5.0, "block": 9.5}}))
        told = [json.loads(one.command("rules", "what-if", path, "--json", check=False).stdout) for one in (other, holder)]
        assert told[0]["comparison"] == told[1]["comparison"] and told[0]["comparison"]["requests"] >= 140
        holder.kill()
        wait("the other has the duty", lambda: other.get("/v1/status")["duty"]["name"] == other.name, 30)
        assert wait("it knows the accounts", lambda: other.get(f"/v1/campaigns/{name}")["accounts"]["total"], 30) >= 10
        assert seen(other) == total
        # And what rules are tried on: what the other had saved, and what was not joined by then.
        again = json.loads(other.command("rules", "what-if", path, "--json", check=False).stdout)
        assert again["comparison"]["requests"] >= 140 and again["comparison"]["accounts"] == told[0]["comparison"]["accounts"]
        one = visit(other, f"#/campaigns/{name}")
        assert one.page.locator(".joins .dot").count() > 5
