/** The opening argument of batch proofs, SHPLONK: two points whose pairing equation decides (protocol, section 9.4). */
import { MODULUS, type Element } from "../field.js";
import type { Document, Query } from "./document.js";
import { firstCommitment, quotientNumber } from "./document-checks.js";
import type { Point } from "./points.js";
import type { Parts } from "./proof.js";
import { inverses, minus, power, times } from "./scalars.js";
import { sumOf } from "./sums.js";

/** Polynomials that are opened at the same rotations. */
export interface OpeningSet {
  rotations: readonly number[];
  polynomials: readonly number[];
}

/** The sets of a document, and the polynomials in them, by first appearance. */
export function openingSets(openings: readonly Query[]): OpeningSet[] {
  const rotationsOf = new Map<number, number[]>();
  for (const { polynomial, rotation } of openings) {
    const rotations = rotationsOf.get(polynomial);
    if (rotations === undefined) rotationsOf.set(polynomial, [rotation]);
    else rotations.push(rotation);
  }
  const sets = new Map<string, { rotations: number[]; polynomials: number[] }>();
  for (const [polynomial, rotations] of rotationsOf) {
    rotations.sort((a, b) => a - b);
    const set = sets.get(rotations.join());
    if (set === undefined) sets.set(rotations.join(), { rotations, polynomials: [polynomial] });
    else set.polynomials.push(polynomial);
  }
  return [...sets.values()];
}

/** What the openings need of a set: `Z_s`, and the weight of each value in the interpolation at `z'`. */
export function weights(points: readonly Element[], zPrime: Element): { vanishing: Element; basis: Element[] } {
  const differences = points.map((x) => minus(zPrime, x));
  const vanishing = times(...differences);
  const denominators = points.map((x, j) =>
    times(differences[j] as Element, ...points.filter((_, other) => other !== j).map((y) => minus(x, y))),
  );
  return { vanishing, basis: inverses(denominators).map((inverted) => times(vanishing, inverted)) };
}

/**
 * The points `left` and `right`: the proof holds if `e(left, g2) = e(right, s_g2)`.
 * @throws Refused if a denominator is zero.
 */
export function openingPoints(document: Document, sets: readonly OpeningSet[], parts: Parts, quotient: Element): { left: Point | null; right: Point } {
  const { z, zPrime, mu, gamma } = parts;
  const values = new Map(document.evaluations.map(({ polynomial, rotation }, i) => [`${polynomial}@${rotation}`, parts.evaluations[i] as Element]));
  values.set(`${quotientNumber(document)}@0`, quotient);

  const prepared = sets.map(({ rotations }) => weights(rotations.map((j) => times(z, power(document.omega, j))), zPrime));
  const inverted = inverses(prepared.map(({ vanishing }) => vanishing));
  const first = prepared[0]?.vanishing as Element;
  const factors = new Map<number, Element>();
  let constant = 0n;
  let ofSet = 1n;
  sets.forEach(({ rotations, polynomials }, s) => {
    let factor = times(ofSet, first, inverted[s] as Element);
    for (const polynomial of polynomials) {
      const interpolated = rotations.reduce(
        (sum, rotation, j) => sum + (values.get(`${polynomial}@${rotation}`) as Element) * (prepared[s]?.basis[j] as Element),
        0n,
      );
      factors.set(polynomial, factor);
      constant = (constant + factor * (interpolated % MODULUS)) % MODULUS;
      factor = times(factor, mu);
    }
    ofSet = times(ofSet, gamma);
  });
  return { left: sumOf(terms(document, parts, factors, first, constant)), right: parts.wPrime };
}

/** The sum behind `left`: commitments with their factors, the quotient in its pieces. */
function terms(
  document: Document, parts: Parts, factors: ReadonlyMap<number, Element>, first: Element, constant: Element,
): [Point, Element][] {
  const sum: [Point, Element][] = [[document.g1, minus(0n, constant)], [parts.w, minus(0n, first)], [parts.wPrime, parts.zPrime]];
  const [commitments, quotient] = [firstCommitment(document), quotientNumber(document)];
  for (const [polynomial, factor] of factors) {
    if (polynomial === quotient) {
      const step = power(parts.z, 2n ** BigInt(document.k));
      parts.pieces.forEach((piece, i) => sum.push([piece, times(factor, power(step, i))]));
    } else {
      const known = polynomial < document.fixed.length;
      const point = known ? document.fixed[polynomial] : parts.commitments[polynomial - commitments];
      sum.push([point as Point, factor]);
    }
  }
  return sum;
}
