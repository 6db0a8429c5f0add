/** Jobs of provers, and why some failed. */
import { h, keyed, put, setText } from "./dom.js";
import * as format from "./format.js";
import { now, onChange, state } from "./live.js";
import { ago, badge, card, heading, table } from "./parts.js";

/** Which come first: those that need somebody. */
const URGENCY = ["failed", "retryable", "leased", "queued", "proved", "verified", "cancelled", "done"];
const ROWS = 200;

/** @typedef {import("./bastion.js").Schemas["Job"]} Job */

/** @param {Job} job */
function row(job) {
  const cells = Array.from({ length: 6 }, (_, i) => h("td", { class: i === 3 ? "num" : "" }));
  const item = /** @type {HTMLElement & { update: (job: Job) => void }} */ (h("tr", {}, cells));
  put(cells[0], h("code", {}, job.key));
  let causes = "";
  item.update = (next) => {
    item.className = next.state === "failed" ? "row-bad" : "";
    put(cells[1], badge(next.state));
    setText(cells[2], next.worker ?? "–");
    setText(cells[3], next.attempts);
    put(cells[4], ago(next.since, now()));
    const text = JSON.stringify(next.causes);
    if (text === causes) return;
    causes = text;
    put(cells[5], next.causes.length === 0 ? h("span", { class: "dim" }, "none")
      : h("ol", { class: "causes" }, next.causes.map((cause) => h("li", {}, cause))));
  };
  return item;
}

/** @param {Element} main */
export function jobsPage(main) {
  const body = h("tbody", {});
  const count = h("p", { class: "dim" });
  put(main, heading("Jobs", count),
    card("Proofs to make and made", table("Jobs", ["Job", "State", "Worker", ["Attempts", "num"], "Since", "Causes of failures"], body)));
  const update = () => {
    const all = [...state.jobs.values()].sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state) || b.since - a.since);
    const { jobs } = state.status ?? {};
    if (jobs) setText(count, `${format.number(jobs.queued)} queued, ${format.number(jobs.leased)} at work, ${format.number(jobs.failed)} failed, ${format.number(jobs.done)} done`);
    keyed(body, all.slice(0, ROWS), (job) => job.key, row);
  };
  update();
  return onChange(update);
}
