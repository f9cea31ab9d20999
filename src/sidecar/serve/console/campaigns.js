// All campaigns.

import { get } from "./api.js";
import { card, empty, h, show } from "./dom.js";
import { table } from "./table.js";
import { campaign, count, digest, family, nats, short, time } from "./words.js";

export const title = "Campaigns";
export const every = 5_000;
let sought = "";

export const load = () => Promise.all([get("campaigns"), get("status")]).then(([{ campaigns }, { now }]) => ({ campaigns, now }));

const COLUMNS = (now) => [
  { label: "Campaign", head: true, sort: (one) => one.name, cell: (one) => campaign(one.name) },
  { label: "Accounts", number: true, sort: (one) => one.accounts, cell: (one) => count(one.accounts) },
  { label: "Exchanges", number: true, sort: (one) => one.exchanges, cell: (one) => short(one.exchanges) },
  { label: "Evidence", number: true, sort: (one) => one.evidence, cell: (one) => h("span", { title: `${nats(one.needed)} were needed` }, nats(one.evidence)) },
  { label: "Families", cell: (one) => h("div", { class: "tags" }, one.families.map(family)) },
  { label: "Takes", cell: (one) => digest(one.target) },
  { label: "Named", sort: (one) => one.named, cell: (one) => time(one.named, now) },
  { label: "Last seen", sort: (one) => one.last, cell: (one) => time(one.last, now) },
];

export function view({ campaigns, now }) {
  const place = h("div", null);
  const fits = (one) => [one.name, one.target, ...one.families].some((text) => String(text).includes(sought));
  const draw = () => show(place, table("Campaigns", COLUMNS(now), campaigns.filter(fits), {
    sorted: { by: "Last seen", down: true },
    none: campaigns.length ? empty("None fits", `Nothing here has “${sought}” in its name, target or families.`) : empty("No campaign is named", "Groups of accounts are named here as soon as their evidence suffices."),
  }));
  draw();
  const seek = (event) => {
    sought = event.target.value.trim().toLowerCase();
    draw();
  };
  const filter = h("input", { id: "seek", type: "search", placeholder: "Name, digest, family", value: sought, maxlength: 64, on: { input: seek } });
  return [
    h("div", { class: "head" }, h("h1", null, "Campaigns"), h("p", { class: "sub" }, "Accounts that act as one: what they share, and since when.")),
    card(`${count(campaigns.length)} named`, { flush: true, tools: [h("label", { class: "unseen", for: "seek" }, "Filter"), filter] }, place),
  ];
}
