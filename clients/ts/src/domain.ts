import { keccak_256 } from "@noble/hashes/sha3.js";
import { addressBytes, type Address } from "./address.js";
import { concat, fromInteger, toInteger } from "./bytes.js";
import { reduce, type Element } from "./field.js";

/** A rollup: its chain and its contract there. */
export interface Rollup {
  chainId: bigint | number;
  contract: Address;
}

/**
 * Binds signatures and proofs to a rollup: `keccak256("bastion.domain.v1" || chain id || contract) mod p`.
 * @throws ProtocolError if the chain's id is no u64 or the address malformed.
 */
export function domainOf({ chainId, contract }: Rollup): Element {
  const label = new TextEncoder().encode("bastion.domain.v1");
  const id = fromInteger("chain id", chainId, 8);
  return reduce(toInteger(keccak_256(concat(label, new Uint8Array(24), id, addressBytes(contract)))));
}
