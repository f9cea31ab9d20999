// Elements. Text is only ever text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  put(element, ...children);
  return element;
}

/** Appends children: nodes, texts, numbers, lists of these; null and false are left out. */
export function put(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** An element: `h("p", { class: "faint" }, "text", h("b", null, "more"))`. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Puts other content in the place of what is there. */
export function show(element, ...children) {
  element.replaceChildren();
  return put(element, ...children);
}

/** Tells who listens to a screen reader. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** A card with a heading. */
export function card(title, { tools, flush, note } = {}, ...children) {
  const head = h("div", { class: "head" }, h("h2", null, title), note && h("span", { class: "small faint" }, note), tools && h("div", { class: "tools" }, tools));
  return h("section", { class: flush ? "card flush" : "card", "aria-label": title }, head, ...children);
}

/** What stands where there is nothing to show. */
export function empty(title, ...why) {
  return h("div", { class: "empty" }, h("strong", null, title), h("span", null, ...why));
}

/** What stands where something could not be had. */
export function failed(error, again) {
  return h("div", { class: "notice bad", role: "alert" }, h("span", null, `Not to be had: ${error.message}`), again && h("button", { type: "button", class: "small", on: { click: again } }, "Try again"));
}
