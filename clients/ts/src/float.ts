/** Decimal floats `mantissa x 10^exponent`, as the wire carries amounts and fees (protocol, section 5.2). */
import { unsigned } from "./bytes.js";
import { ProtocolError } from "./errors.js";

/** Mantissa bits of amounts. */
export const AMOUNT_BITS = 35;
/** Mantissa bits of fees. */
export const FEE_BITS = 7;

const EXPONENT_BITS = 5n;
const MAX_EXPONENT = 31n;

/** The largest float of `bits` mantissa bits that is not above `value`, encoded, with the smallest exponent. */
function floor(value: bigint, bits: number): bigint {
  const largest = (1n << BigInt(bits)) - 1n;
  let rest = value;
  for (let exponent = 0n; exponent <= MAX_EXPONENT; exponent++, rest /= 10n) {
    if (rest <= largest) return (rest << EXPONENT_BITS) | exponent;
  }
  return (largest << EXPONENT_BITS) | MAX_EXPONENT;
}

/** The value behind an encoding; `undefined` if it is 2^128 or more, which no balance pays. */
export function decodeFloat(encoded: bigint): bigint | undefined {
  const value = (encoded >> EXPONENT_BITS) * 10n ** (encoded & MAX_EXPONENT);
  return value >> 128n === 0n ? value : undefined;
}

/** The largest value not above `value` that the wire carries: for those who prepare operations. */
export function roundDown(value: bigint, bits: number): bigint {
  unsigned("value", value, 128);
  return decodeFloat(floor(value, bits)) ?? 0n;
}

/**
 * Encodes a value as `mantissa x 32 + exponent`.
 * @throws ProtocolError if no mantissa of `bits` bits and exponent below 32 make the value.
 */
export function encodeFloat(what: string, value: bigint, bits: number): bigint {
  unsigned(what, value, 128);
  const encoded = floor(value, bits);
  const below = decodeFloat(encoded);
  if (below === value) return encoded;
  throw new ProtocolError(
    what,
    `${value} is no m x 10^e with m below 2^${bits} and e below 32: round it down to ${below ?? 0n}`,
  );
}
