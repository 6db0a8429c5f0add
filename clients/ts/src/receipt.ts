/** Receipts: the operator's signed promise of a place in a block (protocol, section 13). */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { addressBytes, type Address } from "./address.js";
import { concat, fromHex, fromInteger, toHex, type Hex } from "./bytes.js";
import { encode } from "./codec.js";
import type { Rollup } from "./domain.js";
import { ProtocolError } from "./errors.js";
import { elementFromHex, elementToBytes, elementToHex } from "./field.js";
import type { Operation } from "./operation.js";

/** What the operator promises about one operation, as JSON carries it. */
export interface Receipt {
  /** Number of reverts of the contract when the block was opened. */
  epoch: number;
  /** Number of the block; the first is 1. */
  block: number;
  /** Batch of the block, from 0. */
  batch: number;
  /** Position in the batch, from 0. */
  position: number;
  /** keccak256 of the operation's encoding. */
  operation: Hex;
  /** Its leaf in the order tree, over the words that are posted for it. */
  leaf: Hex;
  /** Time of the block, Unix seconds. */
  time: number;
}

export interface SignedReceipt extends Receipt {
  /** r, s, v: 65 bytes. */
  signature: Hex;
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const hashText = (text: string) => keccak_256(utf8(text));
const u32 = (what: string, x: number) => concat(new Uint8Array(28), fromInteger(what, x, 4));
const u64 = (what: string, x: bigint | number) => concat(new Uint8Array(24), fromInteger(what, x, 8));

const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const TYPE =
  "Receipt(uint32 epoch,uint64 number,uint32 batch,uint32 position,bytes32 operation,uint256 leaf,uint64 time)";

/** Names an operation: keccak256 of its encoding. */
export function operationHash(operation: Operation): Hex {
  return toHex(keccak_256(encode(operation)));
}

/** keccak256 of byte strings, one after the other. */
export function keccakOf(parts: readonly Uint8Array[]): Hex {
  return toHex(keccak_256(concat(...parts)));
}

/**
 * The hash that the sequencer signs (EIP-712), for a rollup.
 * @throws ProtocolError if a number does not fit its field or a hash is malformed.
 */
export function receiptDigest(receipt: Receipt, { chainId, contract }: Rollup): Uint8Array {
  const domain = keccak_256(
    concat(
      hashText(DOMAIN_TYPE),
      hashText("Bastion"),
      hashText("1"),
      u64("chain id", chainId),
      new Uint8Array(12),
      addressBytes(contract),
    ),
  );
  const content = keccak_256(
    concat(
      hashText(TYPE),
      u32("epoch", receipt.epoch),
      u64("block", receipt.block),
      u32("batch", receipt.batch),
      u32("position", receipt.position),
      fromHex("operation", receipt.operation, 32),
      elementToBytes(elementFromHex("leaf", receipt.leaf)),
      u64("time", receipt.time),
    ),
  );
  return keccak_256(concat(Uint8Array.of(0x19, 0x01), domain, content));
}

/**
 * The address that signed a receipt, for a rollup. A contract recovers the same one.
 * @throws ProtocolError if the signature is malformed, or its `s` stands in the upper half of the
 * order: that would be a second signature of the same receipt.
 */
export function receiptSigner(receipt: SignedReceipt, rollup: Rollup): Address {
  const what = "receipt's signature";
  const bytes = fromHex(what, receipt.signature, 65);
  const v = bytes[64] ?? 0;
  if (v !== 27 && v !== 28) throw new ProtocolError(what, `v is ${v}, not 27 or 28`);
  const digest = receiptDigest(receipt, rollup);
  let point: Uint8Array;
  try {
    const signature = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), "compact");
    if (signature.hasHighS()) throw new ProtocolError(what, "s is in the upper half of the order");
    point = signature.addRecoveryBit(v - 27).recoverPublicKey(digest).toBytes(false);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError(what, "no key has made it");
  }
  return toHex(keccak_256(point.subarray(1)).subarray(12));
}

/**
 * Signs a receipt as the sequencer does (RFC 6979), with a secret of 32 bytes. For tests and tools:
 * operators' keys stay with the node.
 * @throws ProtocolError as {@link receiptDigest}.
 */
export function signReceipt(receipt: Receipt, rollup: Rollup, secret: Uint8Array): SignedReceipt {
  const digest = receiptDigest(receipt, rollup);
  const signed = secp256k1.sign(digest, secret, { prehash: false, format: "recovered", lowS: true });
  const v = 27 + (signed[0] ?? 0);
  return { ...receipt, signature: toHex(concat(signed.subarray(1), Uint8Array.of(v))) };
}

/** The L1 address of a secp256k1 secret. */
export function addressOfSecret(secret: Uint8Array): Address {
  const point = secp256k1.getPublicKey(secret, false);
  return toHex(keccak_256(point.subarray(1)).subarray(12));
}

/**
 * Reads a receipt that somebody pasted.
 * @throws ProtocolError if it is no JSON object with the fields of a receipt.
 */
export function receiptFromText(text: string): SignedReceipt {
  const what = "receipt";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ProtocolError(what, "expected JSON as the node answers it");
  }
  if (typeof json !== "object" || json === null) throw new ProtocolError(what, "expected a JSON object");
  const fields = json as Record<string, unknown>;
  const number = (name: string): number => {
    const value = fields[name];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw new ProtocolError(what, `field ${name} is no number`);
    }
    return value;
  };
  const hex = (name: string, length: number): Hex => {
    const value = fields[name];
    if (typeof value !== "string") throw new ProtocolError(what, `field ${name} is no text`);
    return toHex(fromHex(name, value, length));
  };
  return {
    epoch: number("epoch"),
    block: number("block"),
    batch: number("batch"),
    position: number("position"),
    operation: hex("operation", 32),
    leaf: elementToHex(elementFromHex("leaf", hex("leaf", 32))),
    time: number("time"),
    signature: hex("signature", 65),
  };
}

/** Whether two hashes or addresses are the same, whatever the case of their digits. */
export function sameHex(a: Hex, b: Hex): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
