"""Everything is killed in turn (-9), under load: traffic goes on, and what a sidecar acknowledged is joined in the end."""

from load import Load
from sidecars import wait

PLUGIN = {"mode": "enforce", "trusted_hops": 2}
ACCOUNT = [("authorization", "Bearer one-account")]


def acknowledged(proxy):
    return proxy.told("sidecar.sent")


def joined(pair):
    """Requests that were joined. Today's of /v1/status are told once a batch is kept: a kill in between takes some of them."""
    rows = pair[0].get("/v1/traffic?step=hour")["rows"]
    return sum(sum(row[1:7]) for row in rows)


def test_nothing_that_was_acknowledged_is_lost_whatever_is_killed(start, pair, redis):
    proxy = start(workers=2, plugin=pair[0].plugin(**PLUGIN), sidecars=[one.port for one in pair])
    wait("observations are taken", lambda: send(proxy) and acknowledged(proxy) > 0)
    with Load(proxy.port, headers=ACCOUNT) as load:
        for victim in (*pair, redis, *pair):
            before = acknowledged(proxy)
            victim.kill()
            passed = len(load.statuses)
            wait("traffic goes on", lambda: len(load.statuses) > passed + 20)
            victim.start()
            wait("observations are taken again", lambda: acknowledged(proxy) > before, 30)
    assert set(load.statuses) == {200} and not load.errors, (set(load.statuses), load.errors[:3])
    before = acknowledged(proxy)
    proxy.kill()
    wait("what the first process sent is joined", lambda: joined(pair) >= before, 30)
    # What it was told last is what a new process of the same Envoy is told.
    proxy.start_again()
    with Load(proxy.port, headers=ACCOUNT) as load:
        wait("observations are taken again", lambda: acknowledged(proxy) > 20, 30)
    assert set(load.statuses) == {200} and not load.errors
    after = acknowledged(proxy)
    wait("and so is what the second sent", lambda: joined(pair) >= before + after, 30)
    assert proxy.metric("sidecar.lost") == 0


def send(proxy):
    """One request."""
    with Load(proxy.port, threads=1, headers=ACCOUNT) as load:
        wait("an answer", lambda: load.statuses)
    return set(load.statuses) == {200}
