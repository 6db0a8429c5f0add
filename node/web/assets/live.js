/** What the page knows of the node, kept up to date by its events. */
import { Client } from "./bastion.js";

export const client = new Client(location.origin);

/** Samples of the rate that are kept: half an hour of one every two seconds. */
const SAMPLES = 900;
/** Blocks that are kept. */
const BLOCKS = 200;

/** @typedef {import("./bastion.js").Schemas} Schemas */

export const state = {
  /** @type {"connecting" | "live" | "lost"} */
  connection: "connecting",
  /** @type {Schemas["Version"] | null} */
  version: null,
  /** @type {Schemas["Status"] | null} */
  status: null,
  /** @type {Map<number, Schemas["Block"]>} */
  blocks: new Map(),
  /** @type {Map<number, Schemas["Batch"]>} */
  batches: new Map(),
  /** @type {Map<string, Schemas["Job"]>} */
  jobs: new Map(),
  /** @type {Map<string, Schemas["Progress"]>} */
  progress: new Map(),
  /** Operations per second since the page was opened. @type {{ time: number, value: number }[]} */
  rates: [],
};

/** The node's clock less this machine's, in seconds. */
let drift = 0;

/** The time by the node's clock, Unix seconds. */
export function now() {
  return Date.now() / 1_000 + drift;
}

/** @type {Set<() => void>} */
const readers = new Set();
let announced = false;

function changed() {
  if (announced) return;
  announced = true;
  // Hidden pages draw no frames; a timer runs there too.
  setTimeout(() => {
    announced = false;
    for (const read of readers) read();
  }, 100);
}

/**
 * Calls back after changes. Returns what ends it.
 * @param {() => void} read
 */
export function onChange(read) {
  readers.add(read);
  return () => readers.delete(read);
}

/** Blocks, the newest first. */
export function blocks() {
  return [...state.blocks.values()].sort((a, b) => b.number - a.number);
}

/** @param {Schemas["Status"]} status */
function takeStatus(status) {
  state.status = status;
  drift = status.time - Date.now() / 1_000;
  state.rates.push({ time: status.time, value: status.operations_per_second });
  state.rates.splice(0, state.rates.length - SAMPLES);
}

/** @param {Schemas["Block"]} block */
function takeBlock(block) {
  state.blocks.set(block.number, block);
  const oldest = blocks()[BLOCKS];
  if (oldest) state.blocks.delete(oldest.number);
}

/** @param {Schemas["Job"]} job */
function takeJob(job) {
  state.jobs.set(job.key, job);
  if (job.state !== "leased") state.progress.delete(job.key);
}

/** Reads everything: at the start, and after events may have been missed. */
async function readAll() {
  const [version, status, list, jobs] = await Promise.all([
    client.version(), client.status(), client.blocks({ limit: 100 }), client.jobs(),
  ]);
  state.version = version;
  takeStatus(status);
  state.blocks.clear();
  list.forEach(takeBlock);
  state.jobs.clear();
  jobs.forEach(takeJob);
  changed();
  const working = list.filter((block) => block.stage === "proving" || block.stage === "aggregating").slice(0, 16);
  const batches = await Promise.all(working.map((block) => client.batchesOf(block.number)));
  for (const batch of batches.flat()) state.batches.set(batch.number, batch);
  changed();
}

/** @param {import("./bastion.js").NodeEvent} event */
function take(event) {
  switch (event.event) {
    case "connected":
      state.connection = "live";
      readAll().catch((error) => console.error(error));
      break;
    case "disconnected":
      state.connection = "lost";
      break;
    case "status":
      takeStatus(event.data);
      break;
    case "block":
      takeBlock(event.data);
      break;
    case "batch":
      state.batches.set(event.data.number, event.data);
      if (event.data.job) takeJob(event.data.job);
      break;
    case "job":
      takeJob(event.data);
      break;
    case "progress":
      state.progress.set(event.data.job, event.data);
      break;
  }
}

/** Follows the node for as long as the page is open. */
export async function start() {
  for await (const event of client.events()) {
    take(event);
    changed();
  }
}
