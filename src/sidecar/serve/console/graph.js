// What joins a campaign's accounts: each thing that several have in common, and the accounts that have it.

import { h, s } from "./dom.js";
import { kind, percent } from "./words.js";

const WIDTH = 860;
const HUB = { x: 10, wide: 330, tall: 38, gap: 8 };
const ROOM = { from: 560, to: 840 };

export function graph({ ties: order, accounts }, ties) {
  const hubs = order.map((place) => ties[place]);
  const height = Math.max(hubs.length * (HUB.tall + HUB.gap), 260);
  const begin = (height - hubs.length * (HUB.tall + HUB.gap) + HUB.gap) / 2;
  const middle = (row) => begin + row * (HUB.tall + HUB.gap) + HUB.tall / 2;
  // Accounts on an arc, so that no edge hides another.
  const place = (number) => {
    const part = accounts.length > 1 ? number / (accounts.length - 1) : 0.5;
    const angle = (part - 0.5) * Math.PI * 0.86;
    return { x: ROOM.from + Math.cos(angle) * (ROOM.to - ROOM.from - 12), y: height / 2 + (Math.sin(angle) / Math.sin(Math.PI * 0.43)) * (height / 2 - 10) };
  };
  const edges = [];
  const dots = accounts.map((one, number) => {
    const { x, y } = place(number);
    for (const tie of one.ties) {
      const row = order.indexOf(tie);
      const from = HUB.x + HUB.wide;
      const path = `M${from} ${middle(row)}C${from + 120} ${middle(row)} ${x - 150} ${y} ${x} ${y}`;
      edges.push({ row, number, made: s("path", { class: `edge kind-${ties[tie].kind}`, d: path }) });
    }
    const dot = s("circle", { class: "dot", cx: x, cy: y, r: 4.5 });
    const link = s("a", { href: `#/accounts/${one.account}`, tabindex: -1, "aria-hidden": "true" }, s("title", null, one.account), dot);
    return { link, dot };
  });
  const light = (chosen) => {
    for (const { row, made } of edges) {
      made.classList.toggle("lit", chosen === row);
      made.classList.toggle("dim", chosen !== null && chosen !== row);
    }
    const lit = new Set(edges.filter(({ row }) => row === chosen).map(({ number }) => number));
    dots.forEach(({ dot }, number) => dot.classList.toggle("dim", chosen !== null && !lit.has(number)));
  };
  const made = hubs.map((tie, row) => {
    const y = middle(row) - HUB.tall / 2;
    const told = `${tie.accounts} accounts, ${percent(tie.here)} here${tie.elsewhere === null ? "" : `, ${percent(tie.elsewhere)} elsewhere`}`;
    const label = `${kind(tie.kind)} ${tie.digest}: ${told}`;
    const on = { pointerenter: () => light(row), pointerleave: () => light(null), focus: () => light(row), blur: () => light(null) };
    return s("g", { class: "hub", tabindex: 0, role: "img", "aria-label": label, on },
      s("rect", { x: HUB.x, y, width: HUB.wide, height: HUB.tall, rx: 8 }),
      s("rect", { class: `strip kind-${tie.kind}`, x: HUB.x + 1, y: y + 8, width: 4, height: HUB.tall - 16, rx: 2 }),
      s("text", { x: HUB.x + 14, y: y + 16 }, `${kind(tie.kind)} ${tie.digest}`),
      s("text", { class: "note", x: HUB.x + 14, y: y + 31 }, told));
  });
  const picture = s("svg", { class: "chart joins", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "What joins the accounts" },
    edges.map(({ made: edge }) => edge), dots.map(({ link }) => link), made);
  return h("figure", { class: "graph" }, picture);
}
