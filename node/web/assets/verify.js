/** Checks a receipt that somebody has, without asking the node who signs. */
import { address, checkInclusion, checkSigner, NodeError, receiptFromText } from "./bastion.js";
import { h, put } from "./dom.js";
import { client, onChange, state } from "./live.js";
import { card, failure, heading, verdict } from "./parts.js";
import { receiptFacts } from "./operation.js";

/**
 * What the node says about the operation of a receipt, compared with it.
 * @param {import("./bastion.js").SignedReceipt} receipt
 * @param {AbortSignal} signal
 * @returns {Promise<import("./parts.js").Finding>}
 */
async function posted(receipt, signal) {
  try {
    return checkInclusion(receipt, await client.inclusion(receipt.operation, { signal }));
  } catch (error) {
    if (error instanceof NodeError && error.status === 404) {
      return { ok: "open", text: "this node knows no such operation, or has not sealed it yet" };
    }
    return { ok: "open", text: `this node did not say whether it was kept: ${error instanceof Error ? error.message : error}` };
  }
}

/**
 * @param {Element} main
 * @param {AbortSignal} signal
 */
export function verifyPage(main, signal) {
  const text = /** @type {HTMLTextAreaElement} */ (h("textarea", { id: "receipt", required: true, spellcheck: "false", placeholder: '{"epoch":0,"block":1,"batch":0,"position":3,"operation":"0x…","leaf":"0x…","time":1800000000,"signature":"0x…"}' }));
  const field = (/** @type {string} */ id, /** @type {string} */ label) => {
    const input = /** @type {HTMLInputElement} */ (h("input", { id, required: true, autocomplete: "off", spellcheck: "false", class: "mono" }));
    return { input, element: h("div", {}, h("label", { for: id }, label), input) };
  };
  const [sequencer, contract, chain] = [field("sequencer", "Sequencer's address"), field("contract", "Contract of the rollup"), field("chain", "Chain id")];
  const result = h("div", { class: "stack", "aria-live": "polite" });
  const form = h("form", { class: "card stack" },
    h("div", {}, h("label", { for: "receipt" }, "Receipt, as JSON"), text),
    h("div", { class: "fields" }, sequencer.element, contract.element, chain.element),
    h("p", { class: "dim" }, "The fields show what this node says. If you do not trust it, put in what the operator has published."),
    h("p", {}, h("button", { class: "primary", type: "submit" }, "Verify")));
  put(main, heading("Verify a receipt"),
    h("p", { class: "dim" }, "A receipt is the sequencer's signed promise that an operation stands at a place in a block. Your browser recovers the signer from the signature."),
    form, result);

  const preset = () => {
    const { version } = state;
    if (!version) return;
    for (const [{ input }, value] of /** @type {const} */ ([[sequencer, version.sequencer], [contract, version.contract], [chain, String(version.chain_id)]])) {
      if (input.value === "" && document.activeElement !== input) input.value = value;
    }
  };
  preset();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const receipt = receiptFromText(text.value);
      if (!/^[0-9]{1,15}$/.test(chain.input.value.trim())) throw new Error("the chain id is no number");
      const rollup = { chainId: Number(chain.input.value), contract: address(contract.input.value.trim()) };
      const found = [checkSigner(receipt, rollup, address(sequencer.input.value.trim()))];
      put(result, h("p", { class: "dim" }, "Reading…"));
      const kept = await posted(receipt, signal);
      if (signal.aborted) return;
      put(result, verdict([...found, kept], {
        good: "The sequencer gave this receipt, and its records are those that it promised",
        open: "The sequencer gave this receipt",
        bad: found[0].ok ? "The sequencer gave this receipt and did not keep it" : "The sequencer did not give this receipt",
      }), card("Receipt", receiptFacts(receipt)));
    } catch (error) {
      put(result, failure(error));
    }
  });
  return onChange(preset);
}
