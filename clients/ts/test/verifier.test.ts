import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../src/bytes.js";
import { MODULUS } from "../src/field.js";
import { requireAccumulator } from "../src/verifier/accumulator.js";
import { blockEnvelopeFrom } from "../src/verifier/envelope.js";
import {
  blockInputs, CircuitVerifier, claimOf, headerFrom, INPUT_NAMES, inputsFrom, Refused, verifyBatch, verifyBlock, Verifier,
  type PublicInputs, type Reason, type Verdict,
} from "../src/verifier/index.js";
import { BASE_MODULUS } from "../src/verifier/sums.js";
import { blockVerifier, files } from "./block.js";

const verifier = blockVerifier();
const inputs = blockInputs(headerFrom(files.header), files.data);
const { instances, proof, circuitId } = blockEnvelopeFrom(files.proof);

function refusal(what: () => void): Reason {
  try {
    what();
  } catch (error) {
    if (error instanceof Refused) return error.reason;
    throw error;
  }
  return assert.fail("accepted");
}
const reasonOf = (verdict: Verdict): Reason | "ok" => (verdict.ok ? "ok" : verdict.refused.reason);
const edited = (edit: (file: Record<string, any>) => void): string => {
  const file = JSON.parse(files.proof) as Record<string, any>;
  edit(file);
  return JSON.stringify(file);
};
const verified = (text: string, asked: PublicInputs = inputs) => reasonOf(verifyBlock(verifier, text, asked));

test("a block that the prover proved is accepted, for what header and data say", () => {
  assert.deepEqual(verifyBlock(verifier, files.proof, inputs), { ok: true, inputs });
  assert.deepEqual(claimOf(files.proof), inputs);
  assert.equal(verifier.proofLength, proof.length);
});

test("a batch proof is accepted, and refused with one bit or one public input changed", () => {
  const batches = CircuitVerifier.ofBatches(files.manifest, files.batchDescription);
  const file = JSON.parse(files.batchProof) as { public_inputs: string[]; proof: string };
  const claimed = inputsFrom(file.public_inputs.map(BigInt));
  assert.equal(claimed.oldRoot, inputs.oldRoot);
  assert.equal(reasonOf(verifyBatch(batches, files.batchProof, claimed)), "ok");
  const bytes = fromHex("proof", file.proof);
  const changed = (change: (bytes: Uint8Array) => void): Reason => {
    const copy = bytes.slice();
    change(copy);
    return refusal(() => batches.verify([file.public_inputs.map(BigInt)], copy));
  };
  const reasons: readonly Reason[] = ["coordinate", "curve", "pairing", "scalar"];
  for (let at = 0; at < bytes.length; at += 997) assert.ok(reasons.includes(changed((copy) => (copy[at] = (copy[at] ?? 0) ^ 1))), `${at}`);
  // The other sign of y, and the bit that no encoding uses.
  assert.equal(changed((copy) => (copy[31] = (copy[31] ?? 0) ^ 0x40)), "pairing");
  assert.equal(changed((copy) => (copy[31] = (copy[31] ?? 0) | 0x80)), "coordinate");
  assert.equal(reasonOf(verifyBatch(batches, files.batchProof, { ...claimed, time: claimed.time + 1n })), "inputs");
  assert.equal(verified(files.batchProof), "json");
});

test("a proof that another prover made, of a circuit with lookups and two instance columns", () => {
  const at = (name: string) => readFileSync(new URL(`../../../../audit/tests/data/${name}`, import.meta.url), "utf8");
  const plain = new Verifier(at("plain.json"));
  const file = JSON.parse(at("plain-proof.json")) as { instances: string[][]; proof: string };
  const columns = file.instances.map((column) => column.map(BigInt));
  plain.verify(columns, fromHex("proof", file.proof));
  columns.forEach((column, c) => column.forEach((value, row) => {
    const changed = columns.map((values) => [...values]);
    changed[c]?.splice(row, 1, value + 1n);
    assert.equal(refusal(() => plain.verify(changed, fromHex("proof", file.proof))), "pairing");
  }));
  assert.equal(refusal(() => plain.verify([], fromHex("proof", file.proof))), "instance-count");
});

test("the envelope has one form", () => {
  const hex = "ab".repeat(32);
  for (const [text, reason] of [
    [`${files.proof} {}`, "json"], [files.proof.slice(0, -3), "json"], ["", "json"], ["[]", "json"],
    [edited((file) => (file["more"] = 1)), "json"], [edited((file) => delete file["proof"]), "json"],
    [files.proof.replace("{", '{ "circuit_id": "00",'), "json"],
    [edited((file) => (file["format_version"] = 2)), "version"], [edited((file) => (file["format_version"] = 0)), "version"],
    [edited((file) => delete file["format_version"]), "json"], [files.proof.replace('"format_version": 1', '"format_version": 1.0'), "json"],
    [edited((file) => (file["circuit_id"] = hex)), "circuit"], [edited((file) => (file["circuit_id"] = `0x${hex}`)), "json"],
    [edited((file) => (file["circuit_id"] = circuitId.toUpperCase())), "json"],
    [edited((file) => (file["proof"] = file["proof"].toUpperCase())), "json"], [edited((file) => (file["proof"] += "0")), "json"],
    [edited((file) => file["instances"].pop()), "json"], [edited((file) => file["instances"].push(`0x${"00".repeat(32)}`)), "json"],
    [edited((file) => (file["instances"][21] = `0x${(instances[21] as bigint + MODULUS).toString(16)}`)), "instance"],
    [edited((file) => (file["instances"][14] = "0x0")), "json"],
  ] as const) assert.equal(verified(text), reason, text.slice(0, 80));
});

test("a proof of other bytes than the circuit's proofs have is refused, whatever follows it", () => {
  for (const change of [(p: string) => `${p}00`, (p: string) => p + "00".repeat(32), (p: string) => p.slice(0, -2), (p: string) => p.slice(0, -64), () => "0x"]) {
    assert.equal(verified(edited((file) => (file["proof"] = change(file["proof"])))), "length");
  }
});

test("every public input is in the transcript, and every one must be the one that was asked about", () => {
  for (const [i, value] of instances.entries()) {
    const changed = instances.with(i, (value + 1n) % MODULUS);
    assert.equal(refusal(() => verifier.verify([changed], proof)), "pairing", `instance ${i}`);
  }
  for (const name of INPUT_NAMES) assert.equal(verified(files.proof, { ...inputs, [name]: inputs[name] + 1n }), "inputs");
  // Even if asked about, no block starts in the middle.
  const middle = { ...claimOf(files.proof), cIn: 5n };
  assert.equal(verified(edited((file) => (file["instances"][14] = `0x${"5".padStart(64, "0")}`)), middle), "inputs");
});

test("header and data decide what must be proven", () => {
  const header = headerFrom(files.header);
  const other = files.data.slice();
  other[8] = (other[8] ?? 0) ^ 1;
  for (const changed of [
    blockInputs(header, other), blockInputs({ ...header, time: header.time + 1 }, files.data),
    blockInputs({ ...header, policyRoot: 1n }, files.data), blockInputs({ ...header, domain: 1n }, files.data),
  ]) assert.equal(verified(files.proof, changed), "inputs");
  assert.equal(refusal(() => blockInputs({ ...header, batches: 1 }, files.data)), "data");
  assert.equal(refusal(() => blockInputs({ ...header, batches: 3 }, files.data)), "data");
  assert.equal(refusal(() => blockInputs(header, files.data.slice(1))), "data");
  // A key hash that is not below p: the second word of an L1 record.
  assert.equal(refusal(() => blockInputs(header, files.data.map((byte, at) => (at >= 31 && at < 63 ? 0xff : byte)))), "data");
  for (const [from, to] of [['"time": ', '"time": -'], ['"batches": 2', '"batches": 0'], ['"c_out"', '"c_in"']] as const) {
    assert.equal(refusal(() => headerFrom(files.header.replace(from, to))), "json");
  }
});

test("the accumulator's words are two points in one form, and their equation holds", () => {
  const check = (changed: readonly bigint[]) => refusal(() => requireAccumulator(verifier.document, [changed]));
  requireAccumulator(verifier.document, [instances]);
  const words = (x: bigint) => [x & (2n ** 88n - 1n), (x >> 88n) & (2n ** 88n - 1n), x >> 176n];
  const place = (...coordinates: bigint[]) => [...coordinates.flatMap(words), ...instances.slice(12)];
  // Words that are too wide, though the sum may be the same; x + q; no point; the identity; other points.
  assert.equal(check([(instances[0] as bigint) + 2n ** 88n, (instances[1] as bigint) - 1n, ...instances.slice(2)]), "accumulator");
  assert.equal(check(instances.with(2, 2n ** 80n)), "accumulator");
  for (const wrong of [place(1n + BASE_MODULUS, 2n, 1n, 2n), place(1n, 3n, 1n, 2n), place(1n, 2n, 0n, 0n), place(0n, 0n, 0n, 0n), place(1n, 2n, 1n, 2n)]) {
    assert.equal(check(wrong), "accumulator");
  }
  const exchanged = [...instances.slice(6, 12), ...instances.slice(0, 6), ...instances.slice(12)];
  assert.equal(check(exchanged), "accumulator");
});
