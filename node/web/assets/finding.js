/** One finding: what was decided and why, and who paid whom around it. */
import { NodeError } from "./bastion.js";
import { h, put } from "./dom.js";
import { visible } from "./entry.js";
import { evidence } from "./evidence.js";
import { follow, log, newest, one } from "./findings.js";
import { flowsOf } from "./flows.js";
import * as format from "./format.js";
import { flowTable, graph } from "./graph.js";
import { client, now } from "./live.js";
import { find, operatorCard } from "./operator.js";
import { freezing, holding, orders } from "./orders.js";
import { card, facts, failure, hash, heading } from "./parts.js";
import { kindBadge, titleOf } from "./sentinel.js";

/** Seconds before and after a finding in which flows are shown. */
const DAY = 86_400;

/** @typedef {import("./entry.js").Finding} Finding */
/** @typedef {import("./bastion.js").Schemas} Schemas */

/** @param {string} operation @param {AbortSignal} signal */
const executed = (operation, signal) => client.operation(operation, { signal }).catch((error) => {
  if (error instanceof NodeError && error.status === 404) return null;
  throw error;
});

/** Findings that are about the same operation or came with it. @param {Finding} finding */
const related = ({ number, operation, time, evidence }) => newest().filter((other) => other.number !== number
  && (other.operation !== null && (other.operation === operation || evidence.includes(other.operation))
    || operation !== null && other.evidence.includes(operation) || other.time === time && other.kind === "note")).reverse();

/**
 * What became of the operation of a finding.
 * @param {Finding} finding @param {Schemas["Operation"] | null} done
 * @returns {[string, string, import("./dom.js").Child]} tone, heading, text
 */
function outcome({ kind, operation }, done) {
  const held = operation ? log.held.get(operation) : undefined;
  if (held) return ["warn", "Held back", `It is executed by itself at ${format.moment(held.until)}, ${format.duration(held.until - now())} from now, unless the operator lets it go or drops it. A forced exit on L1 needs nobody's leave.`];
  const lost = operation && newest().find((other) => other.kind === "note" && other.operation === operation && other.words.startsWith("released: "));
  if (lost) return ["warn", "Let go, and not executed", h("bdi", {}, titleOf(lost))];
  const link = done && operation ? h("span", {}, "It is ", h("a", { href: `#/operations/${operation}` }, done.status), " now.") : null;
  switch (kind) {
    case "hold":
      return done ? ["good", "Executed", link] : ["warn", "Not held back any more", "It was dropped, it could not be executed any more, or its time is just over."];
    case "refuse":
      return done ? ["warn", "Executed all the same", link] : ["bad", "Refused", "It is not included."];
    case "alert":
      return done ? ["good", "Let pass, with an alert", link] : ["warn", "An alert", "The operation was not included."];
    case "frozen":
      return ["bad", "Frozen", "A frozen account can pay nobody. Its owner can withdraw to the own exit address all the while, and the freeze ends by itself."];
    default:
      return ["note", "For the record", ""];
  }
}

/** @param {Finding} finding @param {Schemas["Operation"] | null} done */
function accountOf({ account, operation, evidence, time }, done) {
  if (account != null) return account;
  for (const name of [operation, ...evidence]) {
    const held = name ? log.held.get(name) : undefined;
    if (held) return held.account;
  }
  if (done) return done.account ?? done.to;
  // The node's notes about the same decision name the account.
  return newest().find((other) => other.kind === "note" && other.time === time && other.account != null)?.account ?? null;
}

/**
 * @param {Element} place
 * @param {number} account @param {Finding} finding @param {AbortSignal} signal
 */
async function showFlows(place, account, finding, signal) {
  const held = [...log.held.values()].filter((one) => one.account === account);
  try {
    const flows = await flowsOf(account, [finding.time - DAY, finding.time + DAY], held, signal);
    if (signal.aborted) return;
    const empty = flows.into.length + flows.out.length === 0;
    const kinds = flows.others.map(({ kind, receipt }) => `${kind.replaceAll("_", " ")} at ${format.moment(receipt.time)}`);
    put(place, h("h2", {}, `Flows around account ${account}`),
      h("p", { class: "dim" }, `From a day before the finding to a day after it. ${flows.whole ? "" : "The account has more operations than are looked through: older ones are left out. "}`,
        held.length > 0 ? h("span", {}, "Dashed: held back", held.some(({ bytes }) => bytes === null) ? ". Where it pays is shown to the operator who has signed in." : ".") : null),
      empty ? h("p", {}, "Nothing moved to or from it.") : [graph(flows), h("details", {}, h("summary", {}, "The same as a table"), flowTable(flows))],
      kinds.length > 0 ? h("p", { class: "dim" }, `Without money: ${kinds.slice(0, 6).join("; ")}${kinds.length > 6 ? `; ${kinds.length - 6} more` : ""}.`) : null);
  } catch (error) {
    if (!signal.aborted) put(place, failure(error));
  }
}

/** @param {Finding} finding */
const line = (finding) => h("li", {}, kindBadge(finding.kind), " ", h("a", { href: `#/sentinel/${finding.number}` }, h("bdi", {}, titleOf(finding))));

/**
 * @param {Element} main
 * @param {string} id number of the entry
 * @param {AbortSignal} signal
 */
export function findingPage(main, id, signal) {
  const content = h("div", { class: "stack" }, h("p", { class: "dim" }, "Reading…"));
  put(main, heading(/^[0-9]+$/.test(id) ? `Finding ${id}` : "Finding", h("a", { href: "#/sentinel" }, "All findings")), content);
  const number = Number(id);
  if (!/^[0-9]{1,15}$/.test(id)) {
    put(content, failure(new Error(`${id} is no number of a finding`)));
    return;
  }
  let shown = "";
  /** @type {Schemas["Operation"] | null} */
  let done = null;
  let asked = false;
  const flows = h("section", { class: "card" }, h("p", { class: "dim" }, "Reading…"));
  const operator = operatorCard(signal, false);

  async function show() {
    try {
      const finding = log.findings.get(number) ?? (await one(number, signal));
      if (signal.aborted) return;
      if (!finding) throw new Error(log.off ? "this node has no sentinel: sentinel.mode is off" : `finding ${number} does not exist: the log has ${format.number(log.status?.findings ?? 0)}`);
      const held = finding.operation ? log.held.get(finding.operation) : undefined;
      // What is held back is not executed; what is final stays so; and of the rest nothing but holds end.
      if (finding.operation && !held && done?.status !== "final" && (!asked || done || finding.kind === "hold")) {
        done = await executed(finding.operation, signal);
        asked = true;
      }
      const others = related(finding);
      const account = accountOf(finding, done);
      const next = JSON.stringify([held ?? null, done?.status, others.length, account, log.list === null]);
      if (signal.aborted || next === shown) return;
      shown = next;
      const [tone, title, text] = outcome(finding, done);
      const possible = () => [...(held ? Object.values(holding(held)) : []), ...(account == null ? [] : Object.values(freezing(account)))];
      put(content,
        h("section", { class: `verdict verdict-${tone}`, role: "status", "data-outcome": title },
          h("p", { class: "verdict-label" }, kindBadge(finding.kind)), h("h2", {}, title), text ? h("p", {}, text) : null),
        card("What was found", facts([
          ["Finding", h("bdi", {}, titleOf(finding))],
          ["Time", format.moment(finding.time)],
          account == null ? null : ["Account", h("a", { href: `#/accounts/${account}` }, account)],
          finding.operation ? ["Operation", hash(finding.operation, done ? `#/operations/${finding.operation}` : undefined)] : null,
          finding.kind === "hold" ? ["To be held until", format.moment(finding.until)] : null,
          ...finding.evidence.map((name) => /** @type {[string, Node]} */ (["Led to by", hash(name)])),
        ]), held || account != null ? orders(signal, possible).element : null,
        h("details", {}, h("summary", {}, "The entry as it is hashed"), h("pre", {}, visible(finding.text)))),
        finding.reasons.length > 0 ? h("div", { class: "reasons" }, evidence(finding.reasons)) : null,
        account == null ? null : flows,
        others.length > 0 ? card("What belongs to it", h("ul", { class: "why related" }, others.map(line))) : null,
        operator);
      if (account != null) showFlows(flows, account, finding, signal);
    } catch (error) {
      if (!signal.aborted) put(content, failure(error));
    }
  }
  find().catch(() => {});
  follow(signal, show);
}
