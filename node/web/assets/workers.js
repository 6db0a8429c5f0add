/** Provers at work: what each does, how far it is, and how long it will take. */
import { h, keyed, put, setText } from "./dom.js";
import * as format from "./format.js";
import { state } from "./live.js";

/** Seconds after which a worker that says nothing counts as silent. */
const SILENT = 60;

/** @typedef {{ name: string, busy: boolean, last_heard_seconds: number }} Worker */

/** @param {Worker} worker */
function row(worker) {
  const what = h("span", { class: "worker-job" });
  const bar = /** @type {HTMLProgressElement} */ (h("progress", { max: "1", "aria-label": `Progress of ${worker.name}` }));
  const rest = h("span", { class: "worker-rest" });
  const item = /** @type {HTMLElement & { update: (worker: Worker) => void }} */ (
    h("li", { class: "worker" }, h("strong", { class: "worker-name" }, worker.name), what, bar, rest)
  );
  item.update = (next) => {
    const job = [...state.jobs.values()].find((j) => j.worker === next.name && j.state === "leased");
    const progress = job && state.progress.get(job.key);
    const silent = next.last_heard_seconds > SILENT;
    item.classList.toggle("worker-silent", silent);
    bar.hidden = !job;
    if (silent) setText(what, `silent for ${format.duration(next.last_heard_seconds)}`);
    else if (!job) setText(what, next.busy ? "busy" : "waits for work");
    else put(what, job.kind === "prove_block" ? `Block ${job.number}` : `Batch ${job.number}`, progress ? `: ${progress.stage}` : "");
    if (progress) bar.value = progress.part;
    else bar.removeAttribute("value");
    const eta = progress?.eta_seconds;
    setText(rest, !job ? "" : progress ? `${Math.round(progress.part * 100)} %${eta == null ? "" : `, ${format.duration(eta)} left`}` : "started");
  };
  return item;
}

/** The list of workers, and what brings it up to date. */
export function workers() {
  const list = h("ul", { class: "workers" });
  const none = h("p", { class: "dim" }, "No prover has said anything yet.");
  const element = h("div", {}, none, list);
  function update() {
    const all = [...(state.status?.workers ?? [])];
    // Leased jobs may name a worker before the next status does.
    for (const job of state.jobs.values()) {
      if (job.state === "leased" && job.worker != null && !all.some(({ name }) => name === job.worker)) {
        all.push({ name: job.worker, busy: true, last_heard_seconds: 0 });
      }
    }
    none.hidden = all.length > 0;
    keyed(list, all, ({ name }) => name, row);
  }
  return { element, update };
}
