// Thresholds, and whom others would act upon.

import { get, rules, whatIf } from "./api.js";
import { histogram, keys } from "./chart.js";
import { card, empty, failed, h, say, show } from "./dom.js";
import { change } from "./rules-edit.js";
import { changing } from "./session.js";
import { table } from "./table.js";
import { ACTIONS, account, campaign, count, moment, nats, plural, span, time, verdict } from "./words.js";

export const title = "Thresholds";
const RUNGS = ["observe", "throttle", "block"];
const MEANS = { observe: "labelled for upstream and the log", throttle: "answered 429 with Retry-After", block: "answered 403" };
const PAUSE = 350;
const CHANGES = [["acted_on", "Newly acted on"], ["sharper", "Newly labelled, or acted on more sharply"], ["milder", "Let off more lightly"]];

export async function load() {
  const [status, { document }] = await Promise.all([get("status"), rules()]);
  return { status, document, first: await whatIf(document) };
}

const of = (document, status) => Object.fromEntries(RUNGS.map((rung) => [rung, document.thresholds?.[rung] ?? status.thresholds[rung]]));

export function view({ status, document, first }) {
  const written = of(document, status);
  const now = { ...written };
  const outcome = h("div", { class: "stack", id: "outcome" });
  const chart = histogram(first.scores, now);
  let running = null;
  let timer = 0;

  const edited = (target) => {
    target.thresholds = { ...target.thresholds, ...now };
    return target;
  };
  const same = () => RUNGS.every((rung) => now[rung] === written[rung]);

  async function ask() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    outcome.classList.add("busy");
    outcome.setAttribute("aria-busy", "true");
    try {
      const told = await whatIf(edited(structuredClone(document)), signal);
      show(outcome, results(told, status.now));
      say(`${told.comparison.newly} accounts newly acted on, ${told.comparison.no_longer} no longer`);
    } catch (error) {
      if (!signal.aborted) show(outcome, failed(error, ask));
    } finally {
      if (!signal.aborted) {
        outcome.classList.remove("busy");
        outcome.removeAttribute("aria-busy");
      }
    }
  }

  const sliders = RUNGS.map((rung) => slider(rung, now, written, (value) => {
    now[rung] = value;
    // Each rung is at least the one before it.
    RUNGS.forEach((other, place) => {
      const before = RUNGS.indexOf(rung);
      if (place < before) now[other] = Math.min(now[other], value);
      if (place > before) now[other] = Math.max(now[other], value);
    });
    sliders.forEach(({ set }) => set());
    chart.move(now);
    state();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }));

  const reset = h("button", { type: "button", on: { click: () => {
    Object.assign(now, written);
    sliders.forEach(({ set }) => set());
    chart.move(now);
    state();
    ask();
  } } }, "As they are");
  const put = changing("Publish…", () => change("Publish thresholds", {
    content: h("ul", null, RUNGS.filter((rung) => now[rung] !== written[rung]).map((rung) => h("li", null, `${rung}: ${written[rung]} → ${now[rung]}`))),
    submit: "Publish",
    edit: edited,
    done: "The thresholds are in force",
  }), { class: "main" });
  const allowed = !put.disabled;
  const state = () => {
    put.disabled = !allowed || same();
    reset.disabled = same();
  };
  state();
  show(outcome, results(first, status.now));

  return [
    h("div", { class: "head" }, h("h1", null, "Thresholds"), h("p", { class: "sub" }, "Move one, and see whom it would have acted upon. Nothing changes until it is published.")),
    status.thresholds.kept && h("div", { class: "notice" }, h("span", null, "Traffic moves the thresholds that are not pinned. In force now: ", RUNGS.map((rung) => `${rung} ${status.thresholds[rung]}`).join(", "), ". What is compared with is what is in force.")),
    card("Accounts by their highest score", { note: `nats; heights are logarithmic; ${period(first)}`, tools: keys([{ name: "of no campaign", fill: "others" }, { name: "of campaigns", fill: "linked" }]) }, chart.picture, h("div", { class: "stack" }, sliders.map(({ element }) => element)), h("div", { class: "actions" }, put, reset)),
    outcome,
  ];
}

function period({ from, to, comparison }) {
  return from ? `${plural(comparison.requests, "request")} in ${span(to - from)} to ${moment(to)} UTC` : "no traffic is kept yet";
}

function slider(rung, now, written, moved) {
  const id = `rung-${rung}`;
  const limits = { min: 0, max: 20, step: 0.1 };
  const range = h("input", { ...limits, id, type: "range", value: now[rung], "aria-describedby": `${id}-means`, on: { input: () => moved(Number(range.value)) } });
  const number = h("input", { min: 0, max: 100, step: 0.1, type: "number", value: now[rung], "aria-label": `${rung}, in nats`, on: { change: () => Number.isFinite(number.valueAsNumber) && moved(Math.min(Math.max(number.valueAsNumber, 0), 100)) } });
  const was = h("span", { class: "was", id: `${id}-means` });
  const set = () => {
    range.value = now[rung];
    number.value = now[rung];
    show(was, now[rung] === written[rung] ? MEANS[rung] : `${MEANS[rung]}; now ${written[rung]}`);
  };
  set();
  return { set, element: h("div", { class: "slider" }, h("label", { for: id, class: `verdict ${rung}` }, rung), range, number, was) };
}

function results(told, now) {
  const { comparison, affected, omitted } = told;
  if (!comparison.requests) return card("What would have happened", {}, empty("No traffic to compare with", "The sidecar keeps the last day's observations, 200,000 at most."));
  const honest = affected.filter((one) => one.change === "acted_on" && !one.campaign).length;
  const figure = (name, value, note) => h("div", null, h("dt", null, name), h("dd", null, value), h("dd", { class: "note" }, note));
  const row = (name, counts) => h("tr", null, h("th", { scope: "row" }, name), counts.map((number) => h("td", { class: "number" }, count(number))));
  return [
    h("dl", { class: "figures", id: "differences" },
      figure("Newly acted on", h("span", { id: "newly" }, count(comparison.newly)), `of ${count(comparison.accounts)} accounts`),
      figure("Of no campaign", count(honest), "among those: look at these first"),
      figure("No longer acted on", h("span", { id: "no-longer" }, count(comparison.no_longer)), "accounts")),
    card("Accounts by the sharpest action", { flush: true }, h("div", { class: "scroll" }, h("table", { id: "actions" },
      h("caption", { class: "unseen" }, "Accounts by the sharpest action, before and after"),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Rules"), ACTIONS.map((action) => h("th", { scope: "col", class: "number" }, verdict(action))))),
      h("tbody", null, row("in force", comparison.old), row("these", comparison.new))))),
    CHANGES.map(([name, text]) => group(text, affected.filter((one) => one.change === name), now)),
    omitted > 0 && h("p", { class: "faint" }, `${plural(omitted, "account")} more are not listed.`),
    affected.length === 0 && h("section", { class: "card" }, empty("No account would have been treated otherwise")),
  ];
}

function group(text, rows, now) {
  if (rows.length === 0) return null;
  const columns = [
    { label: "Account", head: true, cell: (one) => account(one.account) },
    { label: "Campaign", sort: (one) => one.campaign ?? "", cell: (one) => (one.campaign ? campaign(one.campaign) : h("span", { class: "tag" }, "none")) },
    { label: "Was", cell: (one) => verdict(one.was) },
    { label: "Would be", cell: (one) => verdict(one.is) },
    { label: "Score", number: true, sort: (one) => one.score, cell: (one) => nats(one.score) },
    { label: "Requests", number: true, sort: (one) => one.requests, cell: (one) => count(one.requests) },
    { label: "Reasons", wide: true, cell: (one) => h("span", { class: "small" }, one.reasons.map((reason) => reason.replaceAll("_", " ")).join(", ")) },
    { label: "Last", cell: (one) => time(one.last, now) },
  ];
  return card(text, { flush: true, note: `${count(rows.length)}, those of no campaign first` }, table(text, columns, rows, { page: 25 }));
}
