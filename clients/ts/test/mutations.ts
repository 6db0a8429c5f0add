/**
 * A list of changed proofs that this verifier, `audit` and the contract all judge:
 * `verifier-contract/tests/support/mutations.rs` makes the same one.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, equal, fromInteger, toInteger } from "../src/bytes.js";
import { MODULUS } from "../src/field.js";
import { BASE_MODULUS } from "../src/verifier/sums.js";

/** Public inputs as words of 32 bytes, canonical or not, and proof bytes. */
export interface Call {
  instances: Uint8Array;
  proof: Uint8Array;
}

/** Where points and scalars stand in the proof. */
export interface Layout {
  /** Points before the evaluations. */
  points: number;
  evaluations: number;
}

const WORD = 32;
const POINT = 64;

/** Numbers that both sides draw. */
class Draws {
  #count = 0;
  #next(): Uint8Array {
    const label = new TextEncoder().encode("bastion.mutations.v1");
    return keccak_256(concat(label, fromInteger("draw", this.#count++, 4)));
  }
  below(limit: number): number {
    return Number(toInteger(this.#next().subarray(0, 8)) % BigInt(limit));
  }
  bytes(): Uint8Array {
    return this.#next();
  }
}

const word = (bytes: Uint8Array, at: number) => bytes.slice(at, at + WORD);
const integer = (bytes: Uint8Array, at: number) => toInteger(word(bytes, at));
const encoded = (x: bigint) => fromInteger("word", x, WORD);

/** The calls: the honest one first, then each change that is one. */
export function calls(honest: Call, { points, evaluations }: Layout): (() => Call)[] {
  const draws = new Draws();
  const whole = concat(honest.instances, honest.proof);
  const start = honest.instances.length;
  const list: (() => Call)[] = [() => honest];
  /** Writes bytes over instances and proof as one. */
  const write = (...patches: [number, Uint8Array][]) => {
    const changes = patches.some(([at, bytes]) => !equal(whole.subarray(at, at + bytes.length), bytes));
    if (!changes) return;
    list.push(() => {
      const changed = whole.slice();
      for (const [at, bytes] of patches) changed.set(bytes, at);
      return { instances: changed.slice(0, start), proof: changed.slice(start) };
    });
  };
  const swap = (a: number, b: number, size: number) =>
    write([a, whole.slice(b, b + size)], [b, whole.slice(a, a + size)]);

  const afterScalars = start + POINT * points + WORD * evaluations;
  const pointsAt = [
    ...Array.from({ length: points }, (_, i) => start + POINT * i),
    afterScalars,
    afterScalars + POINT,
  ];
  const instancesAt = Array.from({ length: start / WORD }, (_, i) => WORD * i);
  const evaluationsAt = Array.from({ length: evaluations }, (_, i) => start + POINT * points + WORD * i);
  const scalarsAt = [...instancesAt, ...evaluationsAt];

  for (let i = 0; i < 2 * whole.length; i++) {
    const at = i % whole.length;
    write([at, Uint8Array.of((whole[at] ?? 0) ^ (1 << draws.below(8)))]);
  }
  for (let i = 0; i < 600; i++) swap(WORD * draws.below(whole.length / WORD), WORD * draws.below(whole.length / WORD), WORD);
  for (let i = 0; i < 300; i++) swap(pointsAt[draws.below(pointsAt.length)] ?? 0, pointsAt[draws.below(pointsAt.length)] ?? 0, POINT);
  for (let i = 0; i < 600; i++) {
    const at = scalarsAt[draws.below(scalarsAt.length)] ?? 0;
    write([at, encoded(toInteger(draws.bytes()) % MODULUS)]);
  }
  for (const at of scalarsAt) write([at, encoded(integer(whole, at) + MODULUS)]);
  for (const at of scalarsAt) write([at, encoded((integer(whole, at) + 1n) % MODULUS)]);
  for (const at of instancesAt) write([at, encoded(0n)]);
  for (const at of pointsAt) {
    for (const coordinate of [at, at + WORD]) write([coordinate, encoded(integer(whole, coordinate) + BASE_MODULUS)]);
    write([at + WORD, encoded(BASE_MODULUS - integer(whole, at + WORD))]);
    write([at, new Uint8Array(POINT)]);
    write([at, concat(encoded(1n), encoded(2n))]);
  }
  // The accumulator's points, W and W' exchanged; parts in another order.
  swap(0, 6 * WORD, 6 * WORD);
  swap(afterScalars, afterScalars + POINT, POINT);
  const reversed = (places: readonly number[], size: number) => {
    const other = places.toReversed();
    write(...places.map((at, i): [number, Uint8Array] => [at, whole.slice(other[i] ?? 0, (other[i] ?? 0) + size)]));
  };
  reversed(evaluationsAt, WORD);
  reversed(instancesAt, WORD);
  reversed(pointsAt, POINT);

  const { instances, proof } = honest;
  for (let i = 0; i < 200; i++) {
    const length = draws.below(proof.length);
    list.push(() => ({ instances, proof: proof.slice(0, length) }));
  }
  for (let i = 0; i < 200; i++) {
    const more = draws.bytes().slice(0, 1 + draws.below(WORD));
    list.push(() => ({ instances, proof: concat(proof, more) }));
  }
  list.push(() => ({ instances, proof: concat(proof, new Uint8Array(WORD)) }));
  list.push(() => ({ instances, proof: new Uint8Array(proof.length) }));
  list.push(() => ({ instances: instances.slice(WORD), proof }));
  list.push(() => ({ instances: concat(instances, new Uint8Array(WORD)), proof }));
  list.push(() => ({ instances: new Uint8Array(), proof }));
  return list;
}

/** One hash over all calls: the same list gives the same. */
export function digest(list: readonly (() => Call)[]): Uint8Array {
  const hashes = list.map((make) => {
    const { instances, proof } = make();
    return keccak_256(concat(fromInteger("length", instances.length, 4), instances, fromInteger("length", proof.length, 4), proof));
  });
  return keccak_256(concat(...hashes));
}
