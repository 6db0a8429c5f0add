/** The folder of a verifier: which document belongs to which circuit (protocol, section 11.4). */
import { blake2b } from "@noble/hashes/blake2.js";
import { toHex } from "../bytes.js";
import { fieldsOf, integerOf, objectOf, parseJson, textOf } from "./json.js";
import { Refused } from "./refused.js";

/** What the manifest of a verifier's folder says. */
export interface Manifest {
  /** Identity of the block circuit: 64 hex digits. */
  circuitId: string;
  /** Identity of the batch circuit. */
  batchCircuitId: string;
  /** Batches in a block. */
  batches: number;
  /** Whether somebody may know the secret of the reference string: then proofs prove nothing. */
  unsafeSrs: boolean;
  /** keccak256 of the verifier contract's code. */
  codeHash: string;
  /** BLAKE2b-256 of each file. */
  files: ReadonlyMap<string, string>;
}

const DIGEST = /^[0-9a-f]{64}$/;
const FIELDS = [
  "format_version", "batch_shape", "batch_circuit_id", "batches", "circuit_id", "k", "srs_id", "unsafe_srs",
  "solc_version", "code_size", "code_hash", "files",
] as const;

/** BLAKE2b-256 of a file, as hex digits. The identity of a verifier's folder is that of its manifest. */
export function digestOf(text: string): string {
  return toHex(blake2b(new TextEncoder().encode(text), { dkLen: 32 })).slice(2);
}

/**
 * Reads a manifest.
 * @throws Refused if it is malformed or of another version.
 */
export function manifestFrom(text: string): Manifest {
  const json = parseJson("manifest", text);
  const version = objectOf("manifest", json).get("format_version");
  if (version !== 4) throw new Refused("version", `format version ${String(version)} is unknown: this verifier reads 4`);
  const fields = fieldsOf("manifest", json, FIELDS);
  const files = [...objectOf("files", fields.files)].map(([name, digest]) => [name, textOf(name, digest, DIGEST)] as const);
  if (typeof fields.unsafe_srs !== "boolean") throw new Refused("json", "unsafe_srs is neither true nor false");
  return {
    circuitId: textOf("circuit_id", fields.circuit_id, DIGEST),
    batchCircuitId: textOf("batch_circuit_id", fields.batch_circuit_id, DIGEST),
    batches: integerOf("batches", fields.batches, 1, 65_535),
    unsafeSrs: fields.unsafe_srs,
    codeHash: textOf("code_hash", fields.code_hash, /^0x[0-9a-f]{64}$/),
    files: new Map(files),
  };
}

/** Refuses a file that is not the one of the manifest. */
export function requireDigest({ files }: Manifest, name: string, text: string): void {
  if (files.get(name) !== digestOf(text)) throw new Refused("digest", `${name} is not the file of the manifest`);
}
