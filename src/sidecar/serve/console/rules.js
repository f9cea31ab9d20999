// The rules in force, those before, exceptions and orders.

import { get, post, rules } from "./api.js";
import { form } from "./dialog.js";
import { card, empty, failed, h, say, show } from "./dom.js";
import { change } from "./rules-edit.js";
import { changing } from "./session.js";
import { table } from "./table.js";
import { account, digest, time } from "./words.js";

export const title = "Rules";
const SUBJECTS = ["account", "organisation", "network", "skeleton"];

export async function load() {
  const [{ document }, { rules: history }, status] = await Promise.all([rules(), get("rules/history"), get("status")]);
  return { document, history, status };
}

export function view({ document, history, status }, again) {
  return [
    h("div", { class: "head" }, h("h1", null, "Rules"), h("p", { class: "sub" }, status.rules ? `Number ${status.rules.number} is in force.` : "The rules that are built in are in force.")),
    exceptions(document, status.now, again),
    orders(document, status.now),
    past(history, status, again),
    card("The document", { note: "as it was written" }, h("details", null, h("summary", null, "Show"), h("pre", { tabindex: 0 }, JSON.stringify(brief(document), null, 2)))),
  ];
}

/** Without the weights of the content model: 16 KiB of base64 tell nobody anything. */
function brief(document) {
  const weights = document.content?.weights;
  return weights ? { ...document, content: { ...document.content, weights: `… (${weights.length} characters)` } } : document;
}

const subject = (entry) => SUBJECTS.find((name) => entry[name]);
const named = (entry) => (entry.account ? account(entry.account) : digest(entry[subject(entry)] ?? ""));
const until = (entry, now) => (entry.until ? (entry.until * 1000 < now ? "over" : time(entry.until * 1000)) : "for good");

function exceptions(document, now, again) {
  const entries = document.allow ?? [];
  const remove = (entry) => change("Take an exception back", {
    text: `${subject(entry)} ${entry[subject(entry)]} is judged like any other again.`,
    submit: "Take back",
    danger: true,
    done: "Taken back",
    edit: (target) => {
      target.allow = (target.allow ?? []).filter((one) => SUBJECTS.some((name) => one[name] !== entry[name]) || one.until !== entry.until);
    },
  }).then((done) => done && again());
  const columns = [
    { label: "Who", head: true, cell: (entry) => [subject(entry), " ", named(entry)] },
    { label: "Why", wide: true, cell: (entry) => entry.note ?? "" },
    { label: "Until", cell: (entry) => until(entry, now) },
    { label: "Change", unseen: true, cell: (entry) => changing("Take back…", () => remove(entry), { class: "small", "aria-label": `Take back ${entry[subject(entry)]}` }) },
  ];
  const add = () => change("Allow somebody", {
    text: "Whoever is named will not be acted upon, whatever the evidence.",
    fields: [
      { name: "account", label: "Digest of the account", required: true, pattern: "[0-9a-f]{16}", maxlength: 16, hint: "The “case” of a verdict: 16 hexadecimal digits", spellcheck: "false" },
      { name: "days", label: "Days", type: "number", min: 1, max: 3650, value: 30, hint: "Empty: for good" },
    ],
    submit: "Allow",
    edit: (target, { account: name, days, note }) => {
      const entry = { account: name, note };
      if (days) entry.until = Math.floor(Date.now() / 1000) + Number(days) * 86_400;
      target.allow = [...(target.allow ?? []).filter((one) => one.account !== name), entry];
    },
  }).then((done) => done && again());
  return card("Never acted upon", { flush: true, note: String(entries.length), tools: changing("Allow somebody…", add, { class: "small" }) }, table("Exceptions", columns, entries, { page: 20, none: empty("No exceptions") }));
}

function orders(document, now) {
  const entries = document.deny ?? [];
  if (entries.length === 0) return null;
  const columns = [
    { label: "Who", head: true, cell: (entry) => [subject(entry), " ", named(entry)] },
    { label: "What", cell: (entry) => entry.action },
    { label: "Why", wide: true, cell: (entry) => entry.note ?? "" },
    { label: "Until", cell: (entry) => until(entry, now) },
  ];
  return card("Acted upon, whatever the score", { flush: true, note: String(entries.length) }, table("Orders", columns, entries, { page: 20 }));
}

function past(history, { now, rules: current }, again) {
  const back = (entry) => form("Roll back", {
    text: `The rules of number ${entry.number} come into force again, under a new number. They are compared, and not refused.`,
    fields: [{ name: "note", label: "Why", hint: "For the audit trail", maxlength: 256, required: true }],
    submit: `Roll back to ${entry.number}`,
    danger: true,
    run: async ({ note }) => {
      await post("rules/rollback", { to: entry.number, note });
      say(`Rolled back to ${entry.number}`);
    },
  }).then((done) => done && again());
  const columns = [
    { label: "Number", head: true, cell: (entry) => entry.number },
    { label: "Since", cell: (entry) => time(entry.at, now) },
    { label: "By", cell: (entry) => entry.by },
    { label: "Why", wide: true, cell: (entry) => [entry.note, differences(entry)] },
    { label: "Change", unseen: true, cell: (entry) => (entry.number === current?.number ? h("span", { class: "tag" }, "in force") : changing("Roll back…", () => back(entry), { class: "small", "aria-label": `Roll back to ${entry.number}` })) },
  ];
  return card("Were in force", { flush: true, note: "the last 50" }, table("Rules that were in force", columns, history, { page: 20, none: empty("No rules were published yet", "The built-in ones are in force.") }));
}

/** The document of that number, when asked for. */
function differences({ number }) {
  const place = h("div", null);
  const load = async (event) => {
    if (!event.target.open || place.hasChildNodes()) return;
    try {
      show(place, h("pre", { tabindex: 0 }, JSON.stringify(brief(await get(`rules/history/${number}`)), null, 2)));
    } catch (error) {
      show(place, failed(error));
    }
  };
  return h("details", { on: { toggle: load } }, h("summary", null, "The document"), place);
}
