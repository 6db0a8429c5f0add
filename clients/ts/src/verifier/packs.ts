/** The opening argument of block proofs: packs of polynomials (protocol, section 9.4). */
import { MODULUS, type Element } from "../field.js";
import type { Document, Pack } from "./document.js";
import { weights } from "./openings.js";
import type { Point } from "./points.js";
import type { Parts } from "./proof.js";
import { inverses, minus, power, times } from "./scalars.js";
import { sumOf } from "./sums.js";

/**
 * The points `left` and `right`: the proof holds if `e(left, g2) = e(right, s_g2)`.
 * @throws Refused if a denominator is zero.
 */
export function packPoints(
  document: Document, { stride, packs }: { stride: number; packs: readonly Pack[] }, parts: Parts, quotient: Element,
): { left: Point | null; right: Point } {
  const { z, zPrime, gamma, evaluations } = parts;
  const y = power(zPrime, stride);
  const prepared = packs.map(({ rotations }) => weights(rotations.map((j) => times(z, power(document.omega, j))), y));
  const inverted = inverses([...prepared.map(({ vanishing }) => vanishing), minus(zPrime, z)]);
  const first = prepared[0]?.vanishing as Element;
  const commitments = [...document.fixed, ...parts.commitments, ...parts.pieces];

  let at = 0;
  // The values at a rotation are the coefficients of a remainder, the lowest first.
  const remainderOf = (places: number): Element => {
    const values = evaluations.slice(at, at + places);
    at += places;
    return values.reduceRight((sum, value) => (sum * zPrime + value) % MODULUS, 0n);
  };
  const remainders = packs.map(({ polynomials }, t) =>
    (prepared[t]?.basis as Element[]).reduce((sum, weight) => (sum + weight * remainderOf(polynomials)) % MODULUS, 0n),
  );
  let constant = 0n;
  let ofPack = 1n;
  const sum: [Point, Element][] = [];
  [...remainders, quotient].forEach((remainder, t) => {
    const factor = times(ofPack, first, inverted[t] as Element);
    constant = (constant + factor * remainder) % MODULUS;
    sum.push([commitments[t] as Point, factor]);
    ofPack = times(ofPack, gamma);
  });
  sum.push([document.g1, minus(0n, constant)], [parts.w, minus(0n, first)], [parts.wPrime, zPrime]);
  return { left: sumOf(sum), right: parts.wPrime };
}
