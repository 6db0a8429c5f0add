/** An entry of the log of findings, taken apart. All of its text comes from elsewhere. */

/** @typedef {{ detector: string, version: string, score: number, evidence: { name: string, value: string }[] }} Reason */
/** @typedef {{ operation: string, account: number, until: number, reasons: Reason[], bytes: string | null }} Held */
/**
 * An entry of the log. `kind` is hold, refuse or alert (what was decided about an operation), released,
 * frozen, unfrozen, rules, note, or unreadable.
 * @typedef {{ number: number, time: number, kind: string, operation: string | null, account: number | null,
 *   until: number | null, reasons: Reason[], words: string, evidence: string[], text: string }} Finding
 */

/**
 * Text from elsewhere, with characters shown that are not seen or turn the direction of what follows.
 * @param {unknown} text
 */
export function visible(text) {
  return String(text ?? "").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `[U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** @param {unknown} x */
const index = (x) => (typeof x === "number" && Number.isInteger(x) && x >= 0 && x < 2 ** 32 ? x : null);
/** @param {unknown} x */
const hash = (x) => (typeof x === "string" && /^[0-9a-f]{64}$/.test(x) ? `0x${x}` : null);
/** @param {unknown} x */
const seconds = (x) => (typeof x === "number" && Number.isFinite(x) ? x : null);

/** @param {any} reason @returns {Reason} */
export function reasonFrom(reason) {
  const pairs = Array.isArray(reason?.evidence) ? reason.evidence : [];
  return {
    detector: visible(reason?.detector), version: visible(reason?.version), score: seconds(reason?.score) ?? 0,
    evidence: pairs.map((/** @type {any} */ pair) => {
      const [name, value] = Array.isArray(pair) ? pair : [pair?.name, pair?.value];
      return { name: visible(name), value: visible(value) };
    }),
  };
}

/**
 * Takes an entry apart. What cannot be read is shown as it came.
 * @param {string} text
 * @param {number} number
 * @returns {Finding}
 */
export function parse(text, number) {
  /** @type {Finding} */
  const empty = { number, time: NaN, kind: "unreadable", operation: null, account: null, until: null, reasons: [], words: visible(text), evidence: [], text };
  try {
    const { at_ms, finding, number: own } = JSON.parse(text);
    if (own !== number) return empty;
    const common = { ...empty, words: "", time: (seconds(at_ms) ?? NaN) / 1_000, operation: hash(finding.operation), account: index(finding.account), until: seconds(finding.until) };
    if (/^(un)?frozen$/.test(finding.event) && common.account === null) return empty;
    switch (finding.event) {
      case "verdict": {
        const { decision, reasons } = finding.verdict;
        const kind = { quarantine: "hold", reject: "refuse", allow: "alert" }[/** @type {string} */ (decision.decision)] ?? "unreadable";
        return { ...common, kind, until: seconds(decision.until), reasons: reasons.map(reasonFrom) };
      }
      case "released":
        return { ...common, kind: "released", words: visible(finding.by) };
      case "frozen":
        return { ...common, kind: "frozen", evidence: finding.evidence.flatMap((/** @type {unknown} */ x) => hash(x) ?? []) };
      case "unfrozen":
        return { ...common, kind: "unfrozen", words: visible(finding.reason) };
      case "rules":
        return { ...common, kind: "rules", words: `version ${visible(finding.version)}: ${visible(finding.reason)}` };
      case "note": {
        const words = visible(finding.text);
        const [, account] = /\baccount ([0-9]{1,10})\b/.exec(words) ?? [];
        const [, operation] = /\boperation ([0-9a-f]{64})\b/.exec(words) ?? [];
        return { ...common, kind: "note", words: `${visible(finding.subject)}: ${words}`, account: account ? index(Number(account)) : null, operation: hash(operation) };
      }
      default:
        return empty;
    }
  } catch {
    return empty;
  }
}

/**
 * An operation that is held back, if the node's answer can be read; `bytes` for the operator alone.
 * @param {any} held
 * @returns {[string, Held][]}
 */
export function heldFrom(held) {
  const [operation, account, until] = [hash(String(held?.operation).slice(2)), index(held?.account), seconds(held?.until)];
  if (operation === null || account === null || until === null || !Array.isArray(held.reasons)) return [];
  const bytes = typeof held.bytes === "string" ? held.bytes : null;
  return [[operation, { operation, account, until, reasons: held.reasons.map(reasonFrom), bytes }]];
}
