/** The Grain generator of Poseidon2's round constants (protocol, section 1). */
import { MODULUS, type Element } from "./field.js";

const FIELD_BITS = 254;
const STATE_BITS = 80;

/** Bits of the register, one after the other, from its 81st on. */
function* outputs(width: number, fullRounds: number, partialRounds: number): Generator<number> {
  const fields = [[1, 2], [0, 4], [FIELD_BITS, 12], [width, 12], [fullRounds, 10], [partialRounds, 10]];
  const seed = fields.map(([value = 0, bits = 0]) => value.toString(2).padStart(bits, "0")).join("");
  const state = [...seed.padEnd(STATE_BITS, "1")].map(Number);
  for (;;) {
    const bit = [62, 51, 38, 23, 13, 0].reduce((sum, tap) => sum ^ (state[tap] ?? 0), 0);
    state.shift();
    state.push(bit);
    yield bit;
  }
}

/** Draws integers of 254 bits for a permutation of the given width and numbers of rounds, without end. */
export function* integers(width: number, fullRounds: number, partialRounds: number): Generator<bigint> {
  const bits = outputs(width, fullRounds, partialRounds);
  const clock = (): number => {
    const { value } = bits.next();
    return value as number;
  };
  for (let i = 0; i < 160; i++) clock();
  // Bits come in pairs; the second counts if the first is one.
  const bit = (): number => {
    while (clock() === 0) clock();
    return clock();
  };
  for (;;) {
    let integer = 0n;
    for (let i = 0; i < FIELD_BITS; i++) integer = (integer << 1n) | BigInt(bit());
    yield integer;
  }
}

/** Those of them that are below the modulus. */
export function* elements(width: number, fullRounds: number, partialRounds: number): Generator<Element> {
  for (const integer of integers(width, fullRounds, partialRounds)) {
    if (integer < MODULUS) yield integer;
  }
}
