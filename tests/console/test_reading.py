"""What is shown: to whom, in which colours, however much of it there is."""

import json

import pytest
import sidecars
from conftest import BOB, EVE, seen
from sidecars import wait

PAGES = ["#/", "#/campaigns", "#/thresholds", "#/rules", "#/audit"]


def campaign(sidecar):
    return sidecar.get("/v1/campaigns")["campaigns"][0]["name"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible(sidecar, visit, dark):
    one = visit(sidecar, dark=dark)
    name = campaign(sidecar)
    account = sidecar.get(f"/v1/campaigns/{name}?limit=1")["accounts"]["items"][0]["account"]
    for path in [*PAGES, f"#/campaigns/{name}", f"#/accounts/{account}", "#/accounts/nobody", "#/nowhere"]:
        one.go(path)
        assert one.axe() == [], path
    one.login(BOB)
    one.go("#/rules")
    one.page.get_by_role("button", name="Allow somebody").click()
    assert one.axe() == [], "a dialog"


def test_colours_follow_the_system_and_the_switch(sidecar, visit):
    def ground(one):
        return one.page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = visit(sidecar), visit(sidecar, dark=True)
    assert ground(light) != ground(dark)
    switch = light.page.get_by_role("button", name="Colours")
    for _ in range(2):
        switch.click()
    assert ground(light) == ground(dark) and "dark" in switch.get_attribute("aria-label")
    light.page.reload()
    light.ready()
    assert ground(light) == ground(dark), "it is remembered"


def test_a_campaign_is_told_with_its_story_and_what_joins_it(sidecar, visit):
    name = campaign(sidecar)
    told = sidecar.get(f"/v1/campaigns/{name}")
    one = visit(sidecar, "#/campaigns")
    one.page.get_by_role("link", name=name).click()
    one.page.wait_for_selector(f"h1:has-text('{name}')")
    text = one.page.inner_text("main")
    assert all(words in text for words in told["campaign"]["words"])
    assert len(told["graph"]["ties"]) >= 3 and one.page.locator(".joins .hub").count() == len(told["graph"]["ties"])
    assert one.page.locator(".joins .dot").count() == len(told["graph"]["accounts"]) > 10
    assert {tie["kind"] for tie in told["ties"]} >= {"key", "target", "settings"}
    # What was opened stays open where the page is drawn anew.
    one.page.get_by_text("As a table").click()
    one.page.evaluate("document.querySelector('main h1').dataset.before = 1")
    one.page.get_by_label("Order").select_option("requests")
    one.page.wait_for_selector("main h1[data-before]", state="detached")
    assert one.page.locator("main details[open]").count() == 1
    # Each account is told with what the interface says of it, and is found by its digest.
    row = told["accounts"]["items"][0]
    assert row["account"] in text
    one.page.get_by_label("Look up an account").fill(row["account"])
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("text=Linked to")
    assert name in one.page.inner_text("main")


def test_traffic_over_time_is_what_came(fleet, visit):
    sidecar, _ = fleet
    one = visit(sidecar)
    total = seen(sidecar)
    label = one.page.locator("[aria-roledescription=chart]").get_attribute("aria-label")
    numbers = [int(part.split()[-1].replace(",", "")) for part in label.split("In all: ")[1].split(".")[0].split(", ")]
    assert sum(numbers) == total, label


def test_nothing_breaks_without_campaigns_traffic_and_proxies(keys, visit):
    with sidecars.Sidecar(keys) as fresh:
        one = visit(fresh)
        for path in PAGES:
            one.go(path)
            assert one.page.locator("main .notice.bad").count() == 0, path
            assert one.axe() == [], path
        one.go("#/campaigns/c-none")
        assert "no such campaign" in one.page.inner_text("main")


def test_nothing_breaks_with_five_hundred_campaigns(sidecar, visit):
    template = sidecar.get("/v1/campaigns")["campaigns"][0]
    many = [{**template, "name": f"c-{n:05}", "accounts": n, "exchanges": n * 1_000} for n in range(500)]
    one = visit(sidecar)
    one.page.route("**/v1/campaigns", lambda route: route.fulfill(body=json.dumps({"campaigns": many}),
                                                                  content_type="application/json"))
    one.go("#/campaigns")
    page = one.page
    assert page.locator("main tbody tr").count() == 50 and "1–50 of 500" in page.inner_text("main")
    page.get_by_role("button", name="Accounts").click()
    assert "c-00499" in page.locator("main tbody tr").first.inner_text()
    page.get_by_role("button", name="Next").click()
    assert "51–100 of 500" in page.inner_text("main")
    page.get_by_label("Filter").fill("c-0012")
    assert page.locator("main tbody tr").count() == 10
    assert one.axe() == []
    one.go("#/")
    assert "500" in page.inner_text(".figures")


def test_a_sidecar_that_is_gone_is_told_and_what_was_shown_stays(keys, visit):
    with sidecars.Sidecar(keys) as fresh:
        one = visit(fresh)
        fresh.kill()
        one.page.wait_for_selector("#notice >> text=does not answer", timeout=20_000)
        assert "Overview" in one.page.inner_text("main")
        fresh.start()
        one.page.wait_for_selector("#notice .notice", state="detached", timeout=20_000)


def test_reading_can_need_a_login(keys, visit):
    options = ["--require-login", "--reader-token-file", keys.dir / "readers"]
    with sidecars.Sidecar(keys, options=options) as closed:
        for path in ["/v1/status", "/v1/campaigns", "/v1/traffic", "/v1/audit", "/v1/rules", "/v1/rules/history",
                     "/v1/accounts/00000000000000ff"]:
            assert closed.ask("GET", path)[0] == 401, path
        assert closed.ask("POST", "/v1/rules/what-if", "{}")[0] == 401
        assert closed.ask("GET", "/healthz")[0] == closed.ask("GET", "/metrics")[0] == 200
        one = visit(closed)
        assert "Reading needs a login here" in one.page.inner_text("main")
        assert one.axe() == []
        one.login(EVE)
        assert "Overview" in one.page.inner_text("main") and "eve · may read" in one.page.inner_text("header")
        one.go("#/rules")
        button = one.page.get_by_role("button", name="Allow somebody")
        assert button.is_disabled() and "read, not change" in button.get_attribute("title")
        assert closed.ask("PUT", "/v1/rules", "{}", [("authorization", f"Bearer {EVE}")])[0] == 403
        one.page.get_by_role("button", name="Log out").click()
        one.page.wait_for_selector("text=Reading needs a login here")
        assert closed.command("status", check=False).stdout


def test_pages_run_nothing_but_their_own_files(sidecar):
    status, headers, _ = sidecar.ask("GET", "/console/")
    policy = headers["content-security-policy"]
    assert status == 200 and "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and headers["x-content-type-options"] == "nosniff"
    assert sidecar.ask("GET", "/v1/status")[1]["cache-control"] == "no-store"
    assert sidecar.ask("GET", "/console/..%2f..%2fCargo.toml")[0] == 404


def test_what_was_counted_over_time_survives_a_crash(keys, fleet):
    """The stream behind the last snapshot counts once, however often it is read."""
    sidecar, _ = fleet
    before, rows = seen(sidecar), sidecar.get("/v1/traffic?step=minute")["rows"]
    sidecar.kill()
    sidecar.start()
    wait("the duty is taken up", lambda: sidecar.get(f"/v1/campaigns/{campaign(sidecar)}")["hours"], 30)
    assert seen(sidecar) == before and sidecar.get("/v1/traffic?step=minute")["rows"] == rows
