"""A person's visit to the console: a browser context of its own, and what must hold whatever is done there."""

import json
import pathlib

# A new profile each, and nothing of Chromium's own that asks the network.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache" / "console" / "node_modules" / "axe-core" / "axe.min.js"


class Visit:
    """`page` is Playwright's. Errors, dialogs and requests elsewhere are collected."""

    def __init__(self, chromium, sidecar, dark=False, headers=None, size=(1280, 900), expect=()):
        self.origin = f"http://127.0.0.1:{sidecar.port}"
        scheme = "dark" if dark else "light"
        self.context = chromium.new_context(color_scheme=scheme, extra_http_headers=headers or {}, reduced_motion="reduce",
                                            viewport={"width": size[0], "height": size[1]})
        self.page = self.context.new_page()
        self.expect = expect
        self.errors, self.elsewhere = [], []
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self.page.on("console", self._heard)
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._asked(request.url))

    def _heard(self, message):
        # What the browser itself says of an answer that is no 200 is no error of the page.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def _dialog(self, dialog):
        self.errors.append(f"a script asked: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url):
        if not url.startswith(self.origin + "/"):
            self.elsewhere.append(url)

    def open(self, path=""):
        self.page.goto(f"{self.origin}/console/{path}")
        self.ready()
        return self

    def go(self, path):
        """Follows a link within the console."""
        self.page.evaluate("""to => new Promise((done) => {
            addEventListener("hashchange", () => setTimeout(done), { once: true });
            if (location.hash === to) done();
            location.hash = to;
        })""", path)
        self.ready()

    def ready(self):
        """Waits until the page shows what it was asked for."""
        self.page.wait_for_selector("main:not([aria-busy]) h1", state="attached")

    def login(self, token):
        self.page.get_by_role("button", name="Log in").first.click()
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("dialog").get_by_role("button", name="Log in").click()
        # The dialog closes before the page is drawn anew, and what was filled in until then is gone; this comes with it.
        self.page.get_by_role("button", name="Log out").wait_for()
        self.ready()

    def axe(self):
        """What axe-core finds wrong, in words."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [f"{one['id']}: {one['help']}: {json.dumps([node['html'][:160] for node in one['nodes']][:3])}"
                for one in found["violations"]]

    def check(self):
        errors = [error for error in self.errors if not any(fine in error for fine in self.expect)]
        assert not errors, errors
        assert not self.elsewhere, self.elsewhere

    def close(self):
        self.context.close()
