/** What a detector saw, with the meaning of each value. sentinel/README.md describes the features. */
import { h } from "./dom.js";
import * as format from "./format.js";
import { card, facts, table } from "./parts.js";

/** @typedef {import("./entry.js").Reason} Reason */

/** Units: s seconds, t thousandths, p parts per million, b a yes or no, l sixteenths of a doubling. @type {Record<string, [string, string]>} */
export const MEANING = {
  kind: ["", "kind of the operation"],
  token: ["", "number of the token"],
  amount: ["", "what moves, in the token's smallest unit"],
  fee: ["", "fee, in the token's smallest unit"],
  fee_share: ["t", "the fee, of the amount"],
  balance: ["", "balance of the acting account before"],
  nonce: ["", "nonce of the acting account before"],
  out_share: ["t", "what is sent, of the balance before"],
  round_digits: ["", "zeros at the end of the amount"],
  hour: ["", "hour of the day, UTC"],
  frozen: ["b", "the acting account is frozen"],
  to_own_exit: ["b", "withdrawal to the account's own exit address"],
  minted: ["", "what accounts hold without anything to back it"],
  release_delay: ["s", "for how long the bridge holds the exit"],
  limiter_use: ["t", "how full the limiter's burst is afterwards"],
  share_of_token: ["t", "what moves, of all that accounts hold of the token"],
  age: ["s", "since the acting account was first seen"],
  idle: ["s", "since its key last signed"],
  since_deposit: ["s", "since its last deposit"],
  since_received: ["s", "since it last got something from another account"],
  since_key_change: ["s", "since its key changed"],
  since_freeze: ["s", "since it was last frozen"],
  freezes: ["", "how often it was frozen before"],
  signed: ["", "operations that its key signed before"],
  amount_vs_own: ["l", "the amount, against the account's usual one"],
  amount_vs_token: ["l", "the amount, against the token's usual one"],
  fee_vs_token: ["l", "the fee, against the token's usual one"],
  token_signed: ["", "operations of the token before"],
  token_deposits: ["", "deposits of the token before"],
  hour_share: ["t", "its operations around this hour of the day, of all"],
  peak_loss: ["t", "how far the balance afterwards is below its peak"],
  generation: ["", "accounts that made one another until this one"],
  chain: ["", "accounts in a row that passed on most of what they got"],
  known: ["b", "it paid this receiver or address before"],
  out_count: ["", "payments and exits in the window"],
  out_peers: ["", "distinct receivers in the window"],
  out_window_share: ["t", "what left in the window"],
  same_amount: ["", "payments of exactly this amount in the window"],
  round_count: ["", "round payments in the window"],
  to_peer: ["", "payments to this receiver in the window"],
  exit_count: ["", "exits in the window"],
  in_count: ["", "receipts and deposits in the window"],
  in_peers: ["", "distinct senders to the account in the window"],
  from_peer: ["", "payments of the receiver to the account in the window"],
  cycle: ["", "length of the circle of payments that this one closes"],
  receiver_new: ["b", "the receiver is new with this operation"],
  receiver_age: ["s", "since the receiver was first seen"],
  receiver_balance: ["", "balance of the receiver before"],
  receiver_in_count: ["", "payments to the receiver in the window"],
  receiver_in_peers: ["", "distinct senders to the receiver in the window"],
  receiver_signed: ["", "payments that the receiver made before"],
  lookalike: ["", "the receiver looks like one that the account paid"],
  poison: ["b", "the sender's exit address looks like one that the receiver paid"],
  target_age: ["s", "since the L1 address was first withdrawn to"],
  target_new: ["b", "nothing was ever withdrawn to the L1 address"],
  target_senders: ["", "accounts that withdrew to the L1 address in the window"],
  taint: ["t", "taint of the acting account"],
  taint_hops: ["", "hops of its taint from a flagged source"],
  flagged: ["b", "the acting account is flagged"],
  to_flagged: ["b", "the receiver or the L1 address is flagged"],
  net_forced_exits: ["", "forced exits of the network in the window"],
  net_freezes: ["", "freezes of the network in the window"],
  net_key_changes: ["", "key changes of the network in the window"],
  net_new_accounts: ["", "new accounts of the network in the window"],
  net_exit_share: ["t", "what left of the token in the window"],
  half_space: ["p", "how unusual the half-space trees find it"],
  robust: ["p", "how unusual the robust averages find it"],
  rank_ppm: ["p", "share of earlier operations that were less unusual"],
  taint_ppm: ["p", "taint of the acting account"],
  hops: ["", "hops of its taint from a flagged source"],
  window: ["s", "window in which the rule counts"],
  action: ["a", "what the rule asks for"],
  address: ["", "address that others know"],
  sources: ["", "who told of it"],
  indicators: ["", "their indicators, by STIX identifier"],
};

/** From here on a time means never. */
const NEVER = 10 * 365 * 86_400;

/**
 * A value for people; what is no such number is shown as it came.
 * @param {string} name
 * @param {string} value
 */
export function reading(name, value) {
  const unit = Object.hasOwn(MEANING, name) ? MEANING[name][0] : "";
  if (unit === "a") return value.replace(/\b([0-9]{1,12}) s\b|(?<=^quarantine )([0-9]{1,12})$/g, (_, a, b) => format.duration(Number(a ?? b)));
  if (!/^-?[0-9]{1,20}$/.test(value)) return value;
  const x = Number(value);
  switch (unit) {
    case "s":
      return x >= NEVER ? "never" : format.duration(x);
    case "t":
      return `${format.number(x / 10)} %`;
    case "p":
      return `${format.number(x / 10_000)} %`;
    case "b":
      return x === 0 ? "no" : "yes";
    case "l":
      return `${format.number(2 ** (x / 16))} times`;
    default:
      return value;
  }
}

/** A detector's name in words. @param {string} detector */
export const words = (detector) => detector.replace(/^(rule|invariant|model|graph|feed)\./, (_, kind) => (kind === "rule" ? "" : `${kind}: `)).replaceAll("-", " ");

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const FAMILIES = { rule: "a rule", model: "a learned model", graph: "taint that spreads from flagged sources", feed: "what other chains say", invariant: "an invariant" };

/** Score as a bar with its number. @param {number} score */
export function score(score) {
  const value = Math.max(0, Math.min(1_000, score));
  return h("span", { class: "score" }, h("meter", { min: 0, max: 1_000, value, "aria-label": `Score ${value} of 1000` }), h("span", {}, `${value} of 1000`));
}

/** The first values of a reason in a line. @param {Reason} reason */
export const inShort = ({ evidence }) => evidence.filter(({ name }) => name !== "window" && name !== "action").slice(0, 4)
  .map(({ name, value }) => `${name} ${reading(name, value)}`).join(", ");

/** A card for each reason: which detector, which version, what values. @param {Reason[]} reasons */
export function evidence(reasons) {
  return reasons.map((reason) => {
    const family = reason.detector.split(".")[0];
    const rows = reason.evidence.map(({ name, value }) => h("tr", {},
      h("th", { scope: "row" }, h("code", {}, name)), h("td", { class: "value" }, h("bdi", {}, reading(name, value))),
      h("td", { class: "meaning dim" }, Object.hasOwn(MEANING, name) ? MEANING[name][1] : "")));
    const element = card(`Evidence: ${words(reason.detector)}`, facts([
      ["Detector", h("span", {}, h("code", {}, reason.detector), ` (${Object.hasOwn(FAMILIES, family) ? FAMILIES[/** @type {keyof typeof FAMILIES} */ (family)] : "a detector"})`)],
      ["Version", h("code", {}, reason.version)],
      ["How sure it is", score(reason.score)],
    ]), rows.length > 0 ? table(`Values that ${reason.detector} saw`, ["Value", "Seen", "Meaning"], h("tbody", {}, rows)) : h("p", { class: "dim" }, "It names no values."));
    element.classList.add("reason");
    return element;
  });
}
