/**
 * What the operator may do. His token is kept in this variable alone, and goes to the origin of the page
 * alone: the node serves the page at its admin address too. Anywhere else the page shows commands.
 */
import { h, put, setText } from "./dom.js";
import { visible } from "./entry.js";
import { log, stale } from "./findings.js";
import { freezing, orders } from "./orders.js";
import { card } from "./parts.js";

/** Milliseconds without an action after which the token is forgotten. */
const IDLE = 15 * 60_000;

/** @type {"unknown" | "here" | "elsewhere"} */
let place = "unknown";
/** @type {string | null} */
let token = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle;

/** @type {Set<() => void>} */
const readers = new Set();
const changed = () => readers.forEach((read) => read());

/** Calls back when the operator signs in or out, now, and until the signal. @param {AbortSignal} signal @param {() => void} read */
export function onOperator(signal, read) {
  readers.add(read);
  signal.addEventListener("abort", () => readers.delete(read));
  read();
}

/** Whether the operator has signed in. */
export const isIn = () => place === "here" && token !== null;

function rest() {
  clearTimeout(idle);
  idle = setTimeout(() => keep(null), IDLE);
}

/** @param {string | null} next */
function keep(next) {
  token = next;
  clearTimeout(idle);
  if (next !== null) rest();
  log.list = next === null ? null : async () => (await call("GET", "/quarantine")).held;
  stale();
  changed();
}
// A page that is kept for the way back must not keep the token.
window.addEventListener("pagehide", () => token !== null && keep(null));

/**
 * Asks the admin API at the page's own origin.
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {string | null} [bearer]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, bearer = token) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (bearer !== null) headers.authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(`${location.origin}/admin/v1${path}`, {
    method, headers, mode: "same-origin", redirect: "error", credentials: "omit", cache: "no-store",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) {
    if (method === "POST") rest();
    return answer;
  }
  const error = Object.assign(new Error(visible(answer?.detail || `the node answered ${response.status}`)), { status: response.status });
  if (response.status === 401 && bearer === token && token !== null) keep(null);
  throw error;
}

/** Finds out, once, whether the admin API is where the page is from. */
export async function find() {
  if (place !== "unknown") return;
  const status = await call("GET", "/quarantine", undefined, null).then(() => 200, (error) => error.status ?? 0);
  // Without a token nothing but a refusal tells of it. Whoever is busy is asked again by the next page.
  if (status !== 401 && status !== 404) return;
  place = status === 401 ? "here" : "elsewhere";
  changed();
}

/** @param {string} text */
async function signIn(text) {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error("a token has no blanks and no such characters");
  await call("GET", "/quarantine", undefined, text).catch((error) => {
    // A node without a sentinel knows the operator all the same.
    if (error.status !== 404) throw error;
  });
  keep(text);
}

/** Where the operator signs in, or why he cannot here. @param {AbortSignal} signal @param {boolean} [freezes] whether he may name an account there */
export function operatorCard(signal, freezes = true) {
  const body = h("div", { class: "stack" });
  const form = freezes ? freezeForm(signal) : null;
  onOperator(signal, () => {
    if (place === "unknown") put(body, h("p", { class: "dim" }, "Looking for the admin API…"));
    else if (place === "elsewhere") {
      put(body, h("p", {}, "This address has no admin API, so there are no buttons here and no token is asked for. Open this page at the node's admin address (", h("code", {}, "api.admin-listen"), ", by default ", h("code", {}, "http://127.0.0.1:4001/#/sentinel"), "; from afar by an SSH tunnel), or use the commands that stand at each entry."), form);
    } else if (token === null) put(body, signInForm(), form);
    else {
      const out = h("button", { type: "button" }, "Forget the token");
      out.addEventListener("click", () => keep(null));
      put(body, h("div", { class: "row signed-in" }, h("p", {}, "You are signed in as the operator. This tab alone keeps the token, until it is closed or 15 minutes pass without an action."), out), form);
    }
  });
  return card("Operator", body);
}

function signInForm() {
  const input = /** @type {HTMLInputElement} */ (h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true }));
  const said = h("p", { class: "said text-bad", role: "alert" });
  const form = h("form", { class: "ask" }, h("label", { for: "token" }, "The operator's token (api.admin-token-file)"), h("div", { class: "row" }, input, h("button", { class: "primary", type: "submit" }, "Sign in")), said,
    h("p", { class: "dim" }, `It is sent to ${location.origin} alone, and kept nowhere but in this tab's memory.`),
    window.isSecureContext ? null : h("p", { class: "alarm alarm-warn" }, "This page came without TLS from another machine: whoever is on the way can read the token. Use an SSH tunnel or a VPN."));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = "";
    signIn(text).catch((error) => setText(said, `Refused: ${error.message}`));
  });
  return form;
}

/** @param {AbortSignal} signal */
function freezeForm(signal) {
  const field = (/** @type {string} */ id, /** @type {string} */ label, /** @type {string} */ value) => {
    const input = /** @type {HTMLInputElement} */ (h("input", { id, inputmode: "numeric", pattern: "[0-9]{1,10}", autocomplete: "off", value }));
    return { input, element: h("div", {}, h("label", { for: id }, label), input) };
  };
  const [account, seconds] = [field("freeze-account", "Account", "131072"), field("freeze-seconds", "Seconds", "3600")];
  const number = (/** @type {{ input: HTMLInputElement }} */ { input }) => (/^[0-9]{1,10}$/.test(input.value) ? Number(input.value) : 0);
  const both = () => Object.values(freezing(number(account), number(seconds)));
  const buttons = orders(signal, both);
  for (const { input } of [account, seconds]) input.addEventListener("input", buttons.update);
  return h("div", { class: "freeze" }, h("div", { class: "fields" }, account.element, seconds.element), buttons.element);
}
