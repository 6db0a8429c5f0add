/** Poseidon2 over the scalar field of BN254, width 2, and the two hashes made of it (protocol, section 1). */
import { MODULUS, type Element } from "./field.js";
import { elements } from "./grain.js";

const FULL_ROUNDS = 8;
const PARTIAL_ROUNDS = 56;

/** Tag of signature challenges. */
export const TAG_SIG = 1n;
/** Tag of operation messages. */
export const TAG_MSG = 2n;

type State = [Element, Element];

/** Round constants in the order of use: pairs of the full rounds, one of each partial round. */
export interface RoundConstants {
  external: State[];
  internal: Element[];
}

let constants: RoundConstants | undefined;

/** The constants, generated once. */
export function roundConstants(): RoundConstants {
  if (constants === undefined) {
    const drawn = elements(2, FULL_ROUNDS, PARTIAL_ROUNDS);
    const next = (): Element => {
      const { value } = drawn.next();
      return value as Element;
    };
    const full = (): State[] => Array.from({ length: FULL_ROUNDS / 2 }, () => [next(), next()]);
    const first = full();
    const internal = Array.from({ length: PARTIAL_ROUNDS }, next);
    constants = { external: [...first, ...full()], internal };
  }
  return constants;
}

function fifth(x: Element): Element {
  const square = (x * x) % MODULUS;
  return (((square * square) % MODULUS) * x) % MODULUS;
}

/** The permutation. */
export function permute([a, b]: Readonly<State>): State {
  const { external, internal } = roundConstants();
  let x = (2n * a + b) % MODULUS;
  let y = (a + 2n * b) % MODULUS;
  const fullRounds = (rounds: State[]) => {
    for (const [c, d] of rounds) {
      const u = fifth(x + c);
      const v = fifth(y + d);
      x = (2n * u + v) % MODULUS;
      y = (u + 2n * v) % MODULUS;
    }
  };
  fullRounds(external.slice(0, FULL_ROUNDS / 2));
  for (const c of internal) {
    const u = fifth(x + c);
    x = (2n * u + y) % MODULUS;
    y = (u + 3n * y) % MODULUS;
  }
  fullRounds(external.slice(FULL_ROUNDS / 2));
  return [x, y];
}

/** Two elements to one: `P(a, b)[0] + a`. */
export function compress(a: Element, b: Element): Element {
  return (permute([a, b])[0] + a) % MODULUS;
}

/** Hash of a list: starts with `compress(tag, length)`, then takes each element. */
export function chain(tag: bigint, xs: readonly Element[]): Element {
  return xs.reduce(compress, compress(tag, BigInt(xs.length)));
}
