/**
 * The sentinel of the fake node: a log of findings whose hashes are chained as the real one's, an operation
 * that is held back, and the operator's routes. A name that another chain gave tries to be markup.
 */
import { encode, fromHex, operationHash, toHex, keccakOf } from "../build/src/index.js";

export const TOKEN = "a-token-of-the-operator-for-tests";
export const MARKUP = `<img src=x onerror="window.broken=true">`;
const RULES = "0:36a6c1380bbd9f7b";
const THIEF = "0x90f79bf6eb2c4f870365e785982e1f101e93b906";
const text = new TextEncoder();
const reason = (detector, score, evidence, version = RULES) => ({ detector, version, score, evidence });

export class Sentinel {
  entries = [];
  held = new Map();
  mode = "enforce";

  constructor(world, { chainId, contract }, first) {
    this.world = world;
    const chain = new DataView(new ArrayBuffer(8));
    chain.setBigUint64(0, BigInt(chainId));
    const domain = keccakOf([new Uint8Array(chain.buffer), fromHex("contract", contract)]);
    this.head = keccakOf([text.encode("bastion-sentinel/findings/v1"), fromHex("domain", domain)]);
    this.until = world.time + 3_000;
    const bare = (hash) => hash.slice(2);
    const alert = bare(world.operations[0].hash);
    this.verdict(alert, { decision: "allow" }, [reason("rule.dusting", 250, [["out_peers", "30"], ["window", "3600"], ["action", "alert"]])]);
    const theft = [
      reason("rule.key-change-then-withdraw", 950, [["kind", "withdraw"], ["to_own_exit", "0"], ["since_key_change", "4"], ["out_share", "816"], ["window", "86400"], ["action", "quarantine 21600"]]),
      reason("feed.indicator", 900, [["address", THIEF], ["sources", MARKUP], ["indicators", `indicator--1\u202e${MARKUP}`]], "stix-2.1"),
    ];
    const signed = world.signed(0, { kind: "withdraw", to: THIEF, amount: 4n * 10n ** 18n });
    const operation = operationHash(signed);
    this.held.set(operation, { operation, account: first, until: this.until, reasons: theft, bytes: toHex(encode(signed)) });
    this.verdict(bare(operation), { decision: "quarantine", until: this.until }, theft);
    this.note("response", `playbook key-theft for account ${first}: hold the operation for 3600 s: held until ${this.until}`);
    this.write({ event: "frozen", account: first + 4, until: world.time + 80_000, evidence: [bare(operation)] });
    this.note("indicator", `${THIEF} is told to other chains by the operator (${MARKUP})`);
    this.write({ event: "rules", version: "2:00aa00aa00aa00aa", reason: "published" });
    this.verdict("ab".repeat(32), { decision: "reject" }, [reason("invariant.conservation", 1_000, [["before", "10"], ["after", "11"]])]);
  }

  write(finding) {
    const entry = JSON.stringify({ number: this.entries.length, at_ms: 1_000 * this.world.time, finding });
    this.entries.push(entry);
    this.head = keccakOf([fromHex("head", this.head), fromHex("entry", keccakOf([text.encode(entry)]))]);
  }

  verdict(operation, decision, reasons) {
    this.write({ event: "verdict", operation, verdict: { decision, reasons } });
  }

  note(subject, words) {
    this.write({ event: "note", subject, text: words });
  }

  status() {
    return { mode: this.mode, rules: RULES, model: "8f".repeat(32), observed: 4_211, held: this.held.size, findings: this.entries.length, head: this.head };
  }

  findings(from, limit) {
    return { findings: this.entries.slice(from, from + limit), from, count: this.entries.length, head: this.head };
  }

  show({ bytes, reasons, ...held }, whole = false) {
    const shown = reasons.map((r) => ({ ...r, evidence: r.evidence.map(([name, value]) => ({ name, value })) }));
    return { ...held, reasons: shown, ...(whole ? { bytes } : {}) };
  }

  /** Answers the operator; undefined for what does not exist. */
  operator(method, path, body) {
    if (method === "GET" && path === "/admin/v1/quarantine") return { held: [...this.held.values()].map((held) => this.show(held, true)) };
    const [, operation, ending] = /^\/admin\/v1\/quarantine\/(0x[0-9a-f]{64})\/(release|drop)$/.exec(path) ?? [];
    if (operation && this.held.delete(operation)) {
      this.write({ event: "released", operation: operation.slice(2), by: ending === "release" ? "operator" : "dropped by the operator" });
      return { status: "ok" };
    }
    const [, account, order] = /^\/admin\/v1\/accounts\/([0-9]+)\/(freeze|unfreeze)$/.exec(path) ?? [];
    if (!account) return undefined;
    if (order === "freeze") this.write({ event: "frozen", account: Number(account), until: this.world.time + body.seconds, evidence: [] });
    else this.write({ event: "unfrozen", account: Number(account), reason: "signed by the guardian" });
    return this.world.operations[0].receipt;
  }
}
