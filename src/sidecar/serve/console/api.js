// The sidecar's interface, as the program's commands use it too.

const TOKEN = "azeotrope.token";
const PATIENCE = 30_000;

/** An answer that says no. */
export class Refused extends Error {
  constructor(status, answer) {
    const problems = (answer?.problems ?? []).map((one) => `${one.path}: ${one.reason}`);
    super([answer?.error ?? `status ${status}`, ...problems].join("; "));
    this.status = status;
    this.answer = answer;
  }
}

/** The token of this tab: gone when it is closed. It goes along with what this page asks and with nothing else, so no
    other page can use it. */
export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (text) => (text ? sessionStorage.setItem(TOKEN, text) : sessionStorage.removeItem(TOKEN)),
};

async function request(path, { method = "GET", query = {}, body, headers = {}, signal } = {}) {
  const address = new URL(`../v1/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, value);
  const shown = token.get();
  const all = { "x-azeotrope-client": "console", ...(shown ? { authorization: `Bearer ${shown}` } : {}), ...headers };
  const limit = AbortSignal.timeout(PATIENCE);
  const options = { method, body, headers: all, signal: signal ? AbortSignal.any([signal, limit]) : limit, cache: "no-store" };
  let answer;
  try {
    answer = await fetch(address, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(0, { error: error.name === "TimeoutError" ? "the sidecar took too long" : "the sidecar does not answer" });
  }
  const text = await answer.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    throw new Refused(answer.status, { error: `no JSON but ${text.slice(0, 80)}` });
  }
  if (!answer.ok) {
    if (answer.status === 401) window.dispatchEvent(new Event("login-needed"));
    throw new Refused(answer.status, json);
  }
  return { json, text, tag: answer.headers.get("etag") };
}

export const get = async (path, query, signal) => (await request(path, { query, signal })).json;
export const session = () => get("session");
export const post = async (path, query) => (await request(path, { method: "POST", query })).json;

/** Whom a rules document would have acted upon. */
export const whatIf = async (document, signal) =>
  (await request("rules/what-if", { method: "POST", body: JSON.stringify(document), signal })).json;

/** The rules in force, and what this state of them is called. */
export async function rules() {
  const { json, tag } = await request("rules");
  return { document: json, tag };
}

/** Puts a document into force, if the rules are still those it was made from. */
export const publish = async (document, tag, { note = "", force = false } = {}) =>
  (await request("rules", {
    method: "PUT",
    query: { note, force },
    headers: { "if-match": tag },
    body: `${JSON.stringify(document, null, 2)}\n`,
  })).json;
