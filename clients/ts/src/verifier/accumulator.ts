/** The accumulator of a block proof: what remains to be checked of its batch proofs (protocol, sections 9.1 and 9.4). */
import type { Element } from "../field.js";
import type { Document } from "./document.js";
import { pointFrom, requirePairing, type Point } from "./points.js";
import { Refused } from "./refused.js";

/** Bits of the words of a coordinate, lowest first. */
const BITS = [88n, 88n, 80n] as const;

function coordinate(words: readonly Element[]): bigint {
  let shift = 0n;
  return BITS.reduce((sum, bits, i) => {
    const word = words[i] as Element;
    if (word >> bits !== 0n) throw new Refused("accumulator", `a word of the accumulator has more than ${bits} bits`);
    const next = sum + (word << shift);
    shift += bits;
    return next;
  }, 0n);
}

/** The two points behind the twelve words. */
function points(words: readonly Element[]): [Point, Point] {
  const [a, b, c, d] = [0, 3, 6, 9].map((at) => coordinate(words.slice(at, at + 3))) as [bigint, bigint, bigint, bigint];
  try {
    return [pointFrom("the first point of the accumulator", a, b), pointFrom("the second point of the accumulator", c, d)];
  } catch (error) {
    if (error instanceof Refused) throw new Refused("accumulator", error.message);
    throw error;
  }
}

/**
 * Checks the accumulator among the public inputs, if the circuit has one.
 * @throws Refused if its words are no two points, or these do not satisfy its equation.
 */
export function requireAccumulator(document: Document, instances: readonly (readonly Element[])[]): void {
  if (document.accumulator === null) return;
  const words = document.accumulator.map(([column, row]) => instances[column]?.[row] as Element);
  const [first, second] = points(words);
  requirePairing("accumulator", first, document.g2, second, document.sG2);
}
