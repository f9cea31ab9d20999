// Tables that sort and turn pages.

import { empty, h, say, show } from "./dom.js";

const PAGE = 50;

/** Columns: `{ label, cell(row), sort?(row), number?, head?, wide?, unseen? }`. A column with `sort` can be sorted by; the
    label of one that is `unseen` is there for screen readers. */
export function table(caption, columns, rows, { none, sorted, page = PAGE, pager } = {}) {
  if (rows.length === 0) return none ?? empty("Nothing here yet");
  let order = sorted ?? null;
  let first = 0;
  const box = h("div", null);
  const inOrder = () => {
    const by = columns.find((column) => column.label === order?.by)?.sort;
    if (!by) return rows;
    const sign = order.down ? -1 : 1;
    return rows.toSorted((a, b) => sign * compare(by(a), by(b)));
  };
  const head = (column) => {
    const state = order?.by === column.label ? (order.down ? "descending" : "ascending") : column.sort && "none";
    const sort = () => {
      order = { by: column.label, down: order?.by === column.label ? !order.down : Boolean(column.number) };
      first = 0;
      draw(column.label);
      say(`Sorted by ${column.label}, ${order.down ? "descending" : "ascending"}`);
    };
    return h("th", { scope: "col", class: column.number && "number", "aria-sort": state || undefined }, column.sort ? h("button", { type: "button", on: { click: sort } }, column.label) : column.unseen ? h("span", { class: "unseen" }, column.label) : column.label);
  };
  const cell = (column, row) => h(column.head ? "th" : "td", { scope: column.head && "row", class: [column.number && "number", column.wide && "wide"].filter(Boolean).join(" ") || undefined }, column.cell(row));
  const turn = (by) => {
    first += by;
    draw();
    say(`Rows ${first + 1} to ${Math.min(first + page, rows.length)}`);
  };
  const pages = () => rows.length > page && h("div", { class: "pager" },
    h("span", null, `${first + 1}–${Math.min(first + page, rows.length)} of ${rows.length}`),
    h("button", { type: "button", class: "small", disabled: first === 0, on: { click: () => turn(-page) } }, "Previous"),
    h("button", { type: "button", class: "small", disabled: first + page >= rows.length, on: { click: () => turn(page) } }, "Next"));
  function draw(focus) {
    const body = inOrder().slice(first, first + page).map((row) => h("tr", null, columns.map((column) => cell(column, row))));
    const made = h("table", null, h("caption", { class: "unseen" }, caption), h("thead", null, h("tr", null, columns.map(head))), h("tbody", null, body));
    show(box, h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": caption }, made), pages(), pager);
    if (focus) [...box.querySelectorAll("th button")].find((button) => button.textContent === focus)?.focus();
  }
  draw();
  return box;
}

function compare(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""));
}
