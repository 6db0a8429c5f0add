/** The scalar field, as far as the verifier needs it. */
import { invert } from "@noble/curves/abstract/modular.js";
import { MODULUS, reduce, type Element } from "../field.js";
import { Refused } from "./refused.js";

/** `base^exponent`; a negative exponent inverts. */
export function power(base: Element, exponent: bigint | number): Element {
  let rest = BigInt(exponent);
  if (rest < 0n) return power(inverse(base), -rest);
  let result = 1n;
  for (let square = base; rest > 0n; rest >>= 1n, square = (square * square) % MODULUS) {
    if (rest & 1n) result = (result * square) % MODULUS;
  }
  return result;
}

/** Inverses of all of them, for the price of one. Refuses zeros: a challenge made them. */
export function inverses(elements: readonly Element[]): Element[] {
  let product = 1n;
  const before = elements.map((x) => {
    const value = product;
    product = (product * x) % MODULUS;
    return value;
  });
  if (product === 0n) throw new Refused("challenge", "a challenge makes a denominator zero");
  let rest = invert(product, MODULUS);
  const result = new Array<Element>(elements.length);
  for (let i = elements.length - 1; i >= 0; i--) {
    result[i] = (rest * (before[i] ?? 1n)) % MODULUS;
    rest = (rest * (elements[i] ?? 1n)) % MODULUS;
  }
  return result;
}

/** Refuses zero: a challenge made it. */
export function inverse(element: Element): Element {
  return inverses([element])[0] as Element;
}

/** Product modulo `p`. */
export function times(...factors: readonly Element[]): Element {
  return factors.reduce((product, x) => (product * x) % MODULUS, 1n);
}

/** `a - b` modulo `p`. */
export function minus(a: Element, b: Element): Element {
  return reduce(a - b);
}
