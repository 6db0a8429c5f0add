/** The constraints of a circuit at `z`, and the quotient's value that follows (protocol, section 9.4). */
import { MODULUS, type Element } from "../field.js";
import type { Document, Step } from "./document.js";
import { isInstance } from "./document-checks.js";
import type { Parts } from "./proof.js";
import { inverses, minus, power, times } from "./scalars.js";

/** Values of the polynomials that are 1 at one row and 0 at the others, for these rows. */
function lagrange({ k, omega }: Document, z: Element, rows: ReadonlySet<number>): Map<number, Element> {
  const n = 2n ** BigInt(k);
  const numbers = [...rows];
  const powers = numbers.map((row) => power(omega, row));
  const [ofN, ...denominators] = inverses([n, ...powers.map((x) => minus(z, x))]);
  const common = times(minus(power(z, n), 1n), ofN as Element);
  return new Map(numbers.map((row, i) => [row, times(common, powers[i] as Element, denominators[i] as Element)]));
}

/**
 * The value that the quotient must have at `z`.
 * @throws Refused if a denominator is zero.
 */
export function quotientAt(document: Document, instances: readonly (readonly Element[])[], parts: Parts): Element {
  const { nodes, fixedPolynomials, evaluations } = document;
  const { z, challenges } = parts;
  const evaluated = new Map(evaluations.map(({ polynomial, rotation }, i) => [`${polynomial}@${rotation}`, parts.evaluations[i]]));
  const columnOf = (polynomial: number) => instances[polynomial - fixedPolynomials] ?? [];

  const rows = new Set<number>();
  for (const step of nodes) {
    if (step.kind === "lagrange") rows.add(step.row);
    if (step.kind !== "polynomial" || !isInstance(document, step.polynomial)) continue;
    columnOf(step.polynomial).forEach((_, row) => rows.add(row - step.rotation));
  }
  const bases = lagrange(document, z, rows);
  const base = (row: number) => bases.get(row) as Element;

  const values: Element[] = [];
  const value = (step: number) => values[step] as Element;
  const valueOf = (step: Step): Element => {
    switch (step.kind) {
      case "constant":
        return step.value;
      case "z":
        return z;
      case "lagrange":
        return base(step.row);
      case "challenge":
        return challenges[step.index] as Element;
      case "polynomial": {
        const { polynomial, rotation } = step;
        if (!isInstance(document, polynomial)) return evaluated.get(`${polynomial}@${rotation}`) as Element;
        return columnOf(polynomial).reduce((sum, x, row) => (sum + x * base(row - rotation)) % MODULUS, 0n);
      }
      case "negated":
        return minus(0n, value(step.of));
      case "sum":
        return (value(step.left) + value(step.right)) % MODULUS;
      case "product":
        return times(value(step.left), value(step.right));
    }
  };
  for (const step of nodes) values.push(valueOf(step));

  const combiner = challenges[document.combiner] as Element;
  const combined = document.constraints.reduce((sum, step) => (sum * combiner + value(step)) % MODULUS, 0n);
  const [divisor] = inverses([minus(power(z, 2n ** BigInt(document.k)), 1n)]);
  return times(combined, divisor as Element);
}
