/** Transcripts: what a verifier absorbs, reads and squeezes (protocol, section 9.3). */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, fromInteger, toInteger } from "../bytes.js";
import { elementToBytes, MODULUS, reduce, type Element } from "../field.js";
import { pointFrom, type Point } from "./points.js";
import { Refused } from "./refused.js";

/** A transcript over the bytes of a proof. */
export interface Transcript {
  absorb(element: Element): void;
  readPoint(): Point;
  readScalar(): Element;
  squeeze(): Element;
}

/** Bytes of a point and of a scalar of a proof. */
export interface Sizes {
  point: number;
  scalar: number;
}

/** Takes bytes of a proof whose length fits. */
export class Bytes {
  #at = 0;
  constructor(private readonly proof: Uint8Array) {}

  take(length: number): Uint8Array {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.proof.length) throw new Refused("length", "the proof ends too early");
    return this.proof.subarray(start, this.#at);
  }

  /** Where the last bytes were taken, for messages. */
  place(length: number): string {
    return `at byte ${this.#at - length} of the proof`;
  }
}

/** A scalar of a proof. */
export function scalarFrom(integer: bigint, place: string): Element {
  if (integer >= MODULUS) throw new Refused("scalar", `the scalar ${place} is not below p`);
  return integer;
}

/** For the EVM: keccak256 over 32-byte words, big-endian. */
export class KeccakTranscript implements Transcript {
  static readonly SIZES: Sizes = { point: 64, scalar: 32 };
  #absorbed: Uint8Array[] = [];
  readonly #bytes: Bytes;

  constructor(proof: Uint8Array) {
    this.#bytes = new Bytes(proof);
  }

  absorb(element: Element): void {
    this.#absorbed.push(elementToBytes(element));
  }

  readScalar(): Element {
    const element = scalarFrom(toInteger(this.#bytes.take(32)), this.#bytes.place(32));
    this.absorb(element);
    return element;
  }

  readPoint(): Point {
    const [x, y] = [toInteger(this.#bytes.take(32)), toInteger(this.#bytes.take(32))];
    const point = pointFrom(`the point ${this.#bytes.place(64)}`, x, y);
    this.#absorbed.push(fromInteger("x", x, 32), fromInteger("y", y, 32));
    return point;
  }

  squeeze(): Element {
    const bytes = concat(...this.#absorbed);
    const hash = keccak_256(bytes.length === 32 ? concat(bytes, Uint8Array.of(1)) : bytes);
    this.#absorbed = [hash];
    return reduce(toInteger(hash));
  }
}
