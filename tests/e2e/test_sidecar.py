"""One sidecar with the embedded store: rules on disk and through the interface, ECDS, and what is refused."""

import contextlib
import json
import os
import re
import resource
import select
import signal
import socket
import struct
import time

import crowd
import envoy
import pytest
import sidecars
from sidecars import wait

RULES = {"format": 1, "version": 1, "thresholds": {"observe": 4.0}}


def document(**thresholds):
    return json.dumps({**RULES, "thresholds": thresholds})


def in_force(sidecar):
    """The document in force."""
    return sidecar.get("/v1/rules")


def observes_at(sidecar, nats):
    return in_force(sidecar)["thresholds"].get("observe") == nats


def test_every_way_of_changing_the_file_is_noticed(keys, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    path = folder / "rules.json"
    path.write_text(document(observe=4.1))
    with sidecars.Sidecar(keys, options=["--rules", path]) as sidecar:
        wait("the file as it was", lambda: observes_at(sidecar, 4.1))
        path.write_text(document(observe=4.2))
        wait("an edit in place", lambda: observes_at(sidecar, 4.2))
        beside = folder / "beside"
        beside.write_text(document(observe=4.3))
        beside.rename(path)
        wait("a rename over it", lambda: observes_at(sidecar, 4.3))
        # What Kubernetes does with a ConfigMap: a file in a folder that a link's link names.
        for number, nats in enumerate((4.15, 4.25)):
            data = folder / f"..{number}"
            data.mkdir()
            (data / "rules.json").write_text(document(observe=nats))
            os.symlink(data.name, folder / "..new")
            os.rename(folder / "..new", folder / "..data")
            if number == 0:
                path.unlink()
                os.symlink("..data/rules.json", path)
            wait(f"a link that is swapped, {nats}", lambda: observes_at(sidecar, nats))
        path.unlink()
        path.write_text("{\"format\": 1, \"version\": 1, \"thresholdz\": {}}")
        wait("what is wrong is told", lambda: "did you mean `thresholds`" in sidecar.log())
        assert observes_at(sidecar, 4.25)
        path.unlink()
        wait("and that it is gone", lambda: "No such file" in sidecar.log())
        assert observes_at(sidecar, 4.25)
        path.write_text(document(observe=4.05))
        wait("until it is mended", lambda: observes_at(sidecar, 4.05))


def test_rules_are_published_compared_pinned_and_rolled_back(keys, tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(document(observe=4.1))
    second.write_text(document(observe=4.2))
    with sidecars.Sidecar(keys) as sidecar:
        sidecar.command("rules", "publish", first, "--who", "ann", "--note", "begin")
        assert sidecar.command("rules", "publish", second, "--who", "bob").stdout.endswith("rules 2 are in force\n")
        difference = sidecar.command("rules", "diff", first, check=False)
        assert (difference.returncode, difference.stdout) == (1, "$.thresholds.observe: 4.2 → 4.1\n")
        assert "rules 3 are in force" in sidecar.command("rules", "rollback", "--who", "ann").stdout
        assert observes_at(sidecar, 4.1)
        sidecar.command("rules", "pin", "throttle=8.5", "--who", "ann")
        assert in_force(sidecar)["keep"]["pinned"] == ["throttle"] and in_force(sidecar)["thresholds"]["throttle"] == 8.5
        sidecar.command("rules", "allow", "--account", "00000000000000ff", "--days", "7", "--who", "ann")
        assert in_force(sidecar)["allow"][0]["account"] == "00000000000000ff"
        head, *history = sidecar.command("rules", "history").stdout.splitlines()
        assert "since" in head and len(history) == 5 and "begin" in history[-1] and "rollback to 1" in history[2], history
        audit = sidecar.get("/v1/audit")["audit"]
        assert {entry["who"] for entry in audit} == {"ann", "bob"}
        wrong = tmp_path / "wrong.json"
        wrong.write_text(document(observe="much"))
        refused = sidecar.command("rules", "publish", wrong, check=False)
        assert refused.returncode == 1 and "$.thresholds.observe: expected a number" in refused.stdout
        assert sidecar.command("rules", "rollback", "--to", "77", check=False).returncode == 1


def test_changes_need_the_admin_token_and_observations_theirs(keys):
    with sidecars.Sidecar(keys) as sidecar:
        for token, status in [("", 401), ("Bearer " + sidecars.TOKEN, 401), ("Bearer " + sidecars.ADMIN + "x", 401)]:
            headers = [("authorization", token)] if token else []
            assert sidecar.ask("PUT", "/v1/rules", document(observe=4.1), headers)[0] == status
            assert sidecar.ask("POST", "/v1/rules/rollback", None, headers)[0] == status
        assert sidecar.ask("GET", "/v1/bundle")[0] == 401
        assert sidecar.ask("POST", "/v1/observations", b"x")[0] == 401
        let_in = [("authorization", "Bearer " + sidecars.TOKEN)]
        status, _, reason = sidecar.ask("POST", "/v1/observations", b"\x09rubbish", let_in)
        assert status == 400 and b"format 9; 1 is known here" in reason
        assert sidecar.ask("POST", "/v1/observations", b"\x01" * (5 << 20), let_in)[0] == 413
        assert sidecar.ask("GET", "/v1/parts/nonsense", None, let_in)[0] == 400
        assert sidecar.ask("GET", "/v1/parts/" + "0" * 64, None, let_in)[0] == 404


def test_rules_that_would_act_on_many_at_once_are_refused_unless_forced(keys, start, tmp_path):
    with sidecars.Sidecar(keys) as sidecar:
        plugin = sidecar.plugin(mode="observe", headers="held", trusted_hops=2)
        proxy = start(workers=1, plugin=plugin, sidecars=[sidecar.port])
        crowd.people([proxy], 200)
        crowd.harvest([proxy], 20)
        wait("observations are joined", lambda: sidecar.get("/v1/status")["today"]["requests"] >= 220)
        wait("the campaign is named", lambda: sidecar.get("/v1/campaigns")["campaigns"])
        path = tmp_path / "rules.json"
        # An order to deny is an action like any other.
        keys_of = [crowd.digest(f"sk-person-{n:06}") for n in range(30)]
        deny = [{"account": key, "action": "block"} for key in keys_of]
        path.write_text(json.dumps({**RULES, "deny": deny}))
        refused = sidecar.command("rules", "publish", path, check=False)
        assert refused.returncode == 1 and "would newly act on 30 of the" in refused.stdout, refused.stdout
        assert "deny" not in in_force(sidecar) or not in_force(sidecar)["deny"]
        assert "would newly act on" in sidecar.command("status", check=False).stdout
        done = sidecar.command("rules", "publish", path, "--force")
        assert "30 newly acted on" in done.stdout and len(in_force(sidecar)["deny"]) == 30


def test_campaigns_that_would_act_on_many_at_once_are_held_back_until_a_person_lets_them_go(keys, start):
    with sidecars.Sidecar(keys, options=["--hold-above", 20, "--hold-from", 6]) as sidecar:
        proxy = start(workers=1, plugin=sidecar.plugin(mode="enforce", headers="held", trusted_hops=2),
                      sidecars=[sidecar.port])
        crowd.people([proxy], 200)
        crowd.harvest([proxy], 14)
        held = wait("it is held back", lambda: sidecar.get("/v1/status")["held_back"])
        [name] = held["campaigns"]
        assert held["accounts"] >= 6 and f"{name}: would act on" in sidecar.command("status", check=False).stdout
        # A restart changes nothing: it is held back still.
        before = sidecar.version()
        sidecar.kill()
        sidecar.start()
        wait("the campaign is there", lambda: sidecar.get("/v1/campaigns")["campaigns"], 20)
        version = wait("something is published", lambda: (v := sidecar.version()) > before and v)
        wait("it is in force", lambda: proxy.metric("rules.version") >= version)
        verdicts = [crowd.bot(proxy.port, n) and proxy.access_log()[-1]["azeotrope"] for n in range(7)]
        assert not [verdict for verdict in verdicts if "campaign_member" in verdict], verdicts
        assert f"let go: {name}, with " in sidecar.command("campaigns", "--release").stdout
        wait("the proxy knows it", lambda: crowd.recognised(proxy))
        assert crowd.bot(proxy.port, 1).status in (403, 429)
        assert sidecar.command("campaigns", "--release", check=False).returncode == 1


def test_campaigns_survive_a_crash_and_what_was_acknowledged_is_joined(keys, start):
    with sidecars.Sidecar(keys) as sidecar:
        proxy = start(workers=1, plugin=sidecar.plugin(mode="enforce", headers="held", trusted_hops=2),
                      sidecars=[sidecar.port])
        crowd.people([proxy], 200)
        crowd.harvest([proxy], 14)
        wait("all was heard", lambda: sidecar.get("/v1/status")["today"]["requests"] >= 214)
        # At once: nothing was saved yet but the stream itself.
        sidecar.kill()
        sidecar.start()
        named = wait("the campaign is named", lambda: sidecar.get("/v1/campaigns")["campaigns"], 20)
        sidecar.signal(signal.SIGTERM)
        wait("it stops", lambda: not sidecar.alive())
        sidecar.start()
        again = wait("the campaign is there", lambda: sidecar.get("/v1/campaigns")["campaigns"])
        assert again[0]["name"] == named[0]["name"] and again[0]["accounts"] >= named[0]["accounts"]


def test_a_full_disk_is_told_and_mended_without_a_hand(keys, start):
    with sidecars.Sidecar(keys) as sidecar:
        proxy = start(workers=1, plugin=sidecar.plugin(mode="observe"), sidecars=[sidecar.port])
        wait("heard", lambda: sidecar.get("/v1/status")["filters"])
        version = wait("a bundle", sidecar.version)
        # No file may grow any more: what a full disk does, to this process alone.
        pid = sidecar._process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        size = max(file.stat().st_size for file in sidecar.data.iterdir())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size // 2, before[1]))
        for n in range(30):
            assert crowd.person(proxy.port, n).status == 200
        wait("it is told", lambda: proxy.metric("sidecar.failed") > 0, 20)
        assert sidecar.alive()
        served = sidecar.ask("GET", "/v1/bundle", None, [("authorization", f"Bearer {sidecars.TOKEN}")])
        assert served[0] == 200
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        wait("it goes on", lambda: sidecar.get("/v1/status")["today"]["requests"] >= 30, 30)
        assert sidecar.version() >= version


def batch(sender, sequence):
    """A batch with one observation: an answer gave its caller a blob."""
    header = struct.pack("<BQQQQQI", 1, 7, sender, sequence, 0, 0, 0) + b"\x05proxy"
    return header + struct.pack("<iBHQBQ", 0, 2, 1, 99, 1, 1234)


def test_who_reads_the_status_cannot_have_a_workers_batches_refused(keys):
    worker, token = 0x1234567890ABCDEF, [("authorization", f"Bearer {sidecars.TOKEN}")]
    with sidecars.Sidecar(keys) as sidecar:
        def tell(sender, *sequences):
            return [sidecar.ask("POST", "/v1/observations", batch(sender, one), token)[0] for one in sequences]

        assert tell(worker, 1, 2) == [202, 202]
        (shown,) = sidecar.get("/v1/status")["filters"]
        assert int(shown["worker"], 16) != worker and f"{worker:016x}" not in json.dumps(shown)
        tell(int(shown["worker"], 16), 2**64 - 1)
        # Sent again because the answer was lost; too late; from far ahead: a filter counts the first one as taken, the others as lost.
        assert tell(worker, 2, 1, 2**64 - 1) == [409, 400, 400]
        assert tell(worker, 3, 900) == [202, 202]
        # As one that begins again does.
        assert tell(worker + 1, 1) == [202]


def unfinished(port, path, length, headers=(), count=150):
    """Connections whose requests are sent but for the end, as far as the sidecar takes them."""
    lines = [f"POST {path} HTTP/1.1", "host: sidecar", f"content-length: {length}", *headers]
    opened = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port))
        one.setblocking(False)
        with contextlib.suppress(OSError):
            sent = 0
            whole = ("\r\n".join(lines) + "\r\n\r\n").encode() + b" " * (length - 1)
            while sent < len(whole):
                sent += one.send(whole[sent:])
                if select.select([one], [], [], 0)[0] or not select.select([], [one], [], 0.3)[1]:
                    break
        opened.append(one)
    return opened


def first_line(connection):
    connection.settimeout(15)
    return connection.recv(200).split(b"\r\n")[0].decode()


def test_bodies_that_do_not_end_cost_little_and_take_no_place_from_other_questions(keys):
    filters, asker = f"authorization: Bearer {sidecars.TOKEN}", "x-azeotrope-client: api"
    with sidecars.Sidecar(keys) as sidecar, contextlib.ExitStack() as open_ones:
        def begin(*arguments):
            opened = unfinished(sidecar.port, *arguments)
            for one in opened:
                open_ones.enter_context(one)
            return opened

        before = sidecar.memory()
        refused = begin("/v1/rules/what-if", 1 << 20)
        assert "403" in first_line(refused[0]), "a foreign page's"
        asking = begin("/v1/rules/what-if", 1 << 20, [asker])
        assert sidecar.ask("POST", "/v1/rules/what-if", "{}", [("x-azeotrope-client", "api")])[0] == 503
        assert sidecar.ask("GET", "/v1/campaigns/c-1")[0] == 404
        telling = begin("/v1/observations", 4 << 20, [filters])
        assert sidecar.memory() - before < 200, "150, and 600 MiB were sent"
        assert sidecar.ask("GET", "/healthz")[0] == 200
        # The first of those that had a place were waited for, and not for long.
        assert "408" in first_line(asking[0]) and "408" in first_line(telling[0])
        asked = wait("others have their turn", lambda: (status := sidecar.ask(
            "POST", "/v1/rules/what-if", json.dumps(RULES), [("x-azeotrope-client", "api")])[0]) != 503 and status, 30)
        assert asked == 200


def test_an_envoy_without_the_token_gets_nothing_over_ecds(keys, start, tmp_path):
    plugin, port = tmp_path / "plugin.json", envoy.free_ports(1)[0]
    plugin.write_text(json.dumps({"digest_key": {"current": "5e" * 16}}))
    options = ["--ecds-plugin", plugin, "--ecds-module", envoy.MODULE, "--ecds-listen", f"127.0.0.1:{port}"]
    with sidecars.Sidecar(keys, options=options) as sidecar:
        # It starts without the filter once it has waited for it long enough.
        proxy = start("ecds-grpc", ecds=port, token="another-token-that-is-wrong")
        unauthenticated = "azeotrope_sidecar_ecds_unauthenticated_total"
        wait("it is counted", lambda: int(re.search(rf"^{unauthenticated} (\d+)", sidecar.ask("GET", "/metrics")[2].decode(), re.M)[1]))
        assert "127.0.0.1 shows no valid token" in sidecar.log()
        assert crowd.person(proxy.port, 1).status == 500, "Envoy's own answer where a filter is missing"


@pytest.mark.parametrize("way", ["file", "grpc"])
def test_bundles_reach_envoy_through_ecds(keys, start, tmp_path, way):
    plugin = tmp_path / "plugin.json"
    plugin.write_text(json.dumps({"public_keys": [keys.public], "mode": "observe", "digest_key": {"current": "5e" * 16}}))
    live, port = tmp_path / "live", envoy.free_ports(1)[0]
    live.mkdir()
    options = ["--ecds-plugin", plugin, "--ecds-module", envoy.MODULE]
    options += ["--ecds-file", live / "azeotrope.json"] if way == "file" else ["--ecds-listen", f"127.0.0.1:{port}"]
    with sidecars.Sidecar(keys, options=options) as sidecar:
        version = wait("a bundle", sidecar.version)
        if way == "file":
            wait("the file", lambda: (live / "azeotrope.json").exists())
            proxy = start("ecds", ecds=live / "azeotrope.json")
        else:
            proxy = start("ecds-grpc", ecds=port, token=sidecars.TOKEN)
        wait("it is in force", lambda: crowd.person(proxy.port, 1).status == 200
             and proxy.metric("rules.version") >= version)
        changed = tmp_path / "rules.json"
        changed.write_text(document(observe=4.2))
        sidecar.command("rules", "publish", changed)
        began = time.monotonic()
        newer = wait("a new bundle", lambda: (v := sidecar.version()) > version and v)
        wait("it is in force, too", lambda: proxy.metric("rules.version") >= newer, 5 - (time.monotonic() - began))
        assert crowd.person(proxy.port, 2).status == 200


def test_a_filter_whose_token_or_cluster_is_wrong_is_told_by_itself_by_the_sidecar_and_by_status(keys, start):
    with sidecars.Sidecar(keys) as sidecar:
        none = sidecar.command("status", check=False)
        assert none.returncode == 1 and "none was heard of" in none.stdout, none
        plugin = sidecar.plugin(mode="observe")
        plugin["sidecar"]["token"] = "the-token-of-another-fleet"
        proxy = start(workers=1, plugin=plugin, sidecars=[sidecar.port])
        wait("the filter tells", lambda: "azeotrope: sidecar: 401" in proxy.log())
        wait("the sidecar tells", lambda: "observations from 127.0.0.1 refused: 401" in sidecar.log())
        plugin["sidecar"] = {**sidecar.plugin()["sidecar"], "cluster": "azeotrope-sidecars"}
        other = start(workers=1, plugin=plugin, sidecars=[sidecar.port])
        wait("that there is none is told", lambda: "azeotrope: sidecar: no such cluster" in other.log())
        assert sidecar.command("status", check=False).returncode == 1
        right = start(workers=1, plugin=sidecar.plugin(mode="observe"), sidecars=[sidecar.port])
        wait("it is heard of", lambda: sidecar.get("/v1/status")["filters"])
        wait("it runs what is published", lambda: right.metric("rules.version") >= sidecar.version())
        assert sidecar.command("status").returncode == 0
