// Changes of the rules in force, each with a note, and again by force where the sidecar refused it for caution.

import { publish, rules } from "./api.js";
import { form } from "./dialog.js";
import { h, say } from "./dom.js";

const NOTE = { name: "note", label: "Why", hint: "For the audit trail", maxlength: 256, required: true };
const CONFLICT = 409;
const CHANGED = 412;

/** Asks for a note and puts the rules as `edit` changes them into force. Whether it was done. */
export async function change(title, { text, content, fields = [], submit, danger, edit, done = "In force" }) {
  let force = false;
  for (;;) {
    let refused = null;
    const more = force ? [{ name: "sure", label: "Put them into force all the same", type: "checkbox", required: true }] : [];
    const made = await form(title, {
      text: force ? undefined : text,
      content: force ? h("div", { class: "notice bad" }, `Refused: ${force}`) : content,
      fields: [...fields, NOTE, ...more],
      submit,
      danger: danger || Boolean(force),
      run: async (typed) => {
        const { document, tag } = await rules();
        edit(document, typed);
        try {
          await publish(document, tag, { note: typed.note, force: Boolean(force) });
        } catch (error) {
          if (error.status === CHANGED) throw new Error("Somebody else has changed the rules meanwhile. Close this, look, and try again.");
          if (error.status !== CONFLICT) throw error;
          refused = error.message;
        }
      },
    });
    if (!made) return false;
    if (refused === null) {
      say(done);
      window.dispatchEvent(new Event("rules-changed"));
      return true;
    }
    force = refused;
  }
}

/** Lets accounts of a campaign be blocked that are known only by being alike. */
export function confirm(campaign) {
  return change("Confirm this campaign", {
    text: `Accounts of ${campaign} have been throttled at most. Where their score says so they will be blocked.`,
    submit: "Confirm",
    danger: true,
    done: `Campaign ${campaign} is confirmed`,
    edit: (document) => {
      const listed = document.campaigns ?? [];
      const known = listed.find((one) => one.id === campaign);
      document.campaigns = [...listed.filter((one) => one !== known), { ...known, id: campaign, confirmed: true }];
    },
  });
}

/** Never acts upon an account again, or for some days. */
export function allow(account) {
  return change("Allow this account", {
    text: `${account} will not be acted upon, whatever the evidence. It stays linked to its campaign.`,
    fields: [{ name: "days", label: "Days", type: "number", min: 1, max: 3650, step: 1, value: 30, hint: "Empty: for good" }],
    submit: "Allow",
    done: `Account ${account} is allowed`,
    edit: (document, { days, note }) => {
      const entry = { account, note: note.slice(0, 256) };
      if (days) entry.until = Math.floor(Date.now() / 1000) + Number(days) * 86_400;
      document.allow = [...(document.allow ?? []).filter((one) => one.account !== account), entry];
    },
  });
}
