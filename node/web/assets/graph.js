/** A graph of flows, drawn as SVG: senders, the account, receivers, and where it went from there. */
import { h, svg } from "./dom.js";
import * as format from "./format.js";
import { party } from "./flows.js";
import { table } from "./parts.js";

/** @typedef {import("./flows.js").Flow} Flow */
/** @typedef {import("./flows.js").Party} Party */
/** @typedef {{ party: Party, x: number, y: number, kind: string }} Place */

const [HEIGHT, ROW, TOP] = [40, 62, 30];
/** Width of a party, and between two columns. */
let [WIDTH, GAP] = [148, 140];
const narrow = matchMedia("(max-width: 40rem)");
/** Parties of a column at most; the table has all. */
const SHOWN = 6;

/** An amount that fits an edge. @param {Flow} flow */
export function sum({ token, sum, held }) {
  if (held && sum === 0n) return "not shown yet";
  // Five digits are enough; the table has all.
  const digits = sum.toString().length;
  const cut = digits > 5 ? sum - (sum % 10n ** BigInt(digits - 5)) : sum;
  return format.amount(token, String(cut)).replace(/ units of token /, " × token ");
}

/** @param {bigint} sum of it @param {bigint} largest */
const weight = (sum, largest) => (largest === 0n ? 1.5 : 1.5 + (5 * Number((sum * 1_000n) / largest)) / 1_000);

/** @param {Place} place */
function box({ party: { name, link }, x, y, kind }) {
  const content = [
    svg("rect", { x, y: y - HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: 7 }),
    svg("text", { x: x + WIDTH / 2, y: y + 5, "text-anchor": "middle" }, name)];
  const group = svg("g", { class: `flow-party flow-${kind}` }, content);
  return link ? svg("a", { href: link, "aria-label": name }, group) : group;
}

/** @param {Flow} flow @param {Place} from @param {Place} to @param {bigint} largest @param {boolean} atStart where its text stands */
function edge(flow, from, to, largest, atStart) {
  const [x1, y1, x2, y2] = [from.x + WIDTH, from.y, to.x - 7, to.y];
  const middle = (x1 + x2) / 2;
  const kind = flow.held ? "flow-edge flow-edge-held" : "flow-edge";
  const label = `${sum(flow)}${flow.count > 1 && !narrow.matches ? ` (${flow.count})` : ""}`;
  const end = atStart ? { x: x1 + 6, y: y1 - 8, "text-anchor": "start" } : { x: x2 - 4, y: y2 - 8, "text-anchor": "end" };
  return svg("g", { class: kind },
    svg("title", {}, `${flow.from.name} to ${flow.to.name}: ${label}`),
    svg("path", { d: `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`, "stroke-width": flow.held ? 2.5 : weight(flow.sum, largest).toFixed(1) }),
    svg("polygon", { points: `${x2 + 6},${y2} ${x2 - 4},${y2 - 5} ${x2 - 4},${y2 + 5}` }),
    svg("text", end, label));
}

/** @param {import("./flows.js").Flows} flows */
export function graph({ account, into, out, onward }) {
  [WIDTH, GAP] = narrow.matches ? [124, 104] : [148, 140];
  const subject = party(account);
  const parties = (/** @type {Party[]} */ all) => [...new Map(all.map((one) => [one.id, one])).values()].slice(0, SHOWN);
  const columns = [parties(into.map(({ from }) => from)), [subject], parties(out.map(({ to }) => to)), parties(onward.map(({ to }) => to))];
  const heads = ["Senders", "Account", "Receivers", "From there"];
  const used = columns.flatMap((column, i) => (column.length > 0 ? [i] : []));
  const rows = Math.max(...columns.map((column) => column.length), 1);
  const [width, height] = [used.length * (WIDTH + GAP) - GAP + 8, TOP + rows * ROW];
  /** @type {Map<string, Place>[]} */
  const places = columns.map((column, i) => new Map(column.map((one, row) => [one.id, {
    party: one,
    x: used.indexOf(i) * (WIDTH + GAP) + 1,
    y: TOP + ((row + 0.5) * rows * ROW) / column.length,
    kind: i === 1 ? "subject" : one.id === "hidden" || out.some(({ held, to }) => held && to.id === one.id) && i === 2 ? "held" : one.link ? "account" : "l1",
  }])));
  const largest = [...into, ...out, ...onward].reduce((most, { sum }) => (sum > most ? sum : most), 0n);
  const edges = [[into, 0], [out, 1], [onward, 2]].flatMap(([flows, i]) => /** @type {Flow[]} */ (flows).flatMap((flow) => {
    const column = /** @type {number} */ (i);
    const [from, to] = [places[column].get(flow.from.id), places[column + 1].get(flow.to.id)];
    return from && to ? [edge(flow, from, to, largest, column === 0)] : [];
  }));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", class: "flows", "aria-label": `Flows around account ${account}: ${into.length} in, ${out.length} out, ${onward.length} from there` },
    used.map((i) => svg("text", { class: "flow-head", x: used.indexOf(i) * (WIDTH + GAP) + 1 + WIDTH / 2, y: 14, "text-anchor": "middle" }, heads[i])),
    edges, places.flatMap((column) => [...column.values()].map(box)));
  const view = h("div", { class: "scroll flows-scroll", tabindex: "0", role: "region", "aria-label": "Graph of flows" }, picture);
  // Where the graph is wider than the screen, the account is in the middle of it.
  requestAnimationFrame(() => (view.scrollLeft = used.indexOf(1) * (WIDTH + GAP) + WIDTH / 2 + 18 - view.clientWidth / 2));
  return view;
}

/** The same as a table. @param {import("./flows.js").Flows} flows */
export function flowTable({ into, out, onward }) {
  const name = (/** @type {Party} */ { name, link }) => (link ? h("a", { href: link }, name) : name);
  const rows = [...into, ...out, ...onward].map((flow) => h("tr", {}, h("td", {}, name(flow.from)), h("td", {}, name(flow.to)),
    h("td", { class: "num" }, flow.held && flow.sum === 0n ? "not shown yet" : format.amount(flow.token, String(flow.sum))), h("td", { class: "num" }, format.number(flow.count)),
    h("td", {}, flow.held ? h("span", { class: "text-bad" }, `held until ${format.moment(flow.last)}`) : format.moment(flow.last))));
  return table("Flows", ["From", "To", ["Amount", "num"], ["Operations", "num"], "Last"], h("tbody", {}, rows));
}
