/** Files of proofs (protocol, section 9.6). */
import { fromHex } from "../bytes.js";
import { MODULUS, type Element } from "../field.js";
import { fieldsOf, listOf, objectOf, parseJson, textOf, wordOf, type Json } from "./json.js";
import { Refused } from "./refused.js";

/** Words of the accumulator among the public inputs of a block proof. */
export const ACCUMULATOR_WORDS = 12;
/** Public inputs of a batch or a block. */
export const INPUTS = 16;
/** Longest text of an envelope. */
const LONGEST = 2 ** 24;

/** A proof in its file. */
export interface Envelope {
  /** Identity of the circuit: 64 hex digits without `0x`. */
  circuitId: string;
  /** All public inputs of the circuit. */
  instances: Element[];
  proof: Uint8Array;
}

function elements(what: string, json: Json, length: number): Element[] {
  return listOf(what, json, length).map((item, i) => {
    const integer = wordOf(`${what}[${i}]`, item);
    if (integer >= MODULUS) throw new Refused("instance", `${what}[${i}] is not below p`);
    return integer;
  });
}

function fieldsOfFile<K extends string>(what: string, text: string, names: readonly K[]): Record<K, Json> {
  if (text.length > LONGEST) throw new Refused("length", `the ${what} is longer than ${LONGEST} characters`);
  const json = parseJson(what, text);
  const version = objectOf(what, json).get("format_version");
  if (version === undefined) throw new Refused("json", `${what} has no field format_version`);
  if (version !== 1) throw new Refused("version", `format version ${String(version)} is unknown: this verifier reads 1`);
  return fieldsOf(what, json, names);
}

const identityOf = (json: Json) => textOf("circuit_id", json, /^[0-9a-f]{64}$/);
const bytesOf = (json: Json) => fromHex("proof", textOf("proof", json, /^0x(?:[0-9a-f]{2})*$/));

/**
 * Reads the file of a block proof.
 * @throws Refused if it is malformed.
 */
export function blockEnvelopeFrom(text: string): Envelope {
  const fields = fieldsOfFile("block proof", text, ["format_version", "circuit_id", "instances", "proof"]);
  return {
    circuitId: identityOf(fields.circuit_id),
    instances: elements("instances", fields.instances, ACCUMULATOR_WORDS + INPUTS),
    proof: bytesOf(fields.proof),
  };
}

/**
 * Reads the file of a batch proof. The name of its shape is for people, and not looked at.
 * @throws Refused if it is malformed.
 */
export function batchEnvelopeFrom(text: string): Envelope {
  const fields = fieldsOfFile("batch proof", text, ["format_version", "circuit_id", "shape", "public_inputs", "proof"]);
  textOf("shape", fields.shape, /^/);
  return {
    circuitId: identityOf(fields.circuit_id),
    instances: elements("public_inputs", fields.public_inputs, INPUTS),
    proof: bytesOf(fields.proof),
  };
}
