// One campaign: its story, what joins its accounts, and why each is linked.

import { get } from "./api.js";
import { bars } from "./chart.js";
import { card, empty, h, say } from "./dom.js";
import { graph } from "./graph.js";
import { allow, confirm } from "./rules-edit.js";
import { changing } from "./session.js";
import { table } from "./table.js";
import { account, count, digest, family, kind, moment, nats, percent, short, span, time } from "./words.js";

const PAGE = 25;
const SORTS = { linked: "last linked first", doubtful: "least sure first", requests: "most requests first" };
let asked = { sort: "linked", offset: 0 };
let of = null;

export const title = (name) => `Campaign ${name}`;
export const every = 10_000;

export function load(name) {
  if (of !== name) [of, asked] = [name, { sort: "linked", offset: 0 }];
  return get(`campaigns/${encodeURIComponent(name)}`, { ...asked, limit: PAGE });
}

export function view(told, again) {
  const { campaign } = told;
  return [
    h("div", { class: "head" }, h("h1", null, `Campaign ${campaign.name}`), h("div", { class: "tags" }, campaign.families.map(family)),
      !told.confirmed && changing("Confirm…", () => confirm(campaign.name).then((done) => done && again()), { class: "small", title: "Not confirmed: its accounts are throttled, not blocked" }),
      h("p", { class: "sub" }, h("a", { href: "#/campaigns" }, "All campaigns"))),
    figures(campaign, told.now),
    h("div", { class: "columns" },
      card("Story", {}, h("div", { class: "story" }, campaign.words.map((text) => h("p", null, text)))),
      card("Timeline", { note: "UTC" }, moments(told.timeline))),
    joins(told),
    card("Activity", { note: "exchanges of linked accounts" }, activity(told)),
    accounts(told, again),
  ];
}

function figures(campaign, now) {
  const figure = (name, value, note) => h("div", null, h("dt", null, name), h("dd", null, value), h("dd", { class: "note" }, note));
  return h("dl", { class: "figures" },
    figure("Accounts", count(campaign.accounts), "linked so far"),
    figure("Exchanges", short(campaign.exchanges), "since they were linked"),
    figure("Evidence", nats(campaign.evidence), `nats; ${nats(campaign.needed)} needed`),
    figure("Unrelated parties", count(campaign.parties), "when it was named"),
    figure("Named after", span(campaign.named - campaign.since), `${span(now - campaign.named)} ago`),
    figure("Last seen", span(now - campaign.last), "ago"));
}

function moments(timeline) {
  return h("ol", { class: "moments" }, timeline.map(({ at, kind: what, text }) => h("li", { class: what }, h("span", { class: "faint" }, moment(at, true)), h("span", null, text))));
}

function activity({ minutes, hours, now }) {
  const minute = minutes.length > 0 && now - (hours[0]?.[0] ?? now) < 3 * 3_600_000;
  const [rows, wide, slots] = minute ? [minutes, 60_000, 180] : [hours, 3_600_000, 14 * 24];
  const first = Math.max(rows[0]?.[0] ?? now, now - slots * wide);
  const to = Math.ceil((now + 1) / wide) * wide;
  const from = Math.min(Math.floor(first / wide) * wide, to - 12 * wide);
  const series = [{ name: "exchanges", at: 1, fill: "accent" }];
  return rows.length ? bars("Exchanges of linked accounts", { rows, series, from, to, step: wide, height: 150 }) : empty("Nothing since it was named");
}

function joins({ graph: drawn, ties, accounts: { total } }) {
  if (!drawn.ties.length) return card("What joins them", {}, empty("Nothing that several have in common", "Its accounts were linked by what went from hand to hand."));
  const columns = [
    { label: "What", head: true, sort: (tie) => kind(tie.kind), cell: (tie) => kind(tie.kind) },
    { label: "Digest", cell: (tie) => digest(tie.digest) },
    { label: "Accounts", number: true, sort: (tie) => tie.accounts, cell: (tie) => count(tie.accounts) },
    { label: "Here", number: true, sort: (tie) => tie.here, cell: (tie) => percent(tie.here) },
    { label: "Elsewhere", number: true, sort: (tie) => tie.elsewhere ?? -1, cell: (tie) => (tie.elsewhere === null ? "–" : percent(tie.elsewhere)) },
  ];
  const note = total > drawn.accounts.length ? `${drawn.accounts.length} of ${count(total)} accounts drawn` : `${count(total)} accounts`;
  return card("What joins them", { note }, graph(drawn, ties), h("details", null, h("summary", null, "As a table"), table("What joins the accounts", columns, ties)));
}

function accounts({ accounts: { total, offset, items }, now }, again) {
  const turn = (to, sort = asked.sort) => {
    asked = { sort, offset: Math.max(to, 0) };
    again();
    say(`Accounts from ${asked.offset + 1}, ${SORTS[sort]}`);
  };
  const select = h("select", { id: "order", on: { change: (event) => turn(0, event.target.value) } }, Object.entries(SORTS).map(([name, text]) => h("option", { value: name, selected: name === asked.sort }, text)));
  const columns = [
    { label: "Account", head: true, cell: (one) => account(one.account) },
    { label: "Linked", cell: (one) => time(one.linked, now) },
    { label: "By", cell: (one) => family(one.family) },
    { label: "Sure by", number: true, cell: (one) => `${nats(one.score)} nats` },
    { label: "Made of", cell: terms },
    { label: "Requests", number: true, cell: (one) => count(one.requests) },
    { label: "Change", unseen: true, cell: (one) => (one.allowed ? h("span", { class: "tag" }, "allowed") : changing("Allow…", () => allow(one.account).then((done) => done && again()), { class: "small", "aria-label": `Allow ${one.account}` })) },
  ];
  const pager = total > PAGE && h("div", { class: "pager" }, h("span", null, `${offset + 1}–${offset + items.length} of ${count(total)}`),
    h("button", { type: "button", class: "small", disabled: offset === 0, on: { click: () => turn(offset - PAGE) } }, "Previous"),
    h("button", { type: "button", class: "small", disabled: offset + items.length >= total, on: { click: () => turn(offset + PAGE) } }, "Next"));
  return card("Accounts", { flush: true, note: `${count(total)} remembered`, tools: [h("label", { for: "order", class: "small" }, "Order"), select] },
    table("Accounts of the campaign", columns, items, { pager, none: empty("None is remembered", "Accounts that send nothing are forgotten when there is no room.") }));
}

/** The terms of the sum that linked an account. */
function terms({ terms: sum, adopted }) {
  if (adopted) return h("span", { class: "terms" }, "one of the group that named it, or something went through its hands");
  const signed = (number) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}`;
  return h("span", { class: "terms" }, Object.entries(sum).filter(([, value]) => value).map(([name, value]) => `${name} ${signed(value)}`).join("  "));
}
