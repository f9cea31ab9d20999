// Numbers and times in words.

import { h } from "./dom.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (number) => whole.format(number ?? 0);
export const short = (number) => (number < 10_000 ? whole.format(number ?? 0) : compact.format(number));
export const nats = (number) => `${(number ?? 0).toFixed(2)}`;
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function percent(share) {
  const value = (share ?? 0) * 100;
  if (value === 0) return "0%";
  return value < 0.1 ? "<0.1%" : `${value.toFixed(value < 10 ? 1 : 0)}%`;
}

const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `25 Nov 19:05` in UTC, as logs have it. */
export function moment(milliseconds, seconds = false) {
  const at = new Date(milliseconds);
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${seconds ? `:${two(at.getUTCSeconds())}` : ""}`;
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${time}`;
}

export const clock = (milliseconds) => moment(milliseconds).split(" ")[2];
export const day = (milliseconds) => moment(milliseconds).split(" ").slice(0, 2).join(" ");

/** `43 min` */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

/** A moment, and how long ago that was by the sidecar's clock. */
export function time(milliseconds, now) {
  if (!milliseconds) return h("span", { class: "faint" }, "–");
  const ago = now === undefined ? moment(milliseconds) : now - milliseconds < 1_500 ? "just now" : `${span(now - milliseconds)} ago`;
  return h("time", { datetime: new Date(milliseconds).toISOString(), title: `${moment(milliseconds, true)} UTC` }, ago);
}

/** A digest, whole: half of one looks up nothing. */
export function digest(text, href) {
  return href ? h("a", { class: "digest", href }, text) : h("span", { class: "digest" }, text);
}

export const account = (text) => digest(text, `#/accounts/${encodeURIComponent(text)}`);
export const campaign = (name) => h("a", { href: `#/campaigns/${encodeURIComponent(name)}` }, name);
export const verdict = (action) => h("span", { class: `verdict ${ACTIONS.includes(action) ? action : ""}` }, action);
export const ACTIONS = ["allow", "observe", "throttle", "degrade", "block"];

const KINDS = { key: "shared key", target: "model", settings: "settings", client: "client program", network: "network" };
/** What accounts have in common, in words. */
export const kind = (name) => KINDS[name] ?? name;
export const family = (name) => h("span", { class: "tag" }, String(name).replaceAll("_", " "));
