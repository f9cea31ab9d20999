// What is going on: figures, traffic, campaigns, proxies.

import { get, post } from "./api.js";
import { bars, keys } from "./chart.js";
import { form } from "./dialog.js";
import { card, empty, h, say } from "./dom.js";
import { changing } from "./session.js";
import { table } from "./table.js";
import { campaign, count, family, moment, nats, plural, short, span, time } from "./words.js";

const SERIES = [
  { name: "allow", at: 1, fill: "allow" }, { name: "observe", at: 2, fill: "observe" }, { name: "throttle", at: 3, fill: "throttle" },
  { name: "degrade", at: 4, fill: "degrade" }, { name: "block", at: 5, fill: "block" },
];
const MINUTE = 60_000;
const RANGES = { "1 hour": [60, MINUTE, "minute"], "24 hours": [288, 5 * MINUTE, "minute"], "30 days": [180, 4 * 60 * MINUTE, "hour"] };
let range = "24 hours";

export const title = "Overview";
export const every = 5_000;

export async function load() {
  const [slots, wide, step] = RANGES[range];
  const status = await get("status");
  const to = Math.ceil((status.now + 1) / wide) * wide;
  const from = to - slots * wide;
  const [traffic, campaigns] = await Promise.all([get("traffic", { step, since: from }), get("campaigns")]);
  return { status, campaigns: campaigns.campaigns, rows: gathered(traffic.rows, wide), from, to, wide };
}

/** Rows of a minute or an hour into wider ones. */
function gathered(rows, wide) {
  const all = new Map();
  for (const [at, ...values] of rows) {
    const place = Math.floor(at / wide) * wide;
    const sums = all.get(place) ?? values.map(() => 0);
    all.set(place, sums.map((sum, number) => sum + values[number]));
  }
  return [...all].map(([at, values]) => [at, ...values]);
}

export function view({ status, campaigns, rows, from, to, wide }, again) {
  return [
    h("div", { class: "head" }, h("h1", null, "Overview"), h("p", { class: "sub" }, "What the proxies saw, what it was taken for, and who keeps watch.")),
    held(status, again), refusal(status),
    figures(status, campaigns),
    card("Traffic and verdicts", { tools: [keys(SERIES), ranges(again)], note: "what the evidence asked for" }, rows.length
      ? bars("Requests by what the evidence asked for", { rows, series: SERIES, from, to, step: wide })
      : empty("No traffic in this time", "Observations come from the proxies within a second; see Proxies below.")),
    h("div", { class: "columns" }, newest(campaigns, status.now), standing(status)),
    proxies(status),
  ];
}

function ranges(again) {
  const button = (name) => h("button", { type: "button", "aria-pressed": String(name === range), on: { click: () => {
    range = name;
    again();
  } } }, name);
  return h("div", { class: "segments", role: "group", "aria-label": "Time" }, Object.keys(RANGES).map(button));
}

function figures({ today, filters, bundle, now }, campaigns) {
  const linked = campaigns.reduce((sum, one) => sum + one.accounts, 0);
  const behind = filters.filter((one) => one.behind).length;
  const ends = bundle.expires && bundle.expires * 1000 - now;
  const figure = (name, value, note, bad) => h("div", null, h("dt", null, name), h("dd", null, value), h("dd", { class: `note ${bad ? "bad" : ""}` }, note));
  return h("dl", { class: "figures" },
    figure("Requests today", short(today.requests), "UTC day"),
    figure("Accounts today", short(today.accounts), "estimated"),
    figure("Campaigns", count(campaigns.length), plural(linked, "account linked", "accounts linked")),
    figure("Proxy workers", count(filters.length), filters.length === 0 ? "none heard of" : behind ? `${behind} behind` : "all on the newest rules", filters.length === 0 || behind > 0),
    figure("Bundle ends in", ends ? span(ends) : "–", bundle.version ? `published ${span(now - bundle.published)} ago` : "none yet", ends !== null && ends < 3_600_000));
}

function held({ held_back: held }, again) {
  if (!held) return null;
  const they = `${count(held.accounts)} of ${count(held.of)} known accounts at once.`;
  const told = `Proxies go on with what they were told of accounts before, until ${moment(held.ends)}.`;
  const release = () => form("Let go of held back campaigns", {
    text: held.ends ? `${told} The new campaigns take the place of all of that as soon as the next bundle is out.`
      : `They link ${they} Proxies will act on these accounts as soon as the next bundle is out.`,
    fields: [{ name: "note", label: "Why", hint: "For the audit trail", maxlength: 256, required: true }],
    submit: "Let go",
    danger: true,
    run: async ({ note }) => {
      await post("campaigns/release", { note });
      say("Let go");
    },
  }).then((done) => done && again());
  const [what, why] = held.ends ? ["Campaigns began anew. ", told] : ["Campaigns are held back. ", `They would link ${they}`];
  const names = (held.campaigns ?? []).flatMap((name) => [campaign(name), " "]);
  return h("div", { class: "notice" }, h("span", null, h("strong", null, what), names, why), changing("Let go…", release, { class: "small" }));
}

function refusal({ last_submission: last }) {
  if (!last?.reason) return null;
  return h("div", { class: "notice" }, h("span", null, h("strong", null, "The last rules were refused: "), last.reason), h("a", { href: "#/rules" }, "Rules"));
}

function newest(campaigns, now) {
  const rows = campaigns.toSorted((a, b) => b.last - a.last).slice(0, 6);
  const columns = [
    { label: "Campaign", head: true, cell: (one) => campaign(one.name) },
    { label: "Accounts", number: true, cell: (one) => count(one.accounts) },
    { label: "Exchanges", number: true, cell: (one) => short(one.exchanges) },
    { label: "Evidence", number: true, cell: (one) => `${nats(one.evidence)} nats` },
    { label: "Families", cell: (one) => h("div", { class: "tags" }, one.families.map(family)) },
    { label: "Last seen", cell: (one) => time(one.last, now) },
  ];
  const tools = campaigns.length > rows.length && h("a", { href: "#/campaigns" }, `All ${campaigns.length}`);
  return card("Last active campaigns", { flush: true, tools }, table("Last active campaigns", columns, rows, { none: empty("No campaign is named", "Groups of accounts are named here as soon as their evidence suffices.") }));
}

function standing({ sidecar, duty, rules, thresholds, bundle, batches_waiting: waiting }) {
  const pairs = [
    ["Rules", rules ? [`${rules.number} by ${rules.by}`, rules.note && `: ${rules.note}`] : "built in"],
    ["Thresholds", `${thresholds.observe} · ${thresholds.throttle} · ${thresholds.block}${thresholds.kept ? ", kept by traffic" : ""}`],
    ["Bundle", bundle.version ? [String(bundle.version), bundle.note && `: ${bundle.note}`] : "none yet"],
    ["Duty", duty?.name ?? "nobody has it"],
    ["Waiting", plural(waiting, "batch", "batches")],
    ["Answers here", sidecar],
  ];
  return card("In force", { tools: h("a", { href: "#/rules" }, "Rules") }, h("dl", { class: "pairs" }, pairs.map(([name, value]) => [h("dt", null, name), h("dd", null, value)])));
}

function proxies({ filters }) {
  const columns = [
    { label: "Proxy", head: true, sort: (one) => one.name, cell: (one) => one.name || h("span", { class: "faint" }, "unnamed") },
    { label: "Worker", cell: (one) => h("span", { class: "digest" }, one.worker) },
    { label: "Rules", cell: (one) => (one.version ? h("span", { title: `${moment(one.version * 1000)} UTC` }, String(one.version)) : "built in") },
    { label: "State", cell: (one) => (one.behind ? h("span", { class: "tag" }, "behind") : "up to date") },
    { label: "Lost", number: true, sort: (one) => one.lost, cell: (one) => count(one.lost) },
    { label: "Heard", number: true, sort: (one) => one.heard_seconds_ago, cell: (one) => `${span(one.heard_seconds_ago * 1000)} ago` },
  ];
  return card("Proxies", { flush: true, note: "heard within a minute" }, table("Proxies", columns, filters, { page: 20, none: empty("No proxy is heard of", "Filters with “sidecar” in their configuration appear here with their first batch.") }));
}
