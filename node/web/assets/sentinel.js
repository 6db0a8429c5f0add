/** The page of findings: how the sentinel stands, what is held back, who is frozen, and the log as a timeline. */
import { h, keyed, put, setText } from "./dom.js";
import { capital, inShort, words } from "./evidence.js";
import { chained, follow, frozen, log, newest, readOlder } from "./findings.js";
import * as format from "./format.js";
import { now, onChange } from "./live.js";
import { freezing, holding, orders } from "./orders.js";
import { find, operatorCard } from "./operator.js";
import { ago, card, failure, hash, heading, since, tiles } from "./parts.js";

/** @typedef {import("./entry.js").Finding} Finding */
/** @typedef {import("./entry.js").Held} Held */

/** Rows of the timeline at first, and with each press of its button. */
const ROWS = 50;

/** Kinds, with what a badge says and the filter that shows them. @type {Record<string, [string, string]>} */
const KINDS = {
  hold: ["hold", "decisions"], refuse: ["refuse", "decisions"], alert: ["alert", "alerts"], released: ["released", "decisions"],
  frozen: ["freeze", "freezes"], unfrozen: ["unfreeze", "freezes"], rules: ["rules", "notes"], note: ["note", "notes"], unreadable: ["unreadable", "notes"],
};
const FILTERS = [["all", "All"], ["decisions", "Held, refused, released"], ["freezes", "Freezes"], ["alerts", "Alerts"], ["notes", "Notes and rules"]];

/** @param {string} kind */
export const kindBadge = (kind) => h("span", { class: `badge kind-${kind}` }, KINDS[kind]?.[0] ?? kind);

/** A finding in a line. @param {Finding} finding @returns {string} */
export function titleOf({ kind, reasons, account, until, words: text }) {
  const detectors = capital(reasons.map(({ detector }) => words(detector)).join(", "));
  switch (kind) {
    case "hold":
    case "refuse":
    case "alert":
      return detectors || "No reason is given";
    case "released":
      return `An operation is let go by ${text}`;
    case "frozen":
      return `Account ${account} is frozen until ${format.moment(until)}`;
    case "unfrozen":
      return `The freeze of account ${account} ended: ${text}`;
    case "rules":
      return `Other rules are in force, ${text}`;
    case "note":
      // The node writes times as numbers.
      return capital(text.replace(/\buntil ([0-9]{10})\b/g, (_, time) => `until ${format.moment(Number(time))}`));
    default:
      return text;
  }
}

/** @param {number} account */
const accountLink = (account) => h("a", { href: `#/accounts/${account}` }, `account ${account}`);

/** @param {Finding} finding */
function row(finding) {
  const { number, kind, time, operation, account, reasons } = finding;
  const when = ago(time, now());
  const most = Math.max(0, ...reasons.map(({ score }) => score));
  const item = /** @type {HTMLElement & { update: () => void }} */ (h("li", { class: `finding finding-${kind}` },
    h("p", { class: "finding-line" }, kindBadge(kind), h("a", { class: "finding-title", href: `#/sentinel/${number}` }, h("bdi", {}, titleOf(finding))), when),
    reasons.length > 0 ? h("p", { class: "dim finding-values" }, h("bdi", {}, reasons.map(inShort).find((text) => text !== "") ?? ""), `, score ${format.number(most)}, version ${reasons[0].version.slice(0, 20)}`) : null,
    operation || account !== null ? h("p", { class: "dim" }, `Finding ${number}`, account !== null ? [", ", accountLink(account)] : null, operation ? [", operation ", hash(operation, `#/operations/${operation}`)] : null) : null));
  item.update = () => setText(when, Number.isFinite(time) ? since(time, now()) : "–");
  return item;
}

/** @param {AbortSignal} signal @param {Held} held */
function heldRow(signal, held) {
  const rest = h("strong", { class: "held-rest" });
  const finding = newest().find(({ kind, operation }) => kind === "hold" && operation === held.operation);
  const item = /** @type {HTMLElement & { update: () => void }} */ (h("li", { class: "held" },
    h("p", { class: "held-line" }, rest, h("span", { class: "dim" }, `until ${format.moment(held.until)}`)),
    h("p", {}, "Operation ", hash(held.operation), " of ", accountLink(held.account), ". ", finding ? h("a", { href: `#/sentinel/${finding.number}` }, "Evidence and flows") : null),
    h("ul", { class: "why" }, held.reasons.map((reason) => h("li", {}, h("strong", {}, h("bdi", {}, capital(words(reason.detector)))), ` (${format.number(reason.score)} of 1000): `, h("bdi", {}, inShort(reason))))),
    orders(signal, () => [...Object.values(holding(held)), ...Object.values(freezing(held.account))]).element));
  item.update = () => setText(rest, held.until > now() ? `${format.duration(held.until - now())} left` : "is being released");
  return item;
}

/** @param {AbortSignal} signal @param {Finding} finding */
function frozenRow(signal, { account, until, number, evidence }) {
  const rest = h("strong", { class: "held-rest" });
  const index = account ?? 0;
  const item = /** @type {HTMLElement & { update: () => void }} */ (h("li", { class: "held" },
    h("p", { class: "held-line" }, accountLink(index), rest, h("span", { class: "dim" }, `until ${format.moment(until)}`)),
    h("p", { class: "dim" }, evidence.length > 0 ? `${evidence.length === 1 ? "An operation" : `${evidence.length} operations`} of it led to this. ` : "", h("a", { href: `#/sentinel/${number}` }, "Evidence and flows")),
    orders(signal, () => [freezing(index).unfreeze]).element));
  item.update = () => setText(rest, `${format.duration((until ?? 0) - now())} left`);
  return item;
}

function standing() {
  const { element, set } = tiles(["Mode", "Held back", "Findings", "Operations seen"]);
  const [mode, held, findings, seen] = set;
  const modes = /** @type {Record<string, string>} */ ({ watch: "found and let pass", enforce: "held back or refused" });
  const update = () => {
    const { status } = log;
    if (!status) return;
    mode(status.mode, modes[status.mode] ?? "");
    held(format.number(status.held), "now, by the node's count");
    const whole = chained();
    findings(format.number(status.findings), whole === "open" ? "the newest are read here" : whole ? "the chain of hashes fits" : "the hashes do NOT fit");
    seen(format.number(status.observed), `rules ${String(status.rules).slice(0, 24)}`);
  };
  return { element, update };
}

/** @param {Element} main @param {AbortSignal} signal */
export function sentinelPage(main, signal) {
  const figures = standing();
  const trouble = h("div", { role: "status" });
  const [heldList, frozenList, timeline] = [h("ul", { class: "helds" }), h("ul", { class: "helds" }), h("ol", { class: "timeline" })];
  const [noHeld, noFrozen, none] = [h("p", { class: "dim" }), h("p", { class: "dim" }, "No account is frozen, by the findings that are read here."), h("p", { class: "dim" }, "Nothing was found yet.")];
  const filter = /** @type {HTMLSelectElement} */ (h("select", { id: "kinds" }, FILTERS.map(([value, name]) => h("option", { value }, name))));
  const more = h("button", { type: "button", hidden: true }, "Older findings");
  const content = h("div", { class: "stack" }, figures.element,
    h("div", { class: "sentinel-pair" }, card("Held back", noHeld, heldList), card("Frozen accounts", noFrozen, frozenList)),
    card("Findings", h("div", { class: "row filter" }, h("label", { for: "kinds" }, "Show"), filter), none, timeline, h("p", {}, more)),
    operatorCard(signal));
  put(main, heading("Sentinel", h("p", { class: "dim" }, "What was found about operations before they were included, and what was done about it")), trouble, content);
  let rows = ROWS;

  function update() {
    trouble.hidden = !log.off && log.error === null;
    put(trouble, log.off ? h("p", { class: "alarm alarm-note" }, "This node has no sentinel: sentinel.mode is off.") : log.error ? failure(log.error) : null);
    content.hidden = log.off;
    figures.update();
    const held = [...log.held.values()].sort((a, b) => a.until - b.until);
    const hidden = (log.status?.held ?? 0) - held.length;
    setText(noHeld, hidden > 0 && log.status?.mode === "enforce" ? `${format.number(hidden)} more: the operator's list has all.` : "Nothing is held back.");
    noHeld.hidden = held.length > 0 && hidden <= 0;
    keyed(heldList, held, (one) => `${one.operation}${one.bytes === null}`, (one) => heldRow(signal, one));
    const ice = frozen();
    noFrozen.hidden = ice.length > 0;
    keyed(frozenList, ice, ({ number }) => number, (one) => frozenRow(signal, one));
    const all = newest().filter(({ kind }) => filter.value === "all" || KINDS[kind]?.[1] === filter.value);
    none.hidden = all.length > 0;
    setText(none, log.findings.size > 0 ? "None of this kind among those that are read here." : log.status ? "Nothing was found yet." : "Reading…");
    keyed(timeline, all.slice(0, rows), ({ number }) => number, row);
    more.hidden = all.length <= rows && !(Math.min(...log.findings.keys()) > 0 && log.findings.size > 0);
  }
  filter.addEventListener("change", update);
  more.addEventListener("click", async () => {
    rows += ROWS;
    try {
      await readOlder(signal);
    } catch (error) {
      log.error = error;
    }
    if (!signal.aborted) update();
  });
  update();
  find().catch(() => {});
  follow(signal, update);
  return onChange(update);
}
