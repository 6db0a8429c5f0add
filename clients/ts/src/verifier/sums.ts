/**
 * Sums of multiples of points, by buckets. Of the verifier's time it would be the largest part with complete
 * formulas: these are the incomplete ones, with their exceptions looked for.
 */
import { invert } from "@noble/curves/abstract/modular.js";
import type { Element } from "../field.js";

/** Order of the base field of BN254. */
export const BASE_MODULUS = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n;
const q = BASE_MODULUS;

/** Affine coordinates, not of the identity. */
export interface Affine {
  x: bigint;
  y: bigint;
}
/** Jacobian coordinates `(x / z^2, y / z^3)`; the identity has `z = 0`. They may be negative. */
interface Jacobian {
  x: bigint;
  y: bigint;
  z: bigint;
}

const IDENTITY: Jacobian = { x: 1n, y: 1n, z: 0n };
/** Bits of a digit: digits are from `-2^(WIDTH - 1)` to `2^(WIDTH - 1)`. */
const WIDTH = 5;
const HALF = 2 ** (WIDTH - 1);
const DIGITS = Math.ceil(255 / WIDTH) + 1;

/** Twice a point (dbl-2009-l). */
function doubled({ x, y, z }: Jacobian): Jacobian {
  const a = (x * x) % q;
  const b = (y * y) % q;
  const c = (b * b) % q;
  const d = 4n * ((x * b) % q);
  const e = 3n * a;
  const x3 = (e * e - 2n * d) % q;
  return { x: x3, y: (e * (d - x3) - 8n * c) % q, z: (2n * y * z) % q };
}

/** The sum of points (add-1998-cmo-2). */
function added(a: Jacobian, b: Jacobian): Jacobian {
  if (a.z === 0n) return b;
  if (b.z === 0n) return a;
  const aa = (a.z * a.z) % q;
  const bb = b.z === 1n ? 1n : (b.z * b.z) % q;
  const u = b.z === 1n ? a.x : (a.x * bb) % q;
  const s = b.z === 1n ? a.y : (((a.y * b.z) % q) * bb) % q;
  const h = (b.x * aa - u) % q;
  const r = (((b.y * a.z) % q) * aa - s) % q;
  // The same x: the same point, or one and its negative.
  if (h === 0n) return r === 0n ? doubled(a) : IDENTITY;
  const hh = (h * h) % q;
  const hhh = (h * hh) % q;
  const v = (u * hh) % q;
  const x3 = (r * r - hhh - 2n * v) % q;
  return { x: x3, y: (r * (v - x3) - s * hhh) % q, z: (h * ((a.z * b.z) % q)) % q };
}

/** The digits of a factor, lowest first. */
function digits(factor: Element): Int8Array {
  const result = new Int8Array(DIGITS);
  let carry = 0;
  for (let i = 0; i < DIGITS; i++, factor >>= BigInt(WIDTH)) {
    const digit = Number(factor & BigInt(2 * HALF - 1)) + carry;
    carry = digit > HALF ? 1 : 0;
    result[i] = digit - carry * 2 * HALF;
  }
  return result;
}

/** The sum of all points times their factors, in affine coordinates; `null` for the identity. */
export function sumOf(terms: readonly (readonly [Affine, Element])[]): Affine | null {
  const used = terms.map(([{ x, y }, factor]) => ({ plus: { x, y, z: 1n }, minus: { x, y: q - y, z: 1n }, digits: digits(factor) }));
  let sum = IDENTITY;
  for (let place = DIGITS - 1; place >= 0; place--) {
    for (let bit = 0; bit < WIDTH; bit++) sum = doubled(sum);
    const buckets = new Array<Jacobian>(HALF).fill(IDENTITY);
    for (const { plus, minus, digits } of used) {
      const digit = digits[place] as number;
      const at = Math.abs(digit) - 1;
      if (digit !== 0) buckets[at] = added(buckets[at] as Jacobian, digit > 0 ? plus : minus);
    }
    let rest = IDENTITY;
    let total = IDENTITY;
    for (let at = HALF - 1; at >= 0; at--) {
      rest = added(rest, buckets[at] as Jacobian);
      total = added(total, rest);
    }
    sum = added(sum, total);
  }
  if (sum.z % q === 0n) return null;
  const inverted = invert(((sum.z % q) + q) % q, q);
  const square = (inverted * inverted) % q;
  const positive = (x: bigint) => ((x % q) + q) % q;
  return { x: positive(sum.x * square), y: positive(sum.y * ((square * inverted) % q)) };
}
