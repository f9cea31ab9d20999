// Who is logged in, and what that lets them do.

import { session, token } from "./api.js";
import { form } from "./dialog.js";
import { h, say, show } from "./dom.js";

let known = { role: "nobody", may_read: true, may_change: false, changes: false, user: "", by: "nothing" };

export const mayChange = () => known.may_change;
export const mayRead = () => known.may_read;

/** Why changes are not possible, for who wonders. */
export function whyNot() {
  if (known.may_change) return "";
  if (!known.changes) return "Changes are off on this sidecar (--admin-token-file)";
  return known.role === "reader" ? "You may read, not change" : "Log in to change something";
}

export async function refresh() {
  known = await session();
  draw();
  return known;
}

function draw() {
  const place = document.getElementById("person");
  const name = known.user || (known.role === "admin" ? "admin" : "");
  const out = known.by === "token" && h("button", { type: "button", class: "quiet", on: { click: logout } }, "Log out");
  const into = known.role === "nobody" && h("button", { type: "button", on: { click: login } }, "Log in");
  show(place, name && h("span", { class: "tag", title: known.role }, `${name} · ${known.role === "admin" ? "may change" : "may read"}`), out, into);
}

async function logout() {
  token.set(null);
  await refresh();
  window.dispatchEvent(new Event("person-changed"));
  say("Logged out");
}

export async function login() {
  const done = await form("Log in", {
    text: "With a token of --admin-token-file or --reader-token-file. It is kept in this tab until you close it.",
    fields: [{ name: "token", label: "Token", type: "password", required: true, autocomplete: "off" }],
    submit: "Log in",
    run: async ({ token: typed }) => {
      const before = token.get();
      token.set(typed.trim());
      const { by, user, role } = await session();
      if (by !== "token") {
        token.set(before);
        throw new Error("This token is not known here.");
      }
      say(`Logged in as ${user || role}`);
    },
  });
  if (!done) return false;
  await refresh();
  window.dispatchEvent(new Event("person-changed"));
  return true;
}

/** A button for a change: it says why where it may not be used. */
export function changing(label, run, attributes = {}) {
  const why = whyNot();
  return h("button", { type: "button", ...attributes, disabled: Boolean(why), title: why || undefined, on: { click: run } }, label);
}
