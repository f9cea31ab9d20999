// Forms in a dialog.

import { h, show } from "./dom.js";

function field({ name, label, type = "text", hint, ...rest }, number) {
  const id = `field-${number}`;
  const described = hint ? `${id}-hint` : undefined;
  const input = h(type === "textarea" ? "textarea" : "input", { id, name, type: type === "textarea" ? undefined : type, "aria-describedby": described, ...rest });
  const title = h("label", { for: id }, label);
  const note = hint && h("span", { id: described, class: "small faint" }, hint);
  return type === "checkbox" ? h("div", { class: "field row" }, input, title, note) : h("div", { class: "field" }, title, input, note);
}

/** Asks with a form. `run` gets what was typed; while it fails the dialog stays and says why. Whether it was done. */
export function form(title, { text, content, fields = [], submit, danger = false, run }) {
  return new Promise((resolve) => {
    const problem = h("div", null);
    const go = h("button", { type: "submit", class: danger ? "danger" : "main" }, submit);
    const stop = h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel");
    const body = h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), text && h("p", { class: "faint" }, text), content, ...fields.map(field), problem, h("div", { class: "actions" }, stop, go));
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, body);
    let done = false;
    body.addEventListener("submit", async (event) => {
      event.preventDefault();
      const typed = Object.fromEntries(fields.map(({ name, type }) => [name, type === "checkbox" ? body.elements[name].checked : body.elements[name].value]));
      go.disabled = true;
      show(problem);
      try {
        await run(typed);
        done = true;
        dialog.close();
      } catch (error) {
        go.disabled = false;
        show(problem, h("div", { class: "notice bad", role: "alert" }, error.message));
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
