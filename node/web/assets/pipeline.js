/** The way of blocks: a column for each stage, a card for each block, which moves along. */
import { h, keyed, setText } from "./dom.js";
import * as format from "./format.js";
import { blocks, now, state } from "./live.js";

/** Stages in their order, with what happens in each. */
export const STAGES = /** @type {const} */ ([
  ["open", "takes operations"],
  ["sealing", "computes the state"],
  ["proving", "a proof for each batch"],
  ["aggregating", "one proof of all"],
  ["settling", "committed and proven"],
  ["final", "cannot be undone"],
]);

/** Cards in the last column; the table below shows more. */
const FINAL_SHOWN = 3;
/** Cards in any other column. */
const SHOWN = 6;

/** @typedef {import("./bastion.js").Schemas["Block"]} Block */

/**
 * How much of the present stage is done, from 0 to 1, where the provers say so.
 * @param {Block} block
 */
export function part(block) {
  const jobs = [...state.jobs.values()];
  if (block.stage === "aggregating") {
    const job = jobs.find((j) => j.kind === "prove_block" && j.number === block.number);
    return job ? (state.progress.get(job.key)?.part ?? 0) : 0;
  }
  if (block.stage !== "proving") return null;
  const own = [...state.batches.values()].filter((batch) => batch.block === block.number);
  const done = own.map(({ number, job }) => {
    const latest = jobs.find((j) => j.kind === "prove_batch" && j.number === number) ?? job;
    if (!latest) return 0;
    if (latest.state === "proved" || latest.state === "verified" || latest.state === "done") return 1;
    return state.progress.get(latest.key)?.part ?? 0;
  });
  return done.reduce((sum, x) => sum + x, 0) / Math.max(1, block.batches, done.length);
}

/** @param {Block} block */
function blockCard(block) {
  const title = h("span", { class: "block-number" });
  const content = h("span", { class: "block-content" });
  const note = h("span", { class: "block-note" });
  const bar = h("progress", { max: "1", hidden: true });
  const link = h("a", { href: `#/blocks/${block.number}`, class: "block" }, title, content, bar, note);
  const item = /** @type {HTMLElement & { update: (block: Block) => void }} */ (h("li", {}, link));
  item.update = (next) => {
    setText(title, `Block ${next.number}`);
    setText(content, `${format.number(next.operations)} operations`);
    const done = part(next);
    bar.hidden = done === null;
    if (done !== null) {
      /** @type {HTMLProgressElement} */ (bar).value = Math.max(0, Math.min(1, done));
      bar.setAttribute("aria-label", `Block ${next.number}: ${Math.round(done * 100)} % of ${next.stage}`);
    }
    setText(note, noteOf(next));
  };
  return item;
}

/** @param {Block} block */
function noteOf(block) {
  switch (block.stage) {
    case "open":
      return `open for ${format.duration(now() - block.opened_at)}`;
    case "final":
      return block.finalized_at == null ? "final" : `after ${format.duration(block.finalized_at - block.opened_at)}`;
    case "proving":
    case "aggregating":
      return `${Math.round(100 * (part(block) ?? 0))} %${block.committed ? ", committed" : ""}`;
    case "settling":
      return `${block.committed ? "committed" : "not committed"}, ${block.proven ? "proven" : "not proven"}`;
    default:
      return block.committed ? "committed" : "";
  }
}

/** The pipeline, and what brings it up to date. */
export function pipeline() {
  const columns = STAGES.map(([stage, what]) => {
    const count = h("span", { class: "stage-count" });
    const list = h("ul", {});
    const more = h("p", { class: "stage-more dim" });
    const element = h("section", { class: `stage stage-${stage}`, "data-stage": stage, "aria-label": stage },
      h("header", {}, h("h3", {}, stage), count, h("p", { class: "dim" }, what)), list, more);
    return { stage, count, list, more, element };
  });
  const element = h("div", { class: "pipeline" }, columns.map((column) => column.element));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function update() {
    const before = new Map([...element.querySelectorAll("li")].map((card) => [card.dataset.key, card.getBoundingClientRect()]));
    const all = blocks();
    for (const { stage, count, list, more } of columns) {
      const here = all.filter((block) => block.stage === stage);
      const shown = here.slice(0, stage === "final" ? FINAL_SHOWN : SHOWN);
      keyed(list, shown, (block) => block.number, blockCard);
      const total = stage === "final" ? (state.status?.blocks.finalized ?? here.length) : here.length;
      setText(count, format.number(total));
      const hidden = total - shown.length;
      setText(more, here.length === 0 ? "none" : hidden > 0 ? `and ${format.number(hidden)} more` : "");
    }
    if (calm.matches || before.size === 0) return;
    for (const card of element.querySelectorAll("li")) {
      const old = before.get(card.dataset.key);
      const at = card.getBoundingClientRect();
      if (old === undefined) card.animate([{ opacity: 0 }, { opacity: 1 }], 300);
      else if (Math.abs(old.x - at.x) + Math.abs(old.y - at.y) > 2) {
        const from = `translate(${old.x - at.x}px, ${old.y - at.y}px)`;
        card.animate([{ transform: from }, { transform: "none" }], { duration: 550, easing: "cubic-bezier(.2,.7,.2,1)" });
      }
    }
  }
  return { element, update };
}
