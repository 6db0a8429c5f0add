/** The sixteen public inputs of a batch or a block, and what header and data make of them (protocol, section 7). */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, toInteger } from "../bytes.js";
import { elementToBytes, MODULUS, reduce, type Element } from "../field.js";
import { INPUTS } from "./envelope.js";
import { fieldsOf, integerOf, parseJson, wordOf, type Json } from "./json.js";
import { polynomialOf } from "./posted.js";
import { Refused } from "./refused.js";

/** Names of the public inputs, in their order. */
export const INPUT_NAMES = [
  "oldRoot", "newRoot", "cIn", "cOut", "yIn", "yOut", "policyRoot", "domain", "time", "r",
  "z", "mode", "blobInLow", "blobInHigh", "blobOutLow", "blobOutHigh",
] as const;
export type InputName = (typeof INPUT_NAMES)[number];
/** What a proof is about. */
export type PublicInputs = Readonly<Record<InputName, Element>>;

/** What a block claims (protocol, section 7.1). */
export interface Header {
  oldRoot: Element;
  newRoot: Element;
  policyRoot: Element;
  domain: Element;
  time: number;
  cOut: Element;
  /** Number of batches. */
  batches: number;
}

/** The public inputs as a record, from sixteen elements in their order. */
export function inputsFrom(elements: readonly Element[]): PublicInputs {
  if (elements.length !== INPUTS) throw new Refused("instance-count", `expected ${INPUTS} public inputs, got ${elements.length}`);
  return Object.fromEntries(INPUT_NAMES.map((name, i) => [name, elements[i]])) as PublicInputs;
}

/**
 * Reads the file of a header.
 * @throws Refused if it is malformed.
 */
export function headerFrom(text: string): Header {
  const names = ["old_root", "new_root", "policy_root", "domain", "time", "c_out", "batches"] as const;
  const fields = fieldsOf("header", parseJson("header", text), names);
  const element = (name: string, json: Json): Element => {
    const integer = wordOf(name, json);
    if (integer >= MODULUS) throw new Refused("json", `${name} is not below p`);
    return integer;
  };
  return {
    oldRoot: element("old_root", fields.old_root),
    newRoot: element("new_root", fields.new_root),
    policyRoot: element("policy_root", fields.policy_root),
    domain: element("domain", fields.domain),
    time: integerOf("time", fields.time, 0, 2 ** 40 - 1),
    cOut: element("c_out", fields.c_out),
    batches: integerOf("batches", fields.batches, 1, 65_535),
  };
}

/** The challenge `r` of a block (protocol, section 7.2). */
export function challengeOf(header: Header, data: Uint8Array): Element {
  const { domain, oldRoot, newRoot, policyRoot, time, cOut } = header;
  const label = new TextEncoder().encode("bastion.r.v1");
  const words = [domain, oldRoot, newRoot, policyRoot, BigInt(time), cOut].map(elementToBytes);
  return reduce(toInteger(keccak_256(concat(label, ...words, keccak_256(data)))));
}

/** The inputs about a blob of a block that has all of its data in calldata. */
const NO_BLOB = { z: 0n, mode: 0n, blobInLow: 0n, blobInHigh: 0n, blobOutLow: 0n, blobOutHigh: 0n };

/**
 * The public inputs that the contract computes of a header and the posted data of its block, all in calldata.
 * @throws Refused if these are not the data of so many batches.
 */
export function blockInputs(header: Header, data: Uint8Array): PublicInputs {
  const { oldRoot, newRoot, cOut, policyRoot, domain } = header;
  const r = challengeOf(header, data);
  const yOut = polynomialOf(data, header.batches, r);
  return { oldRoot, newRoot, cIn: 0n, cOut, yIn: 1n, yOut, policyRoot, domain, time: BigInt(header.time), r, ...NO_BLOB };
}
