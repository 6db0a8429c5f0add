/** The transcript of batch proofs: Poseidon with width 3 and rate 2 (protocol, section 9.3). */
import { toInteger } from "../bytes.js";
import { MODULUS, type Element } from "../field.js";
import { integers } from "../grain.js";
import { baseRoot, pointFrom, type Point } from "./points.js";
import { Refused } from "./refused.js";
import { inverse } from "./scalars.js";
import { BASE_MODULUS } from "./sums.js";
import { Bytes, scalarFrom, type Sizes, type Transcript } from "./transcript.js";

const WIDTH = 3;
const FULL_ROUNDS = 8;
const PARTIAL_ROUNDS = 57;

type Lanes = [Element, Element, Element];
interface Constants {
  rounds: Lanes[];
  matrix: Lanes[];
}
let constants: Constants | undefined;

function made(): Constants {
  const drawn = integers(WIDTH, FULL_ROUNDS, PARTIAL_ROUNDS);
  const next = (): bigint => drawn.next().value as bigint;
  const below = (): Element => {
    for (;;) {
      const integer = next();
      if (integer < MODULUS) return integer;
    }
  };
  const rounds = Array.from({ length: FULL_ROUNDS + PARTIAL_ROUNDS }, (): Lanes => [below(), below(), below()]);
  const [a, b] = [0, 1].map(() => [next(), next(), next()].map((integer) => integer % MODULUS)) as [Lanes, Lanes];
  const matrix = a.map((x) => b.map((y) => inverse((x + y) % MODULUS)) as Lanes);
  return { rounds, matrix };
}

function fifth(x: Element): Element {
  const square = (x * x) % MODULUS;
  return (((square * square) % MODULUS) * x) % MODULUS;
}

/** The permutation. */
function permute(state: Lanes): Lanes {
  const { rounds, matrix } = (constants ??= made());
  let [x, y, z] = state;
  rounds.forEach(([a, b, c], round) => {
    const full = round < FULL_ROUNDS / 2 || round >= FULL_ROUNDS / 2 + PARTIAL_ROUNDS;
    const u = fifth(x + a);
    const v = full ? fifth(y + b) : y + b;
    const w = full ? fifth(z + c) : z + c;
    [x, y, z] = matrix.map(([d, e, f]) => (d * u + e * v + f * w) % MODULUS) as Lanes;
  });
  return [x, y, z];
}

const PARITY = 1n << 254n;

/** For recursion: points compressed, everything little-endian. */
export class PoseidonTranscript implements Transcript {
  static readonly SIZES: Sizes = { point: 32, scalar: 32 };
  #state: Lanes = [1n << 64n, 0n, 0n];
  #absorbed: Element[] = [];
  readonly #bytes: Bytes;

  constructor(proof: Uint8Array) {
    this.#bytes = new Bytes(proof);
  }

  #word(): bigint {
    return toInteger(Uint8Array.from(this.#bytes.take(32)).reverse());
  }

  absorb(element: Element): void {
    this.#absorbed.push(element);
  }

  readScalar(): Element {
    const element = scalarFrom(this.#word(), this.#bytes.place(32));
    this.absorb(element);
    return element;
  }

  readPoint(): Point {
    const word = this.#word();
    const what = `the point ${this.#bytes.place(32)}`;
    // Bit 255 makes x too large.
    const [x, odd] = [word & ~PARITY, (word & PARITY) !== 0n];
    if (x >= BASE_MODULUS) throw new Refused("coordinate", `${what}: x is not below q`);
    const root = baseRoot((x * x * x + 3n) % BASE_MODULUS);
    if (root === undefined) throw new Refused("curve", `${what} is not on the curve`);
    const y = ((root & 1n) === 1n) === odd ? root : BASE_MODULUS - root;
    const point = pointFrom(what, x, y);
    this.#absorbed.push(x % MODULUS, y % MODULUS);
    return point;
  }

  squeeze(): Element {
    const padded = [...this.#absorbed, 1n];
    this.#absorbed = [];
    for (let at = 0; at < padded.length; at += 2) {
      const [x, y, z] = this.#state;
      this.#state = permute([x, y + (padded[at] ?? 0n), z + (padded[at + 1] ?? 0n)]);
    }
    return this.#state[1];
  }
}
