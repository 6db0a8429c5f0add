import { fromHex, toHex, toInteger, type Hex } from "./bytes.js";
import type { Element } from "./field.js";
import { compress } from "./hash.js";

/** An L1 address: `0x` and 40 lower-case hex digits. */
export type Address = Hex;

/**
 * Reads an address of any case. A checksum (EIP-55) is not checked.
 * @throws ProtocolError if the text is not `0x` and 40 hex digits.
 */
export function address(text: string): Address {
  return toHex(addressBytes(text));
}

/** The 20 bytes of an address. @throws ProtocolError as {@link address}. */
export function addressBytes(text: Address): Uint8Array<ArrayBuffer> {
  return fromHex("address", text, 20);
}

/** The address in the field: its integer value. @throws ProtocolError as {@link address}. */
export function addressElement(text: Address): Element {
  return toInteger(addressBytes(text));
}

/** Owner of an account: hash of a key hash and an exit address. */
export function ownerOf(keyhash: Element, exit: Address): Element {
  return compress(keyhash, addressElement(exit));
}
