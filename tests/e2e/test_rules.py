"""Rules on their way into force: many at once, files beside the interface, restarts, and the way back."""

import concurrent.futures
import json
import time

import sidecars
from sidecars import wait

RULES = {"format": 1, "version": 1}


def document(**thresholds):
    return json.dumps({**RULES, "thresholds": thresholds})


def put(sidecar, text, query="", headers=()):
    """(status, answer) of rules that are put into force."""
    admin = [("authorization", f"Bearer {sidecars.ADMIN}"), *headers]
    status, _, body = sidecar.ask("PUT", "/v1/rules" + query, text, admin)
    return status, json.loads(body)


def number(sidecar):
    rules = sidecar.get("/v1/status")["rules"]
    return rules["number"] if rules else 0


def test_of_many_that_publish_at_once_none_is_lost(pair):
    wait("somebody has the duty", lambda: pair[0].get("/v1/status")["bundle"]["version"])
    before, texts = number(pair[0]), [document(observe=4 + n / 100) for n in range(20)]
    with concurrent.futures.ThreadPoolExecutor(len(texts)) as pool:
        told = list(pool.map(lambda n: put(pair[n % 2], texts[n]), range(len(texts))))
    assert [status for status, _ in told] == [200] * len(texts), told
    assert sorted(answer["number"] for _, answer in told) == [before + 1 + n for n in range(len(texts))]
    assert number(pair[1]) == before + len(texts)


def test_of_many_that_were_made_from_the_same_rules_one_comes_into_force(pair):
    wait("somebody has the duty", lambda: pair[0].get("/v1/status")["bundle"]["version"])
    seen = [("if-match", f'"{number(pair[0])}"')]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda n: put(pair[n % 2], document(observe=4 + n / 10), headers=seen), range(6)))
    assert sorted(status for status, _ in told) == [200] + [412] * 5, told


def test_a_restart_puts_no_file_into_force_that_did_not_change(keys, redis, tmp_path):
    paths = [tmp_path / name for name in ("one", "two")]
    for path in paths:
        path.mkdir()
        (path / "rules.json").write_text(document(observe=4.1))
    with sidecars.Sidecar(keys, redis.url, "one", options=["--rules", paths[0] / "rules.json"]) as one, \
            sidecars.Sidecar(keys, redis.url, "two", options=["--rules", paths[1] / "rules.json"]) as two:
        wait("the files are in force", lambda: one.get("/v1/rules")["thresholds"] == {"observe": 4.1})
        wait("both were looked at", lambda: '"two"' in redis.cli("GET", "{azeotrope}:value:rules.files"))
        one.command("rules", "pin", "throttle=8.5")
        # Who was asked has the rules in force before its file follows.
        wait("its file follows", lambda: json.loads((paths[0] / "rules.json").read_text()) == one.get("/v1/rules"))
        assert json.loads((paths[0] / "rules.json").read_text())["keep"]["pinned"] == ["throttle"]
        two.kill()
        two.start()
        wait("what is behind is told", lambda: "are newer and stay in force" in two.log())
        assert two.get("/v1/rules")["keep"]["pinned"] == ["throttle"]
        two.kill()
        (paths[1] / "rules.json").write_text(document(observe=4.3))
        two.start()
        wait("what changed meanwhile comes", lambda: two.get("/v1/rules")["thresholds"] == {"observe": 4.3})


def test_what_others_wrote_into_the_file_is_not_written_over(keys, tmp_path):
    path = tmp_path / "rules.json"
    path.write_text(document(observe=4.1))
    with sidecars.Sidecar(keys, options=["--rules", path]) as sidecar:
        wait("the file is in force", lambda: sidecar.get("/v1/rules")["thresholds"] == {"observe": 4.1})
        edited = '{"format": 1, "version": 1, "thresholdz": {}, "name": "the work of hours"}'
        path.write_text(edited)
        wait("what is wrong is told", lambda: "did you mean `thresholds`" in sidecar.log())
        told = sidecar.command("rules", "pin", "throttle=8.5").stdout
        assert "could not follow" in told and path.read_text() == edited, told


def test_going_back_twice_does_not_bring_back_what_was_gone_back_from(keys, tmp_path):
    path = tmp_path / "rules.json"
    with sidecars.Sidecar(keys) as sidecar:
        for nats in (4.1, 4.2, 4.9):
            path.write_text(document(observe=nats))
            sidecar.command("rules", "publish", path)
        for nats in (4.2, 4.1):
            sidecar.command("rules", "rollback")
            assert sidecar.get("/v1/rules")["thresholds"]["observe"] == nats
        assert "rules 6 are in force: the built-in ones again" in sidecar.command("rules", "rollback").stdout
        assert sidecar.get("/v1/rules") == RULES
        refused = sidecar.command("rules", "rollback", check=False)
        assert refused.returncode == 1 and "there are none before" in refused.stdout, refused.stdout
        assert "rules 7 are in force: those of 1 again" in sidecar.command("rules", "rollback", "--to", "1").stdout


def test_rules_that_have_ended_come_into_force_only_where_that_is_forced(keys, tmp_path):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({**RULES, "expires": 1}))
    with sidecars.Sidecar(keys) as sidecar:
        refused = sidecar.command("rules", "publish", path, check=False)
        assert refused.returncode == 1 and "they have ended (1970-01-01" in refused.stdout, refused.stdout
        sidecar.command("rules", "publish", path, "--force")
        path.write_text(document(observe=4.1))
        sidecar.command("rules", "publish", path)
        refused = sidecar.command("rules", "rollback", check=False)
        assert refused.returncode == 1 and "rules 1: they have ended" in refused.stdout, refused.stdout
        assert "rules 3 are in force" in sidecar.command("rules", "rollback", "--force").stdout


def test_small_changes_write_what_they_change_and_no_defaults(keys, tmp_path):
    with sidecars.Sidecar(keys) as sidecar:
        wait("it has the duty", lambda: "has the duty" in sidecar.log())
        for days in ("0", "213503982334602"):
            wrong = sidecar.command("rules", "allow", "--account", "00000000000000ff", "--days", days, check=False)
            assert wrong.returncode == 2 and number(sidecar) == 0, wrong.stderr
        sidecar.command("rules", "allow", "--account", "00000000000000ff")
        assert sidecar.get("/v1/rules") == {**RULES, "allow": [{"account": "00000000000000ff"}]}
        sidecar.command("rules", "pin", "throttle")
        changed = sidecar.get("/v1/rules")
        assert (changed["thresholds"], changed["keep"]) == ({"throttle": 7.5}, {"pinned": ["throttle"]})
        path = tmp_path / "wrong.json"
        path.write_text(document(observe="much"))
        wrong = sidecar.command("rules", "what-if", path, check=False)
        assert wrong.returncode == 2 and "expected a number" in wrong.stderr, wrong


def test_what_is_published_takes_back_no_exception_unless_its_writer_knows_of_it(keys, tmp_path):
    path = tmp_path / "rules.json"

    def publish(*arguments, code):
        done = sidecar.command("rules", "publish", path, *arguments, check=False)
        assert done.returncode == code, done
        return done.stdout

    with sidecars.Sidecar(keys) as sidecar:
        shown = sidecar.command("rules", "show")
        assert json.loads(shown.stdout) == RULES and "--from 0" in shown.stderr, shown
        sidecar.command("rules", "allow", "--account", "00000000000000ff")
        path.write_text(document(observe=4.1))
        told = publish(code=1)
        assert '$.allow: - {"account":"00000000000000ff"}' in told and "--from 1" in told, told
        assert "rules 1 are in force" in publish("--from", 0, code=1)
        assert sidecar.get("/v1/rules") == {**RULES, "allow": [{"account": "00000000000000ff"}]}
        # What begins with what is in force needs nothing more, nor does what was made from it knowingly.
        shown = json.loads(sidecar.command("rules", "show", "--json").stdout)
        path.write_text(json.dumps({**shown["document"], "thresholds": {"observe": 4.2}}))
        assert publish("--from", shown["number"], code=0) == publish(code=0).replace("rules 3", "rules 2")
        path.write_text(document(observe=4.1))
        assert "$.allow: - " in publish("--from", 3, code=0)
        before = json.loads(sidecar.command("rules", "show", "--number", 3).stdout)
        assert before["allow"] == [{"account": "00000000000000ff"}]
        assert "are not kept" in sidecar.command("rules", "show", "--number", 77, check=False).stdout
        sidecar.command("rules", "rollback", "--to", 3)
        assert "$.allow: - " in publish("--force", code=0)


def test_an_exception_has_its_reason_is_made_shorter_and_taken_back(keys):
    account = ["--account", "00000000000000ff"]
    with sidecars.Sidecar(keys) as sidecar:
        sidecar.command("rules", "allow", *account, "--days", "30", "--note", "ticket 4711")
        sidecar.command("rules", "allow", "--network", account[1])
        sidecar.command("rules", "allow", *account, "--days", "7", "--note", "ticket 4712")
        network, entry = sidecar.get("/v1/rules")["allow"]
        assert network == {"network": account[1]} and entry["note"] == "ticket 4712", entry
        assert entry["until"] <= time.time() + 7 * 86_400 + 5, entry
        sidecar.command("rules", "disallow", *account)
        assert sidecar.get("/v1/rules")["allow"] == [network]
        none = sidecar.command("rules", "disallow", *account, check=False)
        assert none.returncode == 1 and "there is no exception" in none.stdout, none


def test_a_small_change_that_is_refused_can_be_forced(keys, tmp_path):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({**RULES, "expires": 1}))
    with sidecars.Sidecar(keys) as sidecar:
        sidecar.command("rules", "publish", path, "--force")
        assert sidecar.command("rules", "pin", "throttle=8.0", check=False).returncode == 1
        for change in (["pin", "throttle=8.0"], ["allow", "--account", "00000000000000ff"],
                       ["disallow", "--account", "00000000000000ff"]):
            sidecar.command("rules", *change, "--force")
        assert number(sidecar) == 4


def test_a_campaign_that_was_never_named_is_told_and_may_be_confirmed_ahead(keys, tmp_path):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({**RULES, "campaigns": [{"id": "c-21be02e", "confirmed": True}]}))
    with sidecars.Sidecar(keys) as sidecar:
        told = sidecar.command("rules", "publish", path).stdout
        assert "rules 1 are in force" in told and "warning: no such campaign: c-21be02e" in told, told
        assert "warning" not in sidecar.command("rules", "allow", "--account", "00000000000000ff").stdout
