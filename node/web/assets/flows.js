/** Who paid whom around an account: read from the node, and summed up. */
import { decode, fromHex } from "./bastion.js";
import { client } from "./live.js";

/** Operations of the account that are looked through. */
const LOOKED = 200;
/** Receivers whose own payments are shown, and operations of each that are looked through. */
const FOLLOWED = 4;
const OF_EACH = 50;

/** @typedef {import("./bastion.js").Schemas["Operation"]} Operation */
/** @typedef {{ id: string, name: string, link: string | null }} Party an account, or an address on L1 */
/** @typedef {{ from: Party, to: Party, token: number, sum: bigint, count: number, first: number, last: number, held: boolean }} Flow */
/** @typedef {{ account: number, into: Flow[], out: Flow[], onward: Flow[], others: Operation[], whole: boolean }} Flows */

/** @param {unknown} index @returns {Party} */
export function party(index) {
  const known = typeof index === "number" && Number.isInteger(index) && index >= 0;
  return known ? { id: `a${index}`, name: `Account ${index}`, link: `#/accounts/${index}` } : { id: "new", name: "New account", link: null };
}

/** @param {unknown} address @returns {Party} */
const onL1 = (address) => ({ id: `l${address}`, name: `L1 ${String(address ?? "address").replace(/^(0x.{4}).*(.{4})$/, "$1…$2")}`, link: null });

/** The parts of an operation that only its bytes carry. @param {unknown} bytes @returns {any} */
export function open(bytes) {
  try {
    const operation = decode(fromHex("operation", String(bytes)));
    return operation.op === "signed" ? { ...operation.action, token: operation.token } : operation;
  } catch {
    return {};
  }
}

/**
 * From whom to whom an operation moves something; nothing for those that move nothing.
 * @param {Operation} operation
 * @param {number} of the account in whose history it stands
 * @returns {[Party, Party] | null}
 */
function parties(operation, of) {
  switch (operation.kind) {
    case "transfer":
    case "transfer_new":
      return [party(operation.account), party(operation.to)];
    case "withdraw":
      return [party(operation.account), onL1(open(operation.bytes).to)];
    case "deposit":
      return [{ id: "deposit", name: "Deposit from L1", link: null }, party(operation.to ?? of)];
    case "forced_exit":
      return [party(operation.account ?? of), onL1(open(operation.bytes).exit)];
    default:
      return null;
  }
}

/** @param {unknown} text */
const amount = (text) => (typeof text === "string" && /^[0-9]{1,40}$/.test(text) ? BigInt(text) : 0n);

/**
 * Adds a movement to those of the same parties and token.
 * @param {Map<string, Flow>} flows
 * @param {[Party, Party]} parties
 * @param {{ token: number, amount: bigint, time: number, held?: boolean }} what
 */
function add(flows, [from, to], { token, amount, time, held = false }) {
  const key = `${from.id}>${to.id}>${token}>${held}`;
  const flow = flows.get(key);
  if (!flow) flows.set(key, { from, to, token, sum: amount, count: 1, first: time, last: time, held });
  else Object.assign(flow, { sum: flow.sum + amount, count: flow.count + 1, first: Math.min(flow.first, time), last: Math.max(flow.last, time) });
}

/**
 * Operations of an account around a time, the newest first.
 * @param {number} account @param {[number, number]} between @param {number} most @param {AbortSignal} signal
 */
async function around(account, [from, to], most, signal) {
  /** @type {Operation[]} */
  const found = [];
  /** @type {number | undefined} */
  let before;
  for (let looked = 0; looked < most;) {
    const limit = Math.min(100, most - looked);
    const page = await client.operationsOf(account, { limit, ...(before === undefined ? {} : { before }) }, { signal });
    found.push(...page.filter(({ receipt: { time } }) => time >= from && time <= to));
    const last = page.at(-1);
    if (page.length < limit || !last || last.receipt.time < from) return { found, whole: true };
    looked += page.length;
    before = last.entry;
  }
  return { found, whole: false };
}

/** The largest first; what is held back before all. @param {Map<string, Flow>} flows */
const sorted = (flows) => [...flows.values()].sort((a, b) => Number(b.held) - Number(a.held) || a.token - b.token || (b.sum > a.sum ? 1 : b.sum < a.sum ? -1 : 0));

/**
 * What moved to and from an account around a time, and from its receivers afterwards.
 * @param {number} account
 * @param {[number, number]} between seconds
 * @param {import("./entry.js").Held[]} held operations of the account that are held back
 * @param {AbortSignal} signal
 * @returns {Promise<Flows>}
 */
export async function flowsOf(account, between, held, signal) {
  const { found, whole } = await around(account, between, LOOKED, signal);
  const self = party(account).id;
  /** @type {Map<string, Flow>[]} */
  const [into, out, onward] = [new Map(), new Map(), new Map()];
  for (const operation of found) {
    const both = parties(operation, account);
    if (both) add(both[1].id === self ? into : out, both, { token: operation.token, amount: amount(operation.amount), time: operation.receipt.time });
  }
  for (const { bytes, until } of held) {
    const action = bytes === null ? {} : open(bytes);
    const to = action.kind === "withdraw" ? onL1(action.to) : action.kind === "transfer" ? party(action.to)
      : action.kind === "transfer_new" ? party(null) : { id: "hidden", name: "Held back", link: null };
    add(out, [party(account), to], { token: action.token ?? 0, amount: action.amount ?? 0n, time: until, held: true });
  }
  const outgoing = sorted(out);
  const receivers = outgoing.filter(({ to, held }) => !held && to.link !== null && to.id !== self).slice(0, FOLLOWED);
  await Promise.all(receivers.map(async ({ to, first }) => {
    const index = Number(to.id.slice(1));
    const { found } = await around(index, [first, between[1]], OF_EACH, signal);
    for (const operation of found) {
      const both = parties(operation, index);
      if (both && both[0].id === to.id && both[1].id !== self) add(onward, both, { token: operation.token, amount: amount(operation.amount), time: operation.receipt.time });
    }
  }));
  return { account, into: sorted(into), out: outgoing, onward: sorted(onward), others: found.filter((operation) => parties(operation, account) === null), whole };
}
