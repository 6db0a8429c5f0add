import { fromHex, fromInteger, toHex, toInteger, type Hex } from "./bytes.js";
import { ProtocolError } from "./errors.js";

/** Order of the scalar field of BN254. */
export const MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;

/** An element of the field: an integer in `[0, MODULUS)`. */
export type Element = bigint;

/** The element of an integer, reduced. */
export function reduce(integer: bigint): Element {
  const rest = integer % MODULUS;
  return rest < 0n ? rest + MODULUS : rest;
}

/**
 * Reads 32 big-endian bytes.
 * @throws ProtocolError for integers that are not below the modulus: each element has one encoding.
 */
export function elementFromBytes(what: string, bytes: Uint8Array): Element {
  if (bytes.length !== 32) throw new ProtocolError(what, `expected 32 bytes, got ${bytes.length}`);
  const integer = toInteger(bytes);
  if (integer >= MODULUS) {
    throw new ProtocolError(what, `${toHex(bytes)} is not below the field modulus; encode it reduced`);
  }
  return integer;
}

/** Canonical 32 bytes, big-endian. */
export function elementToBytes(x: Element): Uint8Array<ArrayBuffer> {
  return fromInteger("field element", x, 32);
}

/**
 * Reads `0x` and 64 hex digits.
 * @throws ProtocolError for other text, and for integers that are not below the modulus.
 */
export function elementFromHex(what: string, text: Hex): Element {
  return elementFromBytes(what, fromHex(what, text, 32));
}

/** `0x` and 64 hex digits. */
export function elementToHex(x: Element): Hex {
  return toHex(elementToBytes(x));
}
