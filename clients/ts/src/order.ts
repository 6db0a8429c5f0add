/** The order of operations, and proofs that one has its place in a block (protocol, section 6.3). */
import { toInteger, type Hex } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { elementFromBytes, elementFromHex, elementToHex, type Element } from "./field.js";
import { compress } from "./hash.js";

/** Widths in bytes of the words of a record, by the record's length: L1, L2, exit, owner. */
const WORDS: Readonly<Record<number, readonly number[]>> = { 75: [23, 32, 20], 15: [15], 47: [27, 20], 52: [32, 20] };

/**
 * The leaf of an operation, from the records that are posted for it: its L1 or L2 record, then its owner
 * record, then its exit record.
 * @throws ProtocolError if there is none, or something is no record.
 */
export function orderLeaf(records: readonly Uint8Array[]): Element {
  const words = records.flatMap((record) => {
    const widths = WORDS[record.length];
    if (!widths) throw new ProtocolError("record", `no record has ${record.length} bytes`);
    let at = 0;
    return widths.map((width) => {
      const bytes = record.subarray(at, (at += width));
      return width === 32 ? elementFromBytes("posted word", bytes) : toInteger(bytes);
    });
  });
  if (words.length === 0) throw new ProtocolError("records", "an operation without records has no leaf");
  return words.reduce(compress);
}

/** What the chain takes of a batch: its root (null if it has no operation) and its word of counts. */
export interface BatchOrder {
  root: Hex | null;
  counts: Hex;
}

/** A proof that an operation has its place, as `bastion proof inclusion --json` writes it. */
export interface InclusionProof {
  /** Number of the block. */
  block: number;
  /** The block's sixteen public inputs. */
  inputs: Hex[];
  /** The batches before its own. */
  earlier: BatchOrder[];
  /** Batch of the block, from 0. */
  batch: number;
  /** The batch's word of counts. */
  counts: Hex;
  /** Position in the batch, from 0. */
  position: number;
  /** The operation's leaf. */
  leaf: Hex;
  /** Siblings on the way to the batch's root, the lowest first. */
  siblings: Hex[];
  /** The batches behind it. */
  later: BatchOrder[];
}

const OUTPUT = 3;

function operationsOf(counts: Element): bigint {
  if (counts >= 1n << 80n) throw new ProtocolError("counts", "no word of counts: it is not below 2^80");
  return counts >> 64n;
}

function next(c: Element, root: Element | undefined, counts: Element): Element {
  return compress(root === undefined ? c : compress(c, root), counts);
}

/**
 * Checks that the leaf is at its place under the `c_out` of the public inputs, and gives the leaf. It
 * remains to check, with L1, that these are the block's inputs.
 * @throws ProtocolError that says what does not fit.
 */
export function checkInclusionProof(proof: InclusionProof): Element {
  const what = "proof of inclusion";
  const wrong = (why: string): never => {
    throw new ProtocolError(what, why);
  };
  for (const x of [proof.block, proof.batch, proof.position]) {
    if (!Number.isSafeInteger(x) || x < 0) wrong(`${x} is no number of a place`);
  }
  if (proof.inputs.length !== 16) wrong(`${proof.inputs.length} public inputs, not 16`);
  const inputs = proof.inputs.map((x) => elementFromHex("public input", x));
  const counts = elementFromHex("counts", proof.counts);
  const operations = operationsOf(counts);
  const position = BigInt(proof.position);
  if (position >= operations) wrong(`position ${position}: the batch has ${operations} operations`);
  if (proof.earlier.length !== proof.batch) wrong(`${proof.earlier.length} batches are shown before batch ${proof.batch}`);
  const leaf = elementFromHex("leaf", proof.leaf);
  let place = operations + position;
  const depth = place.toString(2).length - 1;
  if (proof.siblings.length !== depth) wrong(`${proof.siblings.length} siblings, but the leaf is at depth ${depth}`);
  let node = leaf;
  for (const text of proof.siblings) {
    const sibling = elementFromHex("sibling", text);
    node = place & 1n ? compress(sibling, node) : compress(node, sibling);
    place >>= 1n;
  }
  const over = (start: Element, batches: BatchOrder[]): Element => {
    let c = start;
    for (const batch of batches) {
      const word = elementFromHex("counts", batch.counts);
      const root = batch.root === null ? undefined : elementFromHex("root", batch.root);
      if ((operationsOf(word) === 0n) !== (root === undefined)) {
        wrong("another batch has a root if and only if it has an operation");
      }
      c = next(c, root, word);
    }
    return c;
  };
  const c = over(next(over(0n, proof.earlier), node, counts), proof.later);
  const claimed = inputs[OUTPUT] as Element;
  if (c !== claimed) wrong(`leads to ${elementToHex(c)} and not to the block's c_out, ${elementToHex(claimed)}`);
  return leaf;
}
