import { readFileSync } from "node:fs";
import type { Hex, InclusionProof, Receipt } from "../src/index.js";

interface PostedVector {
  json: Record<string, unknown>;
  bytes: Hex;
  hash: Hex;
  records: Hex[];
  /** None without records. */
  leaf: Hex | null;
}

interface Vectors {
  hash: {
    external: [Hex, Hex][];
    internal: Hex[];
    pairs: { input: [Hex, Hex]; permuted: [Hex, Hex]; compressed: Hex }[];
    chains: { tag: number; elements: Hex[]; result: Hex }[];
  };
  keys: {
    valid: {
      seed: Hex;
      secret: Hex;
      public: Hex;
      keyhash: Hex;
      exit: Hex;
      owner: Hex;
      signatures: { message: Hex; signature: Hex }[];
    }[];
    readings: { name: string; key: Hex; error: string | null }[];
    checks: { name: string; key: Hex; message: Hex; signature: Hex; error: string | null; holds: boolean }[];
  };
  floats: {
    encoded: { value: string; bits: number; encoded: number; floor: string; error: string | null }[];
    decoded: { encoded: number; value: string | null }[];
  };
  operations: {
    chain_id: number;
    contract: Hex;
    domain: Hex;
    secret: Hex;
    own_exit: Hex;
    created: number;
    release_time: number;
    signed: (PostedVector & { message: Hex })[];
    queued: PostedVector[];
    refused: { bytes: Hex; error: string }[];
    unsignable: { body: Record<string, unknown>; error: string }[];
  };
  state: {
    leaves: { account: AccountVector; leaf: Hex }[];
    path: Hex[];
    roots: { index: number; root: Hex }[];
    empty_root: Hex;
  };
  receipts: {
    chain_id: number;
    contract: Hex;
    signed: { receipt: Receipt; digest: Hex; secret: Hex; address: Hex; signature: Hex; upper: Hex }[];
  };
  order: { proofs: InclusionProof[]; refused: { name: string; proof: InclusionProof }[] };
}

interface AccountVector {
  owner: Hex;
  token: number;
  nonce: number;
  balance: string;
  frozen_until: number;
}

/** Known answers of the Rust code: `protocol/tests/vectors.rs` writes them. */
export const vectors = JSON.parse(
  readFileSync(new URL("../../test/vectors.json", import.meta.url), "utf8"),
) as Vectors;

/** Leaves out a field. */
export function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}
