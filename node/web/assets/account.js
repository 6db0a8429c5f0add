/** An account: what the node says, and what this browser makes of the proof. */
import { checkPath, checkRoot, NodeError } from "./bastion.js";
import { h, put } from "./dom.js";
import * as format from "./format.js";
import { client, now, state } from "./live.js";
import { badge, card, facts, failure, hash, heading, table, verdict } from "./parts.js";

const FIRST_LIMITER = 2 ** 16;
const FIRST_USER = 2 ** 17;
const PAGE = 25;

/** @typedef {import("./bastion.js").Schemas} Schemas */

/** @param {number} index */
function kindOf(index) {
  if (index >= FIRST_USER) return "account of a user";
  return index < FIRST_LIMITER ? `fee account of token ${index}` : `limiter of token ${index - FIRST_LIMITER}`;
}

/**
 * The proof and the newest final block. A block may become final between the two answers.
 * @param {number} index
 * @param {AbortSignal} signal
 */
async function read(index, signal) {
  for (let attempt = 1; ; attempt++) {
    const proof = await client.account(index, { signal });
    const finalized = await client.block("finalized", { signal }).catch((error) => {
      if (error instanceof NodeError && error.status === 404) return null;
      throw error;
    });
    const settled = !proof.finalized || finalized?.new_root === proof.root;
    if (settled || attempt === 3) return { proof, finalized };
  }
}

/**
 * @param {number} index
 * @param {Schemas["AccountProof"]} proof
 * @param {Schemas["Block"] | null} finalized
 * @returns {import("./parts.js").Finding[]}
 */
export function findings(index, proof, finalized) {
  const path = checkPath(index, proof);
  if (finalized === null) return [path, { ok: "open", text: "no block is final yet, so no root is to be compared with" }];
  const root = checkRoot(proof, finalized);
  // A newer root is no fault, if the node says that it is newer.
  if (!root.ok && !proof.finalized && finalized.stage === "final") {
    return [path, { ok: "open", text: `the root is newer than block ${finalized.number}, the newest that is final on L1: it can still change` }];
  }
  return [path, root];
}

/**
 * @param {Schemas["AccountProof"]} proof
 * @param {boolean} believed whether no check failed
 */
function stateOf({ index, account, pending }, believed) {
  if (account == null) return card("State", h("p", {}, "No account stands at this index."));
  const limiter = index >= FIRST_LIMITER && index < FIRST_USER;
  /** @param {number} until */
  const frozen = (until) => until > now() ? h("span", { class: "text-bad" }, `frozen until ${format.moment(until)}`)
    : until > 0 ? `not frozen (was until ${format.moment(until)})` : "never frozen";
  const moved = pending && (pending.nonce !== account.nonce || pending.balance !== account.balance || pending.frozen_until !== account.frozen_until);
  const shown = card(believed ? "State" : "Claimed, but not proven", facts([
    [limiter ? "Theoretical arrival time" : "Balance", h("strong", { class: "balance" }, limiter ? account.balance : format.amount(account.token, account.balance))],
    ["Nonce", format.number(account.nonce)],
    ["Freeze", frozen(account.frozen_until)],
    ["Token", String(account.token)],
    ["Owner", hash(account.owner)],
    moved ? ["Promised, not proven yet", h("span", { class: "promised" }, `balance ${format.amount(account.token, pending.balance)}, nonce ${format.number(pending.nonce)}, `, frozen(pending.frozen_until))] : null,
  ]));
  if (!believed) shown.classList.add("doubted");
  return shown;
}

/** @param {Schemas["AccountProof"]} proof @param {Schemas["Block"] | null} finalized */
function proofCard(proof, finalized) {
  const contract = state.version?.contract;
  return card("Proof", facts([
    ["State root", hash(proof.root)],
    ["Newest final block", finalized ? h("a", { href: `#/blocks/${finalized.number}` }, `Block ${finalized.number}`) : "none"],
    ["Hash in the contract", hash(finalized?.hash)],
    ["Contract", hash(contract)],
  ]), h("p", { class: "dim" }, "The root of the final block comes from this node, as this page does. To rely on nothing from it, compare the hash with the contract on L1, or run bastion audit."),
  h("details", {}, h("summary", {}, "Merkle path, 32 siblings from the leaf up"),
    h("ol", { class: "path" }, (Array.isArray(proof.path) ? proof.path : []).map((sibling) => h("li", {}, h("code", {}, String(sibling)))))));
}

/** @param {number} index */
function history(index, /** @type {AbortSignal} */ signal) {
  const body = h("tbody", {});
  const more = h("button", { type: "button", hidden: true }, "Older operations");
  const none = h("p", { class: "dim", hidden: true }, "No operation yet.");
  /** @type {number | undefined} */
  let before;
  async function load() {
    try {
      const page = await client.operationsOf(index, { limit: PAGE, ...(before === undefined ? {} : { before }) }, { signal });
      for (const op of page) {
        const incoming = op.to === index && op.account !== index;
        const other = incoming ? op.account : op.to;
        body.append(h("tr", {},
          h("td", {}, other === null ? "–" : [incoming ? "from " : "to ", h("a", { href: `#/accounts/${other}` }, other)]),
          h("td", { class: `num ${incoming ? "text-good" : ""}` }, `${incoming ? "+" : op.account === index ? "−" : ""}${format.amount(op.token, op.amount)}`),
          h("td", {}, badge(op.status)),
          h("td", {}, op.kind.replaceAll("_", " ")),
          h("td", {}, h("a", { href: `#/operations/${op.hash}` }, h("code", {}, format.short(op.hash))))));
      }
      before = page.at(-1)?.entry;
      more.hidden = page.length < PAGE;
      none.hidden = body.childElementCount > 0;
    } catch (error) {
      if (!signal.aborted) put(none, failure(error));
      none.hidden = false;
    }
  }
  more.addEventListener("click", load);
  load();
  return card("History", table("Operations of the account", ["With", ["Amount", "num"], "Status", "Kind", "Operation"], body), none, more);
}

/** @param {string} owner @param {AbortSignal} signal */
async function ownerList(owner, signal) {
  const accounts = await client.accountsOf(owner.toLowerCase(), { signal });
  const rows = accounts.map((proof) => {
    const path = checkPath(proof.index, proof);
    return h("tr", {},
      h("td", { class: "num" }, h("a", { href: `#/accounts/${proof.index}` }, proof.index)),
      h("td", { class: "num" }, format.amount(proof.account?.token ?? 0, proof.account?.balance)),
      h("td", {}, h("span", { class: path.ok ? "text-good" : "text-bad" }, path.ok ? "fits its root" : "does not fit its root")));
  });
  if (rows.length === 0) return card("Accounts", h("p", {}, "This owner has no account."));
  return card("Accounts", facts([["Owner", hash(owner)]]), table("Accounts of the owner", [["Account", "num"], ["Balance", "num"], "Proof, checked here"], h("tbody", {}, rows)));
}

/**
 * @param {Element} main
 * @param {string | undefined} id index or owner
 * @param {AbortSignal} signal
 */
export function accountPage(main, id, signal) {
  const input = /** @type {HTMLInputElement} */ (h("input", { id: "index", pattern: "\\s*([0-9]+|0x[0-9a-fA-F]{64})\\s*", title: "a number, or 0x and 64 hex digits", required: true, value: id ?? "", autocomplete: "off" }));
  const form = h("form", { class: "ask card" }, h("label", { for: "index" }, "Index of an account, or an owner"),
    h("div", { class: "row" }, input, h("button", { class: "primary", type: "submit" }, "Show and check")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const address = `#/accounts/${input.value.trim()}`;
    if (location.hash === address) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = address;
  });
  const content = h("div", { class: "stack" });
  put(main, heading(id === undefined ? "Accounts" : id.startsWith("0x") ? "Accounts of an owner" : `Account ${id}`), form, content);
  if (id === undefined) {
    put(content, h("p", { class: "dim" }, "The node answers with the account and its Merkle path. Your browser computes the state root from them and compares it with the newest final block."));
    return undefined;
  }
  if (/^0x[0-9a-f]{64}$/i.test(id)) {
    put(content, h("p", { class: "dim" }, "Reading…"));
    ownerList(id, signal).then((list) => signal.aborted || put(content, list), (error) => signal.aborted || put(content, failure(error)));
    return undefined;
  }
  const index = Number(id);
  if (!/^[0-9]{1,10}$/.test(id) || index >= 2 ** 32) {
    put(content, failure(new Error(`${id} is no index: an index is a number below 4294967296`)));
    return undefined;
  }
  put(content, h("p", { class: "dim" }, "Reading…"));
  read(index, signal).then(({ proof, finalized }) => {
    if (signal.aborted) return;
    const found = findings(index, proof, finalized);
    const words = {
      good: `This ${proof.account === null ? "place is empty" : "state is proven"}`,
      open: "The proof fits, but its root is not final yet",
      bad: "Do not believe what this node says about the account",
    };
    put(content, h("p", { class: "dim" }, `Index ${index}: ${kindOf(index)}.`), verdict(found, words), stateOf(proof, found.every(({ ok }) => ok !== false)), proofCard(proof, finalized), history(index, signal));
  }).catch((error) => {
    if (!signal.aborted) put(content, failure(error));
  });
  return undefined;
}
