// The frame: which page is shown, and keeping it fresh.

import * as account from "./account.js";
import * as audit from "./audit.js";
import * as campaign from "./campaign.js";
import * as campaigns from "./campaigns.js";
import * as overview from "./overview.js";
import * as rules from "./rules.js";
import * as thresholds from "./thresholds.js";
import { empty, failed, h, say, show } from "./dom.js";
import { login, mayRead, refresh } from "./session.js";

const PAGES = { "": overview, campaigns, thresholds, rules, audit };
const PARTS = { campaigns: campaign, accounts: account };
const main = document.getElementById("main");
let turn = 0;
let timer = 0;
let shown = "";

/** `#/campaigns/c-1` */
function place() {
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  let part = rest.join("/");
  try {
    part = decodeURIComponent(part);
  } catch {
    // As it was typed, then.
  }
  return { name, part, page: part ? PARTS[name] : PAGES[name] };
}

async function go({ fresh = false } = {}) {
  const { name, part, page } = place();
  const mine = ++turn;
  clearTimeout(timer);
  for (const link of document.querySelectorAll("#pages a")) {
    const own = link.getAttribute("href").replace("#/", "") === name;
    if (own) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!page) return draw("", [h("section", { class: "card" }, empty("There is no such page", h("a", { href: "#/" }, "To the overview")))], fresh);
  if (!mayRead()) return draw("", [h("section", { class: "card" }, empty("Reading needs a login here", h("button", { type: "button", class: "main", on: { click: login } }, "Log in")))], fresh);
  const title = typeof page.title === "function" ? page.title(part) : page.title;
  document.title = `${title} · Azeotrope`;
  if (fresh) main.setAttribute("aria-busy", "true");
  const again = () => go();
  try {
    const told = await page.load(part);
    if (mine !== turn) return;
    const now = JSON.stringify(told);
    if (fresh) draw(title, page.view(told, again), fresh);
    else if (now !== shown) keepPlace(() => draw(title, page.view(told, again), fresh));
    shown = now;
  } catch (error) {
    if (mine !== turn) return;
    shown = "";
    if (fresh || error.status !== 0) draw(title, [failed(error, again)], fresh);
    else show(document.getElementById("notice"), h("div", { class: "notice bad" }, `${error.message}; what is shown is of before`));
  } finally {
    if (mine === turn) {
      main.removeAttribute("aria-busy");
      if (page.every) timer = setTimeout(() => (document.hidden ? wait() : go()), page.every);
    }
  }
}

function wait() {
  document.addEventListener("visibilitychange", () => go(), { once: true });
}

/** Draws anew. What was open stays open and the focus stays where it was: on what has the same place. */
function keepPlace(draws) {
  const details = () => [...main.querySelectorAll("details")];
  const all = () => [...main.querySelectorAll("a, button, input, select, summary, [tabindex]")];
  const open = details().map((one) => one.open);
  const number = all().indexOf(document.activeElement);
  const { value, selectionStart } = document.activeElement;
  draws();
  details().forEach((one, place) => {
    one.open = open[place] ?? one.open;
  });
  const next = all()[number];
  next?.focus({ preventScroll: true });
  if (next?.type === "search") {
    next.value = value;
    next.setSelectionRange(selectionStart, selectionStart);
  }
}

function draw(title, content, fresh) {
  show(document.getElementById("notice"));
  show(main, content);
  if (!main.querySelector("h1")) main.prepend(h("h1", { class: "unseen" }, title || "Azeotrope"));
  if (fresh) {
    if (title) say(title);
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

const THEMES = { "": ["◐", "as the system has them"], light: ["☀", "light"], dark: ["☾", "dark"] };

function theme(name) {
  const known = name in THEMES ? name : "";
  if (known) document.documentElement.dataset.theme = known;
  else delete document.documentElement.dataset.theme;
  localStorage.setItem("azeotrope.theme", known);
  const button = document.getElementById("theme");
  show(button, THEMES[known][0]);
  button.setAttribute("aria-label", `Colours: ${THEMES[known][1]}`);
  button.title = `Colours: ${THEMES[known][1]}`;
}

document.getElementById("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  theme(names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length]);
});
document.getElementById("skip").addEventListener("click", () => main.focus());
document.getElementById("lookup").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = document.getElementById("digest").value.trim().toLowerCase();
  if (typed) location.hash = `#/accounts/${encodeURIComponent(typed)}`;
});
window.addEventListener("hashchange", () => go({ fresh: true }));
window.addEventListener("person-changed", () => go({ fresh: true }));
window.addEventListener("rules-changed", () => go({ fresh: true }));
window.addEventListener("login-needed", () => refresh().catch(() => {}));

theme(localStorage.getItem("azeotrope.theme") ?? "");
try {
  const { sidecar } = await refresh();
  show(document.getElementById("foot"), h("span", null, `Answered by ${sidecar}`), h("span", null, "Digests and counts only: no prompt, key or address is stored"), h("span", null, "Times in UTC"));
} catch {
  // The page says so itself.
}
go({ fresh: true });
