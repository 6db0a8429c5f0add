/** What is wrong, plainly, on every page. */
import { h, put } from "./dom.js";
import * as format from "./format.js";
import { blocks, state } from "./live.js";

const DAY = 86_400;
/** Blocks that the operator's balance must still pay for. */
const BLOCKS_LEFT = 50n;

/**
 * @typedef {{ kind: "bad" | "warn" | "note", title: string, text: string, link?: [string, string] }} Alarm
 * @returns {Alarm[]}
 */
export function alarms() {
  /** @type {Alarm[]} */
  const all = [];
  /** @param {Alarm["kind"]} kind @param {string} title @param {string} text @param {[string, string]} [link] */
  const say = (kind, title, text, link) => all.push({ kind, title, text, ...(link ? { link } : {}) });
  if (state.connection === "lost") {
    say("warn", "No connection.", "What you see may be old. The page tries again by itself.");
  }
  const { status, version } = state;
  if (status) {
    if (status.breaker !== null) say("bad", "The breaker stopped proving.", sentence(status.breaker), ["#/jobs", "See the jobs"]);
    if (!status.l1.synced) {
      say("bad", "L1 is not in sync.", `The node has read L1 up to block ${format.number(status.l1.block)} and lags behind. What it calls final may be old.`);
    }
    if (status.jobs.failed > 0) {
      const count = status.jobs.failed === 1 ? "A job has" : `${format.number(status.jobs.failed)} jobs have`;
      say("bad", "Proofs are missing.", `${count} failed. Blocks wait for them.`, ["#/jobs", "See the causes"]);
    }
    const waited = status.queue.oldest_seconds;
    if (status.queue.on_l1 > status.queue.taken && waited > DAY) {
      say(waited > 5 * DAY ? "bad" : "warn", "The L1 queue waits.",
        `Its oldest entry has waited ${format.duration(waited)}. After 7 days anybody can start exodus, in which every account leaves.`);
    }
    if (status.paused) say("warn", "Paused.", "The operator takes no new operations.");
    else if (status.draining) say("warn", "Draining.", "The node finishes what it has and takes no new operations.");
    else if (!status.accepting) say("warn", "No new operations.", "The node does not accept operations at present.");
    const cost = lastCost();
    const balance = /^[0-9]+$/.test(status.l1.balance_wei) ? BigInt(status.l1.balance_wei) : null;
    if (cost > 0n && balance !== null && balance / cost < BLOCKS_LEFT) {
      say("warn", "The operator runs out of ETH.", `${format.wei(status.l1.balance_wei)} pays for about ${balance / cost} more blocks.`);
    }
  }
  if (version?.unsafe_dev_srs) {
    say("note", "Development only.", "Somebody may know the secret behind the proofs of this node. Put no money on it.");
  }
  return all;
}

/** A cause as a sentence. @param {unknown} cause */
function sentence(cause) {
  const text = String(cause);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** What the newest final block has cost on L1, in wei. */
function lastCost() {
  const block = blocks().find(({ stage }) => stage === "final");
  if (!block) return 0n;
  const { commit, prove, finalize } = block.transactions;
  return [commit, prove, finalize].reduce((sum, tx) => sum + (tx && /^[0-9]+$/.test(tx.wei) ? BigInt(tx.wei) : 0n), 0n);
}

let shown = "";

/** Shows the alarms. They are written again only if they changed. @param {Element} element */
export function showAlarms(element) {
  const all = alarms();
  const next = JSON.stringify(all);
  if (next === shown) return;
  shown = next;
  put(element, all.map(({ kind, title, text, link }) =>
    h("p", { class: `alarm alarm-${kind}` }, h("strong", {}, title), " ", text, link && [" ", h("a", { href: link[0] }, link[1])])));
}
