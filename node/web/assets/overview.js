/** The first page: pipeline, provers, figures, charts, blocks. */
import { chart } from "./charts.js";
import { h, keyed, put, setText } from "./dom.js";
import * as format from "./format.js";
import { blocks, now, onChange, state } from "./live.js";
import { ago, badge, card, heading, since, table, tiles } from "./parts.js";
import { pipeline } from "./pipeline.js";
import { workers } from "./workers.js";

/** Rows of the table at first, and with each press of its button. */
const ROWS = 25;

/** @typedef {import("./bastion.js").Schemas["Block"]} Block */

function figures() {
  const { element, set } = tiles(["Operations per second", "Final block", "Cost per operation", "Oldest unfinished", "L1"]);
  const [rate, final, cost, waiting, l1] = set;
  function update() {
    const { status } = state;
    if (!status) return;
    rate(format.number(status.operations_per_second), `${format.number(status.entries)} in all`);
    final(format.number(status.blocks.finalized), `${format.number(status.blocks.open - status.blocks.finalized)} on the way`);
    const { gas_per_operation: gas, wei_per_operation: wei } = status.cost;
    cost(format.wei(wei), gas === null ? "no final block yet" : `${format.number(gas)} gas`);
    waiting(format.duration(status.oldest_unfinished_seconds), `${format.number(status.jobs.queued + status.jobs.leased)} proofs to make`);
    l1(`Block ${format.number(status.l1.block)}`, `gas at ${format.wei(status.l1.gas_price)}, ${format.number(status.queue.on_l1 - status.queue.taken)} in the queue`);
  }
  return { element, update };
}

function charts() {
  const gas = chart({ title: "Gas per operation", note: "newest final block", format: (x) => format.number(Math.round(x)), none: "Not enough final blocks yet." });
  const wei = chart({ title: "Cost per operation", note: "newest final block", format: (x) => format.wei(String(Math.round(x))), none: "Not enough final blocks yet." });
  const rate = chart({ title: "Operations per second", note: "since this page was opened", format: (x) => format.number(x), none: "Collecting: the line begins in a few seconds." });
  let blocksDrawn = "";
  function update() {
    rate.update(state.rates.map(({ time, value }) => ({ label: format.moment(time).slice(11, 19), value })));
    const final = blocks().filter((block) => block.stage === "final").reverse();
    const drawn = final.map(({ number, gas_per_operation }) => `${number} ${gas_per_operation}`).join();
    if (drawn === blocksDrawn) return;
    blocksDrawn = drawn;
    /** @param {(block: Block) => number | null} value */
    const points = (value) => final.flatMap((block) => {
      const x = value(block);
      return x === null || !Number.isFinite(x) ? [] : [{ label: `Block ${block.number}`, value: x }];
    });
    gas.update(points((block) => block.gas_per_operation ?? null));
    wei.update(points((block) => (block.wei_per_operation == null ? null : Number(block.wei_per_operation))));
  }
  return { elements: [rate.element, gas.element, wei.element], update };
}

/** @param {Block} block */
function row(block) {
  const cells = Array.from({ length: 7 }, (_, i) => h("td", { class: i === 1 ? "" : "num" }));
  const item = /** @type {HTMLElement & { update: (block: Block) => void }} */ (h("tr", {}, cells));
  put(cells[0], h("a", { href: `#/blocks/${block.number}` }, block.number));
  const opened = ago(block.opened_at, now());
  put(cells[6], opened);
  let stage = "";
  item.update = (next) => {
    if (stage !== next.stage) put(cells[1], badge(next.stage));
    stage = next.stage;
    setText(cells[2], format.number(next.operations));
    setText(cells[3], format.wei(next.wei_per_operation));
    setText(cells[4], format.number(next.gas_per_operation));
    setText(cells[5], format.bytes(next.data_bytes));
    setText(opened, since(next.opened_at, now()));
  };
  return item;
}

/** @param {Element} main */
export function overview(main) {
  const [tiles, way, provers, lines] = [figures(), pipeline(), workers(), charts()];
  const body = h("tbody", {});
  let rows = ROWS;
  const more = h("button", { type: "button", hidden: true }, "Older blocks");
  put(main,
    heading("Overview"),
    tiles.element,
    card("Blocks on their way", way.element),
    h("div", { class: "charts" }, lines.elements),
    card("Provers", provers.element),
    card("Blocks", table("Blocks", [["Block", "num"], "Stage", ["Operations", "num"], ["Cost per operation", "num"], ["Gas per operation", "num"], ["Data", "num"], ["Opened", "num"]], body), h("p", {}, more)));
  const update = () => {
    tiles.update();
    way.update();
    provers.update();
    lines.update();
    const all = blocks();
    keyed(body, all.slice(0, rows), (block) => block.number, row);
    more.hidden = all.length <= rows;
  };
  more.addEventListener("click", () => {
    rows += ROWS;
    update();
  });
  update();
  return onChange(update);
}
