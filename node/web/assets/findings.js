/** The sentinel's log of findings: read from the node, taken apart, and kept up to date. */
import { fromHex, NodeError, toHex, keccakOf } from "./bastion.js";
import { heldFrom, parse } from "./entry.js";
import { client, now, state } from "./live.js";

/** Entries that the page reads at once. */
const PAGE = 100;
/** How often it asks, in milliseconds. */
const EVERY = 2_000;
/** Entries that it keeps. */
const KEPT = 5_000;
/** Operations that it asks about one by one, at most. */
const ASKED = 20;

/** @typedef {import("./bastion.js").Schemas} Schemas */
/** @typedef {import("./entry.js").Finding} Finding */

export const log = {
  /** @type {Schemas["SentinelStatus"] | null} */
  status: null,
  /** Whether the node has no sentinel. */
  off: false,
  /** @type {unknown} */
  error: null,
  /** @type {Map<number, Finding>} */
  findings: new Map(),
  /** Operations that are held back, as far as the page knows. @type {Map<string, import("./entry.js").Held>} */
  held: new Map(),
  /** The list for the operator, if he has signed in. @type {(() => Promise<Schemas["Held"][]>) | null} */
  list: null,
};

/** The findings that are known, the newest first. */
export const newest = () => [...log.findings.values()].sort((a, b) => b.number - a.number);

/** Accounts whose freeze goes on, by the findings that are known. */
export function frozen() {
  /** @type {Map<number, Finding>} */
  const all = new Map();
  for (const finding of newest().reverse()) {
    if (finding.account === null) continue;
    if (finding.kind === "frozen") all.set(finding.account, finding);
    if (finding.kind === "unfrozen") all.delete(finding.account);
  }
  return [...all.values()].filter(({ until }) => (until ?? 0) > now());
}

/**
 * Reads entries from a number on, as far as to another.
 * @param {number} from
 * @param {number} to
 * @param {AbortSignal} [signal]
 */
async function read(from, to, signal) {
  while (from < to) {
    const page = await client.findings({ from, limit: Math.min(PAGE, to - from) }, signal ? { signal } : {});
    if (page.findings.length === 0) return;
    page.findings.forEach((text, i) => log.findings.set(from + i, parse(String(text), from + i)));
    from += page.findings.length;
  }
}

/** Reads entries that are older than those that are known. @param {AbortSignal} [signal] */
export async function readOlder(signal) {
  const first = Math.min(...log.findings.keys());
  if (Number.isFinite(first)) await read(Math.max(0, first - PAGE), first, signal);
}

/** One entry, if there is such a one. @param {number} number @param {AbortSignal} signal */
export async function one(number, signal) {
  const { findings } = await client.findings({ from: number, limit: 1 }, { signal });
  return findings.length === 1 ? parse(String(findings[0]), number) : undefined;
}

/** Which operations are held back now. @param {AbortSignal} signal */
async function readHeld(signal) {
  if (log.list) {
    log.held = new Map((await log.list()).flatMap(heldFrom));
    return;
  }
  const ended = new Set();
  const asked = newest().flatMap(({ kind, operation }) => {
    if (operation && kind === "released") ended.add(operation);
    return kind === "hold" && operation && !ended.has(operation) ? [operation] : [];
  });
  const answers = await Promise.all([...new Set(asked)].slice(0, ASKED).map((operation) => client.held(operation, { signal }).catch((error) => {
    if (error instanceof NodeError && error.status === 404) return null;
    throw error;
  })));
  log.held = new Map(answers.flatMap(heldFrom));
}

let seen = "";

/** Forgets how the sentinel stood, so that what is held back is read again. */
export const stale = () => void (seen = "");

/** Asks how the sentinel stands, and reads what is new. @param {AbortSignal} signal */
export async function refresh(signal) {
  try {
    const status = await client.sentinel({ signal });
    const key = `${status.head} ${status.held} ${status.findings}`;
    if (key !== seen) {
      const known = Math.max(-1, ...log.findings.keys()) + 1;
      // A shorter log is another one.
      if (status.findings < known) log.findings.clear();
      await read(Math.max(status.findings < known ? 0 : known, status.findings - PAGE), status.findings, signal);
      for (const old of newest().slice(KEPT)) log.findings.delete(old.number);
      if (status.held > 0 || log.list) await readHeld(signal);
      else log.held.clear();
    }
    seen = key;
    Object.assign(log, { status, off: false, error: null });
  } catch (error) {
    if (signal.aborted) return;
    log.off = error instanceof NodeError && error.status === 404;
    log.error = log.off ? null : error;
  }
}

/** Follows the log until the signal. @param {AbortSignal} signal @param {() => void} changed */
export async function follow(signal, changed) {
  while (!signal.aborted) {
    if (!document.hidden) {
      await refresh(signal);
      if (!signal.aborted) changed();
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

/** The last answer of {@link chained}, and to what. @type {[string, boolean | "open"]} */
let answered = ["", "open"];

/**
 * Whether the entries give the head that the node says. It cannot be decided before all are read.
 * @returns {boolean | "open"}
 */
export function chained() {
  const asked = `${log.status?.head} ${log.status?.findings} ${log.findings.size} ${state.version === null}`;
  if (answered[0] !== asked) answered = [asked, chain()];
  return answered[1];
}

/** @returns {boolean | "open"} */
function chain() {
  const { status, findings } = log;
  if (!status || !state.version || findings.size < status.findings) return "open";
  const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
  const id = new DataView(new ArrayBuffer(8));
  id.setBigUint64(0, BigInt(state.version.chain_id));
  const domain = keccakOf([new Uint8Array(id.buffer), fromHex("contract", state.version.contract)]);
  let head = keccakOf([bytes("bastion-sentinel/findings/v1"), fromHex("domain", domain)]);
  for (let number = 0; number < status.findings; number++) {
    const entry = findings.get(number);
    if (!entry) return "open";
    head = keccakOf([fromHex("head", head), fromHex("entry", keccakOf([bytes(entry.text)]))]);
  }
  return head === toHex(fromHex("head", status.head));
}
