import { ProtocolError } from "./errors.js";

/** `0x` and lower-case hex digits. */
export type Hex = string;

/** Writes bytes as `0x` and lower-case hex digits. */
export function toHex(bytes: Uint8Array): Hex {
  let out = "0x";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

/**
 * Reads `0x` and an even number of hex digits of any case.
 * @throws ProtocolError for other text, and for another number of bytes than `length`.
 */
export function fromHex(what: string, text: string, length?: number): Uint8Array<ArrayBuffer> {
  const right = typeof text === "string" && /^0x(?:[0-9a-fA-F]{2})*$/.test(text);
  if (!right || (length !== undefined && text.length !== 2 + 2 * length)) {
    const digits = length === undefined ? "an even number of" : `${2 * length}`;
    throw new ProtocolError(what, `expected 0x and ${digits} hex digits`);
  }
  const out = new Uint8Array((text.length - 2) / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 + 2 * i, 4 + 2 * i), 16);
  return out;
}

/** The bytes one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The integer behind big-endian bytes. */
export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes));
}

/**
 * An integer as big-endian bytes.
 * @throws ProtocolError if it is negative or needs more than `length` bytes.
 */
export function fromInteger(what: string, value: bigint | number, length: number): Uint8Array<ArrayBuffer> {
  const integer = unsigned(what, value, 8 * length);
  return fromHex(what, `0x${integer.toString(16).padStart(2 * length, "0")}`, length);
}

/**
 * Checks that a value is an integer of at most `bits` bits.
 * @throws ProtocolError if it is not.
 */
export function unsigned(what: string, value: bigint | number, bits: number): bigint {
  const exact = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!exact || BigInt(value) < 0n || BigInt(value) >> BigInt(bits) !== 0n) {
    throw new ProtocolError(what, `${value} is outside 0..2^${bits}`);
  }
  return BigInt(value);
}

/**
 * Reads an amount as JSON carries it: a decimal without leading zeros, below 2^128.
 * @throws ProtocolError for other text.
 */
export function amountFromText(what: string, text: string): bigint {
  const decimal = typeof text === "string" && /^(?:0|[1-9][0-9]{0,38})$/.test(text);
  if (!decimal || BigInt(text) >> 128n !== 0n) {
    throw new ProtocolError(what, `${JSON.stringify(text)} is no decimal below 2^128`);
  }
  return BigInt(text);
}

/** Whether the bytes are equal. Not for secrets: the time it takes tells where they differ. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
