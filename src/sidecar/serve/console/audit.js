// Who changed what.

import { get } from "./api.js";
import { card, empty, h } from "./dom.js";
import { table } from "./table.js";
import { moment } from "./words.js";

const PAGE = 50;
let offset = 0;

export const title = "Audit";
export const load = () => get("audit", { offset, limit: PAGE });

export function view({ audit, more }, again) {
  const turn = (to) => {
    offset = Math.max(to, 0);
    again();
  };
  const numbers = ({ before, after }) => (after === null ? (before === null ? "" : `${before} stays`) : `${before ?? "–"} → ${after}`);
  const columns = [
    { label: "When (UTC)", head: true, cell: (one) => h("time", { datetime: new Date(one.at).toISOString() }, moment(one.at, true)) },
    { label: "Who", cell: (one) => one.who },
    { label: "Through", cell: (one) => h("span", { class: "tag" }, one.through || "earlier version") },
    { label: "Rules", cell: numbers },
    { label: "What", wide: true, cell: (one) => [one.what, one.changes.length > 0 && h("ul", { class: "changes" }, one.changes.map((line) => h("li", null, line)))] },
  ];
  const pager = (offset > 0 || more) && h("div", { class: "pager" }, h("span", null, `${offset + 1}–${offset + audit.length}`),
    h("button", { type: "button", class: "small", disabled: offset === 0, on: { click: () => turn(offset - PAGE) } }, "Newer"),
    h("button", { type: "button", class: "small", disabled: !more, on: { click: () => turn(offset + PAGE) } }, "Older"));
  return [
    h("div", { class: "head" }, h("h1", null, "Audit"), h("p", { class: "sub" }, "Who changed what, when, and from where it was asked.")),
    card("Changes", { flush: true, note: "the latest 10,000 are kept" }, table("Changes", columns, audit, { pager, none: empty("Nothing was changed yet") })),
  ];
}
