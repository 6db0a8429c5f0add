/** Line charts drawn as SVG. */
import { h, put, setText, svg } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 100;

/** @typedef {{ label: string, value: number }} Point */

/**
 * A chart that is given its points again when they change.
 * @param {{ title: string, note: string, format: (value: number) => string, none: string }} options
 */
export function chart({ title, note, format, none }) {
  const line = svg("polyline", { class: "chart-line", fill: "none" });
  const area = svg("polygon", { class: "chart-area" });
  const cursor = svg("line", { class: "chart-cursor", y1: 0, y2: HEIGHT, visibility: "hidden" });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "chart-picture" },
    [25, 50, 75].map((y) => svg("line", { class: "chart-grid", x1: 0, x2: WIDTH, y1: y, y2: y })), area, line, cursor);
  const [value, label, top, bottom, first, last] = Array.from({ length: 6 }, () => h("span", {}));
  const scale = h("div", { class: "chart-scale", "aria-hidden": "true" }, top, bottom);
  const ends = h("div", { class: "chart-ends", "aria-hidden": "true" }, first, last);
  const empty = h("p", { class: "chart-empty" }, none);
  const plot = h("div", { class: "chart-plot" });
  const figure = h("figure", { class: "card chart" },
    h("figcaption", {}, h("h3", {}, title), h("p", { class: "chart-value" }, value), h("p", { class: "dim" }, label)), plot);
  /** @type {Point[]} */
  let points = [];

  /** @param {number} i */
  const x = (i) => (points.length < 2 ? WIDTH / 2 : (i * WIDTH) / (points.length - 1));

  /** @param {number | null} at which point is shown; the newest if none */
  function show(at) {
    const point = points[at ?? points.length - 1];
    setText(value, point ? format(point.value) : "–");
    setText(label, at === null || !point ? note : point.label);
    cursor.setAttribute("visibility", at === null ? "hidden" : "visible");
    if (at !== null) for (const end of ["x1", "x2"]) cursor.setAttribute(end, String(x(at)));
  }

  picture.addEventListener("pointermove", (event) => {
    const { left, width } = picture.getBoundingClientRect();
    const part = (/** @type {PointerEvent} */ (event).clientX - left) / width;
    show(Math.max(0, Math.min(points.length - 1, Math.round(part * (points.length - 1)))));
  });
  picture.addEventListener("pointerleave", () => show(null));

  /** @param {Point[]} next */
  function update(next) {
    points = next;
    show(null);
    if (points.length < 2) {
      put(plot, empty);
      return;
    }
    const values = points.map((point) => point.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    // Room above and below; a flat line stands in the middle.
    const margin = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1;
    const [from, to] = [Math.max(0, low - margin), high + margin];
    const at = values.map((v, i) => `${x(i).toFixed(1)},${(HEIGHT - ((v - from) / (to - from)) * HEIGHT).toFixed(1)}`);
    line.setAttribute("points", at.join(" "));
    area.setAttribute("points", `0,${HEIGHT} ${at.join(" ")} ${WIDTH},${HEIGHT}`);
    picture.setAttribute("aria-label", `${title}: from ${format(low)} to ${format(high)}, now ${format(values[values.length - 1])}`);
    setText(top, format(to));
    setText(bottom, format(from));
    setText(first, points[0].label);
    setText(last, points[points.length - 1].label);
    if (!picture.isConnected || picture.parentElement !== plot) put(plot, scale, picture, ends);
  }
  update([]);
  return { element: figure, update };
}
