import assert from "node:assert/strict";
import { test } from "node:test";
import { bn254 } from "@noble/curves/bn254.js";
import { pippenger } from "@noble/curves/abstract/curve.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { fromInteger, toInteger } from "../src/bytes.js";
import { MODULUS } from "../src/field.js";
import { BASE_MODULUS, sumOf, type Affine } from "../src/verifier/sums.js";

const { Point } = bn254.G1;
const { Fp } = bn254.fields;
const element = (i: number) => toInteger(keccak_256(fromInteger("i", i, 4))) % MODULUS;
const point = (i: number): Affine => Point.BASE.multiplyUnsafe(element(i) || 1n).toAffine();

function expected(terms: readonly (readonly [Affine, bigint])[]): Affine | null {
  const sum = pippenger(Point, terms.map(([p]) => Point.fromAffine(p)), terms.map(([, factor]) => factor));
  return sum.is0() ? null : sum.toAffine();
}

test("the modulus is that of the curve", () => assert.equal(BASE_MODULUS, Fp.ORDER));

test("sums are those of the library", () => {
  for (let round = 0; round < 8; round++) {
    const terms = Array.from({ length: 3 * round }, (_, i) => [point(100 * round + i), element(7_000 + 100 * round + i)] as const);
    assert.deepEqual(sumOf(terms), expected(terms), `${round}`);
  }
});

test("equal points, negatives and edges of factors are no exception", () => {
  const [a, b] = [point(1), point(2)];
  const minus = { x: a.x, y: BASE_MODULUS - a.y };
  const half = (MODULUS + 1n) / 2n;
  for (const terms of [
    [], [[a, 0n]], [[a, 1n]], [[a, 1n], [a, 1n]], [[a, 1n], [minus, 1n]], [[a, 5n], [minus, 5n], [b, 1n]], [[a, MODULUS - 1n], [a, 1n]],
    [[a, MODULUS - 1n]], [[a, half], [a, half]], [[a, 16n]], [[a, 17n]], [[a, 31n], [a, 32n], [b, 2n ** 253n]], [[a, 1n], [a, 1n], [minus, 2n]],
    [[a, 3n], [b, 3n], [a, 3n], [b, 3n], [minus, 6n], [b, MODULUS - 6n]], Array.from({ length: 40 }, () => [a, 15n] as const),
  ] as (readonly [Affine, bigint])[][]) {
    assert.deepEqual(sumOf(terms), expected(terms), terms.map(([, factor]) => factor).join());
  }
});
