/** One block: stages, roots, transactions, batches. */
import { h, put } from "./dom.js";
import * as format from "./format.js";
import { client, now, onChange, state } from "./live.js";
import { ago, badge, card, facts, failure, hash, heading, table } from "./parts.js";
import { STAGES } from "./pipeline.js";

/** @typedef {import("./bastion.js").Schemas} Schemas */

/** @param {Schemas["Block"]} block */
function steps(block) {
  const at = STAGES.findIndex(([stage]) => stage === block.stage);
  return h("ol", { class: "steps", "aria-label": "Stages" }, STAGES.map(([stage], i) =>
    h("li", { class: i < at || block.stage === "final" ? "step-done" : i === at ? "step-now" : "", "aria-current": i === at ? "step" : null }, stage)));
}

/** @param {Schemas["Block"]} block */
function transactions(block) {
  const names = /** @type {const} */ ([["commit", "Commit"], ["prove", "Proof"], ["finalize", "Finalization"]]);
  const rows = names.map(([key, name]) => {
    const tx = block.transactions[key];
    const cells = tx
      ? [hash(tx.hash), format.number(tx.block), format.number(tx.gas), format.wei(tx.wei), format.number(tx.attempts)]
      : ["not yet", "–", "–", "–", "–"];
    return h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell, i) => h("td", { class: i > 0 ? "num" : "" }, cell)));
  });
  return table("Transactions on L1", ["", "Transaction", ["L1 block", "num"], ["Gas", "num"], ["Cost", "num"], ["Attempts", "num"]], h("tbody", {}, rows));
}

/** @param {Schemas["Batch"][]} batches */
function batchTable(batches) {
  const rows = batches.map((batch) => {
    const job = state.jobs.get(batch.job?.key ?? "") ?? batch.job;
    const proof = job ? `${job.state}${job.worker ? ` (${job.worker})` : ""}` : "–";
    return h("tr", {}, h("td", { class: "num" }, batch.number), h("td", { class: "num" }, format.number(batch.operations)),
      h("td", {}, hash(batch.new_root)), h("td", {}, proof));
  });
  return table("Batches", [["Batch", "num"], ["Operations", "num"], "State root after", "Proof"], h("tbody", {}, rows));
}

/**
 * @param {Element} main
 * @param {string} id number or hash
 * @param {AbortSignal} signal
 */
export function blockPage(main, id, signal) {
  const content = h("div", { class: "stack" });
  put(main, heading(/^[0-9]+$/.test(id) ? `Block ${id}` : "Block"), content);
  let seen = "";

  async function show() {
    try {
      const known = /^[0-9]+$/.test(id) ? state.blocks.get(Number(id)) : undefined;
      const block = known ?? (await client.block(id, { signal }));
      const text = JSON.stringify(block);
      if (text === seen || signal.aborted) return;
      seen = text;
      const batches = await client.batchesOf(block.number, { signal });
      if (signal.aborted) return;
      put(content,
        card("Stage", h("p", {}, badge(block.stage), " ", block.committed ? "committed on L1" : "not committed on L1", ", ", block.proven ? "proven" : "not proven yet"), steps(block)),
        card("Content", facts([
          ["Number", String(block.number)],
          ["Operations", `${format.number(block.operations)} in ${format.number(block.batches)} batches`],
          ["Posted data", format.bytes(block.data_bytes)],
          ["Opened", ago(block.opened_at, now())],
          ["Final", block.finalized_at === null ? "not yet" : format.moment(block.finalized_at)],
          ["Gas per operation", format.number(block.gas_per_operation)],
          ["Cost per operation", format.wei(block.wei_per_operation)],
          ["Hash of its public inputs", hash(block.hash)],
          ["State root before", hash(block.old_root)],
          ["State root after", hash(block.new_root)],
        ])),
        card("Transactions on L1", transactions(block)),
        card("Batches", batchTable(batches)));
    } catch (error) {
      if (!signal.aborted) put(content, failure(error));
    }
  }
  show();
  return onChange(show);
}
