// One account: whether it is linked, and why.

import { get } from "./api.js";
import { card, empty, h } from "./dom.js";
import { allow } from "./rules-edit.js";
import { changing } from "./session.js";
import { campaign, count, digest, nats, time } from "./words.js";

export const title = (name) => `Account ${name}`;

export async function load(name) {
  try {
    return await get(`accounts/${encodeURIComponent(name)}`);
  } catch (error) {
    if (error.status === 404 || error.status === 400) return { unknown: name, why: error.message };
    throw error;
  }
}

export function view(told, again) {
  if (told.unknown !== undefined) {
    return [head(told.unknown), h("section", { class: "card" }, empty("Not known here", `${told.why}. A digest is the “case” of a verdict in the access log, or what `, h("code", null, "azeotrope digest --account -"), " says of a key."))];
  }
  const state = told.allowed ? h("span", { class: "tag" }, "allowed") : changing("Allow…", () => allow(told.account).then((done) => done && again()));
  const pairs = [
    ["Requests", `${count(told.requests)}, ${count(told.from_public_sets)} with a prompt out of a public set`],
    ["Wording", `${nats(told.wording)} nats so far`],
    ["Organisation or network", digest(told.party)], ["Model", digest(told.target)], ["Settings", digest(told.settings)],
    ["Client program", digest(told.client)], ["Network", digest(told.network)],
  ];
  return [head(told.account, state), h("div", { class: "halves" }, card("What it looks like", {}, h("dl", { class: "pairs" }, pairs.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]))), card("Campaign", {}, link(told)))];
}

function head(name, tools) {
  return h("div", { class: "head" }, h("h1", null, "Account ", digest(name)), tools && h("div", { class: "tools" }, tools));
}

function link(told) {
  if (!told.link) {
    return h("p", null, `It is linked to no campaign. The most that ever spoke for one are ${nats(told.most)} nats; ${nats(told.needed)} are needed.`);
  }
  const { row } = told.link;
  const sum = Object.entries(row.terms).map(([name, value]) => [h("dt", null, name), h("dd", null, `${nats(value)} nats`)]);
  return h("div", { class: "stack" },
    h("p", null, "Linked to ", told.link.campaign ? campaign(told.link.campaign) : "a campaign", " by ", row.family.replaceAll("_", " "), `, sure by ${nats(row.score)} nats, `, time(row.linked, told.now), "."),
    row.adopted ? h("p", { class: "faint" }, "It was one of the group that named the campaign, or something went through its hands.") : h("dl", { class: "pairs" }, sum));
}
