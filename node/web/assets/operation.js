/** An operation: what was signed, what was promised, and what was posted, each checked here. */
import { checkInclusion, checkOperation, checkRecords, checkSigner, decode, domainOf, fromHex, isSigned, NodeError } from "./bastion.js";
import { h, put } from "./dom.js";
import * as format from "./format.js";
import { client, onChange, state } from "./live.js";
import { badge, card, facts, failure, hash, heading, verdict } from "./parts.js";

/** @typedef {import("./bastion.js").Schemas} Schemas */
/** @typedef {import("./parts.js").Finding} Finding */

const STATUSES = /** @type {const} */ (["sequenced", "sealed", "committed", "proven", "final"]);

/** @param {number | null | undefined} index */
const account = (index) => (index === null || index === undefined ? "–" : h("a", { href: `#/accounts/${index}` }, index));

/**
 * The fields of an operation as its bytes carry them.
 * @param {import("./bastion.js").Operation} operation
 * @returns {[string, import("./dom.js").Child][]}
 */
function fields(operation) {
  if (operation.op === "noop") return [["Kind", "noop"]];
  if (operation.op === "deposit") {
    return [["Kind", "deposit from L1"], ["Amount", format.amount(operation.token, String(operation.amount))], ["Exit address", hash(operation.exit)]];
  }
  if (operation.op === "forced_exit") {
    return [["Kind", "forced exit from L1"], ["Account", account(operation.index)], ["Exit address", hash(operation.exit)]];
  }
  if (operation.op === "quote") {
    const { a, b, value } = operation;
    return [["Kind", "quote of an auction"], ["Tokens", a === b ? String(a) : `${a} for ${b}`], ["Value", String(value)]];
  }
  const { action, token } = operation;
  const sum = (/** @type {bigint} */ amount) => format.amount(token, String(amount));
  /** @type {[string, import("./dom.js").Child][]} */
  const rows = [["Kind", action.kind.replaceAll("_", " ")], ["Account", account(operation.account)]];
  if (action.kind === "transfer") rows.push(["To account", account(action.to)]);
  if (action.kind === "order") {
    const { mantissa, exponent } = action.limit;
    rows.push(["Paid to account", account(action.to)], ["Buys token", String(action.buy)], ["Limit", `${mantissa} / 2^${exponent} for each unit`]);
  }
  if (action.kind === "withdraw") rows.push(["To address on L1", hash(action.to)]);
  if (action.kind === "transfer_new") rows.push(["New owner's exit address", hash(action.exit)]);
  if ("amount" in action) rows.push(["Amount", h("strong", {}, sum(action.amount))]);
  if (action.kind === "freeze") rows.push(["Frozen until", format.moment(Number(action.until))]);
  return [...rows, ["Fee", sum(operation.fee)], ["Nonce", String(operation.nonce)], ["Valid until", format.moment(Number(operation.deadline))], ["Signed by key", hash(String(operation.key))]];
}

/**
 * Whether the operation's own key signed it. A change of key signs the exit address too, which is not
 * in its bytes.
 * @param {import("./bastion.js").Operation} operation
 * @param {Schemas["Version"]} version
 * @returns {Finding[]}
 */
function signature(operation, version) {
  if (operation.op !== "signed") return [];
  if (operation.action.kind === "change_key") return [{ ok: "open", text: "the owner's signature of a change of key cannot be checked without the exit address" }];
  const domain = domainOf({ chainId: version.chain_id, contract: version.contract });
  return isSigned(operation, domain, `0x${"00".repeat(20)}`)
    ? [{ ok: true, text: "its key signed exactly these fields, for this rollup" }]
    : [{ ok: false, text: "its key did not sign these fields for this rollup" }];
}

/**
 * @param {string} wanted hash that was asked for
 * @param {Schemas["Operation"]} operation
 * @param {Schemas["Inclusion"] | null} inclusion
 * @param {Schemas["Version"]} version
 */
export function findings(wanted, operation, inclusion, version) {
  const { receipt, bytes } = operation;
  const rollup = { chainId: version.chain_id, contract: version.contract };
  /** @type {Finding[]} */
  const all = [checkSigner(receipt, rollup, version.sequencer), checkOperation(receipt, bytes)];
  if (receipt.operation.toLowerCase() !== wanted.toLowerCase()) all.push({ ok: false, text: "the receipt is for another operation than the one that was asked for" });
  try {
    all.push(...signature(decode(fromHex("operation", bytes)), version));
  } catch {
    // checkOperation has said so.
  }
  if (inclusion === null) all.push({ ok: "open", text: "its records are not sealed yet" });
  else all.push(checkInclusion(receipt, inclusion), checkRecords(bytes, inclusion.records));
  return all;
}

/** @param {Schemas["SignedReceipt"]} receipt */
export function receiptFacts(receipt) {
  return facts([
    ["Place", h("span", {}, "position ", String(receipt.position), " of batch ", String(receipt.batch), " in ", h("a", { href: `#/blocks/${receipt.block}` }, `block ${receipt.block}`))],
    ["Time of the block", format.moment(receipt.time)],
    ["Epoch", String(receipt.epoch)],
    ["Operation", hash(receipt.operation)],
    ["Leaf of the posted words", hash(receipt.leaf)],
    ["Signature", hash(receipt.signature)],
  ]);
}

/** @param {Schemas["Inclusion"] | null} inclusion */
function posted(inclusion) {
  if (inclusion === null) return card("Posted data", h("p", { class: "dim" }, "Nothing is posted yet."));
  const records = inclusion.records.map((record, i) => h("li", {}, h("code", {}, String(record)), h("span", { class: "dim" }, ` at byte ${format.number(inclusion.offset[i])}`)));
  return card("Posted data", facts([["Commit transaction", inclusion.commit_transaction === null ? "not yet" : hash(inclusion.commit_transaction)]]), h("ol", { class: "records" }, records));
}

/**
 * @param {Element} main
 * @param {string} id hash
 * @param {AbortSignal} signal
 */
export function operationPage(main, id, signal) {
  const content = h("div", { class: "stack" });
  put(main, heading("Operation", hash(id)), content);
  put(content, h("p", { class: "dim" }, "Reading…"));
  let shown = "";
  let last = 0;

  async function show() {
    try {
      const operation = await client.operation(id, { signal });
      const version = state.version ?? (await client.version({ signal }));
      const inclusion = await client.inclusion(id, { signal }).catch((error) => {
        if (error instanceof NodeError && error.status === 404) return null;
        throw error;
      });
      const text = JSON.stringify([operation, inclusion]);
      if (signal.aborted || text === shown) return;
      shown = text;
      const at = STATUSES.indexOf(operation.status);
      const signed = () => {
        try {
          return facts(fields(decode(fromHex("operation", operation.bytes))));
        } catch (error) {
          return failure(error);
        }
      };
      put(content,
        verdict(findings(id, operation, inclusion, version), {
          good: "The receipt is the sequencer's promise of this operation",
          open: "The receipt holds so far",
          bad: "Something is wrong with this operation or its receipt",
        }),
        card("Status", h("p", {}, badge(operation.status)), h("ol", { class: "steps", "aria-label": "Status" }, STATUSES.map((name, i) =>
          h("li", { class: i < at || operation.status === "final" ? "step-done" : i === at ? "step-now" : "", "aria-current": i === at ? "step" : null }, name)))),
        card("Content, as its bytes carry it", signed()),
        card("Receipt", receiptFacts(operation.receipt), h("p", { class: "dim" }, "Sequencer: ", hash(version.sequencer)),
          h("details", {}, h("summary", {}, "Receipt as JSON"), h("pre", {}, JSON.stringify(operation.receipt, null, 2)))),
        posted(inclusion));
    } catch (error) {
      if (!signal.aborted) put(content, failure(error));
    }
  }
  show();
  return onChange(() => {
    // The status moves with its block; events do not name operations.
    if (Date.now() - last < 2_000 || shown.includes('"status":"final"')) return;
    last = Date.now();
    show();
  });
}
