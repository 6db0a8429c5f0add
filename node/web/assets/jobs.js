/** Jobs of provers, and why some failed. */
import { h, keyed, put, setText } from "./dom.js";
import * as format from "./format.js";
import { now, onChange, state } from "./live.js";
import { badge, card, heading, since } from "./parts.js";

/** Which come first: those that need somebody. */
const URGENCY = ["failed", "retryable", "leased", "queued", "proved", "verified", "cancelled", "done"];
const ROWS = 200;

/** @typedef {import("./bastion.js").Schemas["Job"]} Job */

/** @param {Job} job */
function row(job) {
  const state = h("span", {});
  const facts = h("span", { class: "dim" });
  const causes = h("ol", { class: "causes" });
  const item = /** @type {HTMLElement & { update: (job: Job) => void }} */ (
    h("li", {}, h("p", { class: "job-line" }, h("code", {}, job.key), state, facts), causes)
  );
  let written = "";
  item.update = (next) => {
    item.className = next.state === "failed" ? "job job-failed" : "job";
    const attempts = next.attempts === 1 ? "1 attempt" : `${format.number(next.attempts)} attempts`;
    setText(facts, [next.worker, attempts, since(next.since, now())].filter((x) => x !== null).join(", "));
    const text = JSON.stringify([next.state, next.causes]);
    if (text === written) return;
    written = text;
    put(state, badge(next.state));
    causes.hidden = next.causes.length === 0;
    put(causes, next.causes.map((cause) => h("li", {}, cause)));
  };
  return item;
}

/** @param {Element} main */
export function jobsPage(main) {
  const list = h("ul", { class: "jobs" });
  const none = h("p", { class: "dim" }, "No job yet.");
  const count = h("p", { class: "dim" });
  put(main, heading("Jobs", count),
    card("Proofs to make and made", none, list));
  const update = () => {
    const all = [...state.jobs.values()].sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state) || b.since - a.since);
    const { jobs } = state.status ?? {};
    if (jobs) setText(count, `${format.number(jobs.queued)} queued, ${format.number(jobs.leased)} at work, ${format.number(jobs.failed)} failed, ${format.number(jobs.done)} done`);
    none.hidden = all.length > 0;
    keyed(list, all.slice(0, ROWS), (job) => job.key, row);
  };
  update();
  return onChange(update);
}
