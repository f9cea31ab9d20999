"""The digest key is rotated while a campaign is in progress: it goes on under its name, and who is new in it is refused."""

import crowd
import sidecars
from sidecars import wait

OLD, NEW = "00000000000000000000000000000001", "00000000000000000000000000000002"
PLUGIN = {"mode": "enforce", "headers": "held", "trusted_hops": 2}


def campaigns(sidecar):
    return sidecar.get("/v1/campaigns")["campaigns"]


def test_a_campaign_goes_on_under_its_name_through_a_rotation(keys, start):
    with sidecars.Sidecar(keys) as sidecar:
        proxies = []

        def proxy(node, **digest_key):
            """One that has seen nothing itself, with these keys and what is published."""
            plugin = sidecar.plugin(**PLUGIN, digest_key=digest_key)
            one = start(plugin=plugin, sidecars=[sidecar.port], node=node)
            wait("what is published is in force", lambda: one.metric("rules.version") >= sidecar.version() > 0)
            proxies.append(one)
            return one

        def told():
            """Until the sidecar has heard of every request."""
            count = sum(one.requests()[0] for one in proxies)
            wait(f"{count} requests are heard of", lambda: sidecar.get("/v1/status")["today"]["requests"] >= count)

        before = [proxy(node, current=OLD) for node in ("before-a", "before-b")]
        crowd.people(before, 240)
        assert crowd.harvest(before) == [200] * 14
        [named] = wait("the campaign is named", lambda: campaigns(sidecar))
        told()
        both = proxy("both", current=NEW, previous=OLD)
        wait("it is published", lambda: crowd.recognised(both))
        # By what was told of it under the old key; the accounts of before and new ones.
        known = [crowd.bot(both.port, n).status for n in range(14)]
        fresh = [crowd.bot(both.port, n).status for n in range(100, 110)]
        assert known.count(200) <= 1 and set(fresh) <= {429, 403}, (known, fresh)
        assert all(crowd.person(both.port, n).status == 200 for n in range(60))
        told()
        after = proxy("after", current=NEW)
        # By the new key alone.
        wait("the new names are in force", lambda: crowd.bot(after.port, 200).status in (429, 403))
        fresh = [crowd.bot(after.port, n).status for n in range(300, 310)]
        assert set(fresh) <= {429, 403}, fresh
        assert all(crowd.person(after.port, n).status == 200 for n in range(60))
        assert [campaign["name"] for campaign in campaigns(sidecar)] == [named["name"]]
