/** Small parts that several pages show. */
import { append, h, setText } from "./dom.js";
import * as format from "./format.js";

/**
 * A hash: shortened for the eye, whole for the clipboard and for screen readers.
 * @param {unknown} text
 * @param {string} [link] where it leads
 */
export function hash(text, link) {
  const whole = String(text ?? "");
  if (!whole) return h("span", {}, "–");
  const shown = h("code", { title: whole }, format.short(whole));
  const button = h("button", { class: "copy", type: "button", "aria-label": `Copy ${whole}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(whole);
      button.textContent = "Copied";
    } catch {
      button.textContent = "No access";
    }
    setTimeout(() => (button.textContent = "Copy"), 1_500);
  });
  return h("span", { class: "hash" }, link ? h("a", { href: link }, shown) : shown, button);
}

/**
 * Names and values.
 * @param {([string, import("./dom.js").Child] | null)[]} rows
 */
export function facts(rows) {
  const list = h("dl", { class: "facts" });
  for (const row of rows) {
    if (row) list.append(h("div", {}, h("dt", {}, row[0]), h("dd", {}, row[1])));
  }
  return list;
}

/**
 * A table that scrolls in itself where the screen is narrow.
 * @param {string} caption
 * @param {(string | [string, string])[]} columns name, or name and class
 * @param {Element} body
 */
export function table(caption, columns, body) {
  const heads = columns.map((column) => {
    const [name, kind] = typeof column === "string" ? [column, ""] : column;
    return h("th", { scope: "col", class: kind }, name);
  });
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, heads)), body));
}

/**
 * A card with a heading.
 * @param {string} title
 * @param {...(import("./dom.js").Child | import("./dom.js").Child[])} children
 */
export function card(title, ...children) {
  const section = h("section", { class: "card" }, h("h2", {}, title));
  append(section, children);
  return section;
}

/** @typedef {{ ok: boolean | "open", text: string }} Finding a check; "open" if it cannot be decided yet */

const MARKS = { true: ["good", "✓", "Holds: "], false: ["bad", "✕", "Fails: "], open: ["warn", "…", "Open: "] };

/**
 * What was checked in this browser.
 * @param {Finding[]} findings
 */
export function checks(findings) {
  return h("ul", { class: "checks" }, findings.map(({ ok, text }) => {
    const [kind, mark, word] = MARKS[/** @type {keyof typeof MARKS} */ (String(ok))];
    return h("li", { class: `check check-${kind}` },
      h("span", { class: "mark", "aria-hidden": "true" }, mark),
      h("span", {}, h("span", { class: "unseen" }, word), text.charAt(0).toUpperCase() + text.slice(1)));
  }));
}

/**
 * The sum of findings: a coloured heading.
 * @param {Finding[]} findings
 * @param {{ good: string, open: string, bad: string }} words
 */
export function verdict(findings, words) {
  const kind = findings.some(({ ok }) => ok === false) ? "bad" : findings.some(({ ok }) => ok === "open") ? "warn" : "good";
  const text = { good: words.good, warn: words.open, bad: words.bad }[kind];
  return h("section", { class: `verdict verdict-${kind}`, role: kind === "bad" ? "alert" : "status", "data-verdict": kind },
    h("p", { class: "verdict-label" }, "Checked here, in your browser"),
    h("h2", {}, text),
    checks(findings));
}

/**
 * An error, for people.
 * @param {unknown} error
 */
export function failure(error) {
  const text = error instanceof Error ? error.message : String(error);
  return h("p", { class: "alarm alarm-bad", role: "alert" }, text);
}

/** Heading of a page. @param {string} title @param {import("./dom.js").Child} [beside] */
export function heading(title, beside) {
  return h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, title), beside);
}

/** @param {string} stage */
export function badge(stage) {
  return h("span", { class: `badge badge-${String(stage).replace(/[^a-z]/g, "")}` }, stage);
}

/** How long ago a time was, with the time itself behind it. @param {number} time @param {number} now */
export function ago(time, now) {
  return h("time", { datetime: format.moment(time), title: format.moment(time) }, since(time, now));
}

/** @param {number} time @param {number} now */
export function since(time, now) {
  return `${format.duration(now - time)} ago`;
}

/** Tiles by their names: the list, and for each tile what sets its value and the note below. */
export function tiles(/** @type {string[]} */ names) {
  const element = h("dl", { class: "tiles" });
  const set = names.map((name) => {
    const [value, note] = [h("dd", { class: "tile-value" }), h("dd", { class: "dim" })];
    element.append(h("div", { class: "tile" }, h("dt", {}, name), value, note));
    return (/** @type {string} */ text, /** @type {string} */ below) => {
      setText(value, text);
      setText(note, below);
    };
  });
  return { element, set };
}
