// Charts: stacked bars over time, and a histogram with thresholds. Drawn here, in a few SVG elements.

import { h, s, show } from "./dom.js";
import { clock, count, day, moment, short } from "./words.js";

const WIDTH = 860;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 12;

/** A round number at or above. */
function round(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= number) ?? 1;
}

function axis(height, most, of = (part) => part * most) {
  return [0, 0.5, 1].map((part) => {
    const y = TOP + (height - TOP - BOTTOM) * (1 - part);
    const value = of(part);
    const label = Number.isInteger(value) && s("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, short(value));
    return [s("line", { class: part ? "grid" : "base", x1: LEFT, x2: WIDTH, y1: y, y2: y }), label];
  });
}

/**
 * Stacked bars over time. `rows`: `[milliseconds, ...values]`, of which `series` (`{ name, at, fill }`) are drawn, the
 * first at the bottom. Between `from` and `to` by `step`; what is not in `rows` is nothing.
 */
export function bars(label, { rows, series, from, to, step, height = 200 }) {
  const slots = Math.max(1, Math.round((to - from) / step));
  const wide = (WIDTH - LEFT) / slots;
  const inside = rows.filter(([at]) => at >= from && at < to);
  const total = (row) => series.reduce((sum, { at }) => sum + row[at], 0);
  const most = round(Math.max(1, ...inside.map(total)));
  const scale = (height - TOP - BOTTOM) / most;
  const x = (at) => LEFT + ((at - from) / step) * wide;
  const made = inside.map((row) => {
    let base = height - BOTTOM;
    return series.filter(({ at }) => row[at] > 0).map(({ at, fill }) => {
      const tall = Math.max(row[at] * scale, 1);
      base -= tall;
      return s("rect", { class: `fill-${fill}`, x: x(row[0]), y: base, width: Math.max(wide - (wide > 4 ? 1 : 0), 0.8), height: tall });
    });
  });
  const whole = to - from > 36 * 3_600_000;
  const ticks = [0, 0.25, 0.5, 0.75].map((part) => {
    const at = from + Math.round((slots * part)) * step;
    return s("text", { x: x(at), y: height - 6 }, whole ? day(at) : clock(at));
  });
  const cursor = s("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
  const picture = s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, "aria-hidden": "true", focusable: "false" }, axis(height, most), made, ticks, cursor);
  const readout = h("p", { class: "readout" });
  const sums = series.map(({ name, at }) => `${name} ${count(inside.reduce((sum, row) => sum + row[at], 0))}`).join(", ");
  const rest = `In all: ${sums}`;
  show(readout, rest);
  const byTime = new Map(inside.map((row) => [row[0], row]));
  let chosen = null;
  const choose = (slot) => {
    chosen = slot === null ? null : Math.min(Math.max(slot, 0), slots - 1);
    cursor.setAttribute("visibility", chosen === null ? "hidden" : "visible");
    if (chosen === null) return show(readout, rest);
    const at = from + chosen * step;
    const row = byTime.get(at);
    cursor.setAttribute("x1", x(at) + wide / 2);
    cursor.setAttribute("x2", x(at) + wide / 2);
    return show(readout, `${moment(at)} UTC: ${row ? series.filter((one) => row[one.at]).map(({ name, at: place }) => `${name} ${count(row[place])}`).join(", ") || "nothing" : "nothing"}`);
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * WIDTH - LEFT;
    choose(place < 0 ? null : Math.floor(place / wide));
  });
  picture.addEventListener("pointerleave", () => choose(null));
  // With the keyboard: step through time.
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  const keyed = (event) => {
    if (event.key === "Escape") return choose(null);
    if (!(event.key in steps)) return undefined;
    event.preventDefault();
    return choose((chosen ?? slots) + steps[event.key]);
  };
  const frame = h("div", { tabindex: 0, role: "application", "aria-roledescription": "chart", "aria-label": `${label}. ${rest}. Left and right step through time.`, on: { keydown: keyed, blur: () => choose(null) } }, picture);
  return h("figure", { class: "stack-chart" }, frame, h("div", { "aria-live": "polite" }, readout));
}

export function keys(series) {
  return h("div", { class: "keys" }, series.map(({ name, fill }) => h("span", { class: `key ${fill}` }, h("i"), name)));
}

/** Accounts by the most they scored, a bar a step of half a nat, with the thresholds across. Heights are logarithmic:
    few accounts matter as much as many. Returns the picture and a function that moves the thresholds. */
export function histogram(scores, thresholds) {
  const height = 230;
  const last = scores.length;
  const wide = (WIDTH - LEFT) / last;
  const x = (nats) => LEFT + Math.min(nats * 2, last) * wide;
  const log = (number) => Math.log10(number + 1);
  const top = Math.max(1, ...scores.map(({ others, linked }) => log(others + linked)));
  const scale = (height - TOP - BOTTOM) / top;
  const made = scores.map(({ from, others, linked }) => {
    const all = log(others + linked) * scale;
    const split = others + linked ? (all * others) / (others + linked) : 0;
    const rect = (fill, y, tall) => tall > 0 && s("rect", { class: `fill-${fill}`, x: x(from) + 1, width: wide - 2, y, height: tall });
    return [rect("others", height - BOTTOM - split, split), rect("linked", height - BOTTOM - all, all - split)];
  });
  const ticks = scores.filter(({ from }) => from % 2 === 0).map(({ from }) => s("text", { x: x(from), y: height - 6, "text-anchor": "middle" }, from === (last - 1) / 2 ? `${from}+` : from));
  const marks = Object.keys(thresholds).map((rung, row) => {
    const line = s("line", { class: `mark stroke-${rung}`, y1: TOP, y2: height - BOTTOM });
    const text = s("text", { class: `text-${rung}`, y: TOP + 8 + row * 14 }, rung);
    return { rung, line, text };
  });
  const move = (to) => {
    for (const { rung, line, text } of marks) {
      const at = x(to[rung]);
      line.setAttribute("x1", at);
      line.setAttribute("x2", at);
      text.setAttribute("x", at + 5);
    }
  };
  move(thresholds);
  const sum = (key) => count(scores.reduce((all, step) => all + step[key], 0));
  const label = `Accounts by their highest score: ${sum("others")} of no campaign, ${sum("linked")} of campaigns`;
  const picture = s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label },
    axis(height, top, (part) => Math.round(10 ** (part * top) - 1)), made, ticks, marks.map(({ line, text }) => [line, text]));
  return { picture, move };
}
