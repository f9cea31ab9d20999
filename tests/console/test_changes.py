"""Changes: who may make them, what becomes of them, and that nobody else's page can."""

import http.server
import json
import re
import threading

import crowd
import envoy
import pytest
import sidecars
from conftest import BOB, EVE, HARVEST, PEOPLE
from server import Upstream
from sidecars import wait

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def thresholds(**of):
    return {"format": 1, "version": 1, "thresholds": {"observe": 4.5, "throttle": 7.5, "block": 9.5, **of}}


def admin(token=sidecars.ADMIN):
    return [("authorization", f"Bearer {token}")]


def put(sidecar, document, query="", headers=None):
    return sidecar.ask("PUT", f"/v1/rules{query}", json.dumps(document), headers or admin())


def audit(sidecar):
    return sidecar.get("/v1/audit")["audit"]


@pytest.fixture
def quiet(keys):
    """A sidecar without traffic, to change."""
    with sidecars.Sidecar(keys, options=["--reader-token-file", keys.dir / "readers"]) as one:
        wait("it is ready to consider rules", lambda: one.get("/v1/status")["bundle"]["version"])
        yield one


def test_without_a_login_nothing_can_be_changed(quiet, visit):
    one = visit(quiet)
    for path in ["#/rules", "#/thresholds"]:
        one.go(path)
        for button in one.page.locator("main button:has-text('…')").all():
            assert button.is_disabled() and "Log in" in button.get_attribute("title")
    # Nor from the page's own scripts.
    status = one.page.evaluate("""async () => (await fetch('../v1/rules', { method: 'PUT', body: '{}',
        headers: { 'x-azeotrope-client': 'console' } })).status""")
    assert status == 401
    for method, path in [("PUT", "/v1/rules"), ("POST", "/v1/rules/rollback"), ("POST", "/v1/campaigns/release")]:
        assert quiet.ask(method, path, "{}")[0] == 401
        assert quiet.ask(method, path, "{}", admin("wrong-token-of-somebody"))[0] == 401
        assert quiet.ask(method, path, "{}", admin(EVE))[0] == 403
    assert audit(quiet) == [] and "changes_refused_total 10" in quiet.ask("GET", "/metrics")[2].decode()


def test_a_wrong_token_is_told_and_not_kept(quiet, visit):
    one = visit(quiet)
    one.page.get_by_role("button", name="Log in").click()
    one.page.get_by_label("Token").fill("not-a-token-that-is-known")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("dialog [role=alert]")
    assert "not known here" in one.page.inner_text("dialog")
    one.page.keyboard.press("Escape")
    assert one.page.evaluate("sessionStorage.length") == 0


def test_publish_roll_back_and_the_trail_with_the_keyboard_alone(quiet, visit):
    put(quiet, thresholds(), "?note=begin&who=ann")
    one = visit(quiet)
    page, keys = one.page, one.page.keyboard

    def tab_to(name, role=None):
        """Tabs on until that has the focus."""
        script = """() => { const it = document.activeElement; return [it.getAttribute('aria-label') || it.innerText
            || document.querySelector(`label[for="${it.id}"]`)?.innerText || '', it.tagName]; }"""
        for _ in range(120):
            keys.press("Tab")
            text, tag = page.evaluate(script)
            if text.strip().startswith(name) and (role is None or tag == role):
                return
        raise AssertionError(f"{name} is not reached with the Tab key")

    tab_to("Log in")
    keys.press("Enter")
    page.wait_for_selector("dialog")
    keys.type(BOB)
    keys.press("Enter")
    page.wait_for_selector("text=bob · may change")
    one.ready()
    tab_to("Thresholds", "A")
    keys.press("Enter")
    page.wait_for_selector("#rung-throttle")
    tab_to("throttle", "INPUT")
    for _ in range(5):
        keys.press("ArrowRight")
    tab_to("Publish")
    keys.press("Enter")
    page.wait_for_selector("dialog")
    assert "throttle: 7.5 → 8" in page.inner_text("dialog")
    keys.type("too many odd ones")
    keys.press("Enter")
    wait("it is in force", lambda: quiet.get("/v1/rules")["thresholds"]["throttle"] == 8)
    page.wait_for_selector("dialog", state="detached")
    one.ready()
    tab_to("Rules", "A")
    keys.press("Enter")
    page.wait_for_selector("text=Were in force")
    tab_to("Roll back to 1")
    keys.press("Enter")
    page.wait_for_selector("dialog")
    keys.type("it was fine before")
    keys.press("Enter")
    wait("it is as before", lambda: quiet.get("/v1/rules")["thresholds"]["throttle"] == 7.5)
    page.wait_for_selector("dialog", state="detached")
    tab_to("Audit", "A")
    keys.press("Enter")
    page.wait_for_selector("text=Who changed what")
    rows = page.locator("main tbody tr").all_inner_texts()
    assert "bob" in rows[0] and "console" in rows[0] and "2 → 3" in rows[0] and "it was fine before" in rows[0], rows
    assert "1 → 2" in rows[1] and "$.thresholds.throttle: 7.5 → 8" in rows[1] and "too many odd ones" in rows[1], rows
    assert "ann" in rows[2] and "api" in rows[2], rows
    last = wait("the trail has all", lambda: len(audit(quiet)) == 3 and audit(quiet)[0])
    assert (last["who"], last["through"], last["before"], last["after"]) == ("bob", "console", 2, 3)


def test_the_trail_tells_what_was_asked_through(quiet, tmp_path):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(thresholds(observe=4.6)))
    quiet.command("rules", "publish", path, "--who", "ann")
    put(quiet, thresholds(observe=4.7), "?who=somebody-else", admin(BOB))
    assert put(quiet, {**thresholds(), "thresholdz": {}})[0] == 400
    refused, by_bob, by_ann = audit(quiet)
    assert (by_ann["who"], by_ann["through"], by_ann["changes"]) == ("ann", "cli", ["$.thresholds.observe: 4.5 → 4.6", "$.version: 0 → 1"])
    # A token with a name is who it says, whatever its holder says.
    assert (by_bob["who"], by_bob["through"], by_bob["before"], by_bob["after"]) == ("bob", "api", 1, 2)
    assert "refused" in refused["what"] and refused["after"] is None


def test_an_account_is_allowed_from_its_campaign_and_taken_back(fleet, visit):
    sidecar, _ = fleet
    name = sidecar.get("/v1/campaigns")["campaigns"][0]["name"]
    one = visit(sidecar, f"#/campaigns/{name}")
    one.login(BOB)
    account = one.page.locator("main table >> th >> .digest").last.inner_text()
    one.page.get_by_role("button", name=f"Allow {account}").click()
    one.page.get_by_label("Why").fill("a benchmark of our own")
    one.page.get_by_role("dialog").get_by_role("button", name="Allow").click()
    wait("it is allowed", lambda: sidecar.get(f"/v1/accounts/{account}")["allowed"])
    entry = sidecar.get("/v1/rules")["allow"][0]
    assert entry["account"] == account and entry["note"] == "a benchmark of our own" and entry["until"] > 0
    assert any(line.startswith("$.allow: + ") and account in line for line in audit(sidecar)[0]["changes"])
    one.page.wait_for_selector("dialog", state="detached")
    one.go("#/rules")
    one.page.get_by_role("button", name=f"Take back {account}").click()
    one.page.get_by_label("Why").fill("it is over")
    one.page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    wait("it is not allowed any more", lambda: not sidecar.get(f"/v1/accounts/{account}")["allowed"])


def test_accounts_that_are_only_alike_are_throttled_until_their_campaign_is_confirmed(keys, visit):
    alike = {"harvest_content": {"enabled": False}, "cohort_synchrony": {"focus_most": 20}}
    with Upstream() as upstream, sidecars.Sidecar(keys, options=["--refuse-from", 1]) as sidecar:
        assert put(sidecar, {"format": 1, "version": 1, "families": alike})[0] == 200
        plugin = sidecar.plugin(mode="enforce", headers="held", trusted_hops=2)
        with envoy.start("static", upstream_port=upstream.port, workers=1, plugin=plugin, sidecars=[sidecar.port]) as proxy:
            # Until then it judges groups by itself.
            wait("it has a bundle", lambda: any(one["version"] for one in sidecar.get("/v1/status")["filters"]), 30)
            crowd.people([proxy], PEOPLE)
            for _ in range(3):  # What comes back is no prompt that is passed around.
                crowd.harvest([proxy], HARVEST)
            (campaign,) = wait("the campaign is named", lambda: sidecar.get("/v1/campaigns")["campaigns"], 30)
            assert not campaign["confirmed"] and any("not confirmed" in text for text in campaign["words"])
            wait("its accounts are surely linked", lambda: score(proxy) > 9.5 and crowd.bot(proxy.port, 9).status == 429, 30)
            one = visit(sidecar, f"#/campaigns/{campaign['name']}")
            one.login(BOB)
            one.page.get_by_role("button", name="Confirm…").click()
            one.page.get_by_label("Why").fill("seen on a forum")
            one.page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
            wait("they are blocked", lambda: crowd.bot(proxy.port, 9).status == 403, 30)
            one.page.wait_for_selector("dialog", state="detached")
            assert sidecar.get("/v1/rules")["campaigns"] == [{"id": campaign["name"], "confirmed": True}]
            # The dialog closes before the page is drawn anew.
            one.page.get_by_role("button", name="Confirm…").wait_for(state="detached")


def score(proxy):
    """The score of one more request of the harvest."""
    crowd.bot(proxy.port, 9)
    return float(re.search(r"score=([-\d.]+)", proxy.access_log()[-1]["azeotrope"])[1])


def test_what_if_tells_what_the_command_line_tells_and_what_publishing_does(fleet, visit, tmp_path):
    sidecar, _ = fleet
    # Nobody is acted on to begin with.
    assert put(sidecar, thresholds(throttle=30, block=30), "?force=true")[0] == 200
    one = visit(sidecar, "#/thresholds")
    one.login(BOB)
    page = one.page
    page.get_by_label("block, in nats").fill("18")
    page.get_by_label("block, in nats").press("Tab")
    page.wait_for_selector("#outcome:not(.busy) #newly:not(:text-is('0'))")
    shown = int(page.inner_text("#newly").replace(",", ""))
    now = [int(cell.replace(",", "")) for cell in page.locator("#actions tbody tr").last.locator("td").all_inner_texts()]
    document = sidecar.get("/v1/rules")
    document["thresholds"] = {**document["thresholds"], "throttle": 18, "block": 18}
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(document))
    told = json.loads(sidecar.command("rules", "what-if", path, "--json", check=False).stdout)
    assert shown == told["comparison"]["newly"] > 0 and now == told["comparison"]["new"]
    listed = [one["account"] for one in told["affected"] if one["change"] == "acted_on"]
    assert len(listed) == shown
    # Those that no campaign claims come first.
    claimed = [one["campaign"] is not None for one in told["affected"] if one["change"] == "acted_on"]
    assert claimed == sorted(claimed)
    # So many at once are refused, with the same numbers, and put into force where somebody insists.
    assert page.locator("#outcome tbody tr").count() >= min(shown, 25)
    refused = sidecar.command("rules", "publish", path, check=False)
    assert refused.returncode == 1 and f"{shown} newly acted on" in refused.stdout
    before = sidecar.get("/v1/rules")["thresholds"]
    page.get_by_role("button", name="Publish…").click()
    page.get_by_label("Why").fill("a try")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    page.wait_for_selector("dialog >> text=Refused: would newly act on")
    assert sidecar.get("/v1/rules")["thresholds"] == before
    page.get_by_label("Put them into force all the same").check()
    page.get_by_label("Why").fill("sure")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    wait("they are in force", lambda: sidecar.get("/v1/rules")["thresholds"]["block"] == 18)
    assert put(sidecar, thresholds())[0] == 200


def test_a_stale_page_does_not_undo_what_somebody_else_did(quiet, visit):
    put(quiet, thresholds())
    one = visit(quiet, "#/rules")
    one.login(BOB)
    page = one.page
    # Between reading and writing, another change comes in.
    page.route("**/v1/rules?*", lambda route: (put(quiet, thresholds(observe=4.2)), route.continue_()))
    page.get_by_role("button", name="Allow somebody").click()
    page.get_by_label("Digest of the account").fill("00000000000000ff")
    page.get_by_label("Why").fill("a friend")
    page.get_by_role("dialog").get_by_role("button", name="Allow").click()
    page.wait_for_selector("dialog >> text=Somebody else has changed the rules")
    assert quiet.get("/v1/rules")["thresholds"]["observe"] == 4.2 and not quiet.get("/v1/rules").get("allow")


def test_hostile_strings_stay_strings(keys, visit):
    with sidecars.Sidecar(keys, name=HOSTILE) as one:
        wait("it is ready", lambda: one.get("/v1/status")["bundle"]["version"])
        hostile = {**thresholds(), "name": HOSTILE, "allow": [{"account": "00000000000000ff", "note": HOSTILE}]}
        query = "?" + "&".join(f"{key}=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E" for key in ("note", "who"))
        assert put(one, hostile, query)[0] == 200
        person = visit(one)
        for path in ["#/", "#/rules", "#/audit", "#/campaigns/" + "%3Cimg src=x onerror=alert(1)%3E", "#/accounts/%3Cb%3E", "#/%"]:
            person.go(path)
            assert person.page.locator("main img, main script, footer img, footer script").count() == 0, path
        person.go("#/rules")
        assert HOSTILE in person.page.inner_text("main")
        person.go("#/audit")
        assert "<img src=x onerror=alert(1)>" in person.page.inner_text("main")


class Foreign(http.server.BaseHTTPRequestHandler):
    """Somebody else's page, which tries to change rules in its visitor's name."""

    target = ""

    def do_GET(self):
        page = f"""<!doctype html><title>foreign</title><iframe name="sink"></iframe>
            <form id="f" method="post" target="sink" action="{self.target}/v1/rules/rollback?note=forged"></form>
            <script>window.tried = (async () => {{
                document.getElementById('f').submit();
                const all = [
                    fetch('{self.target}/v1/rules/rollback?note=forged', {{ method: 'POST', mode: 'no-cors' }}),
                    fetch('{self.target}/v1/rules/rollback?note=forged', {{ method: 'POST', headers: {{ 'x-azeotrope-client': 'console' }} }}),
                    fetch('{self.target}/v1/rules', {{ method: 'PUT', body: '{{}}', headers: {{ 'x-azeotrope-client': 'console' }} }}),
                    fetch('{self.target}/v1/campaigns').then((answer) => answer.text()),
                ];
                return (await Promise.allSettled(all)).map((one) => one.status);
            }})();</script>"""
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


def test_the_proxys_user_changes_rules_from_our_page_and_from_no_other(keys, chromium, visit):
    options = ["--trust-user-header", "x-user", "--admin-user", "ann"]
    with sidecars.Sidecar(keys, options=options) as one:
        wait("it is ready", lambda: one.get("/v1/status")["bundle"]["version"])
        put(one, thresholds(observe=4.1))
        put(one, thresholds(observe=4.2))
        # The browser's context adds the header to whatever it asks for, as the proxy would.
        ann = visit(one, "#/rules", headers={"x-user": "ann"})
        assert "ann · may change" in ann.page.inner_text("header")
        Foreign.target = ann.origin
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context(extra_http_headers={"x-user": "ann"})
        try:
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            tried = page.evaluate("window.tried")
            # The first is sent and refused; what asks leave first, or wants to read, fails in the browser.
            assert tried == ["fulfilled", "rejected", "rejected", "rejected"], tried
            page.wait_for_load_state("networkidle")
        finally:
            context.close()
            server.shutdown()
            server.server_close()
        assert one.get("/v1/rules")["thresholds"]["observe"] == 4.2 and len(audit(one)) == 2
        assert "changes_refused_total 2" in one.ask("GET", "/metrics")[2].decode()
        user = [("x-user", "ann")]
        assert one.ask("POST", "/v1/rules/rollback", None, user)[0] == 403
        assert one.ask("POST", "/v1/rules/rollback", None, [("x-user", "mallory"), ("x-azeotrope-client", "cli")])[0] == 403
        # From our own page it works, and the trail has the proxy's user.
        ann.page.get_by_role("button", name="Roll back to 1").click()
        ann.page.get_by_label("Why").fill("by hand")
        ann.page.get_by_role("dialog").get_by_role("button", name="Roll back to 1").click()
        wait("it is in the trail", lambda: len(audit(one)) == 3)
        assert one.get("/v1/rules")["thresholds"]["observe"] == 4.1
        assert (audit(one)[0]["who"], audit(one)[0]["through"]) == ("ann", "console")
