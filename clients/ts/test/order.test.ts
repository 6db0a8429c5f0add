import assert from "node:assert/strict";
import { test } from "node:test";
import { checkInclusionProof, elementFromHex, elementToHex, orderLeaf, type Hex, type InclusionProof } from "../src/index.js";
import { vectors } from "./vectors.js";

const { proofs, refused } = vectors.order;

test("proofs of inclusion are accepted as in Rust", () => {
  for (const proof of proofs) assert.equal(elementToHex(checkInclusionProof(proof)), proof.leaf);
});

test("what Rust refuses is refused", () => {
  for (const { name, proof } of refused) {
    assert.throws(() => checkInclusionProof(proof), { name: "ProtocolError" }, name);
  }
});

test("every element of a proof counts", () => {
  const add = (x: Hex): Hex => elementToHex(elementFromHex("x", x) + 1n);
  for (const proof of proofs) {
    const { siblings, later } = proof;
    const changed: InclusionProof[] = [
      { ...proof, leaf: add(proof.leaf) }, { ...proof, earlier: [...proof.earlier, { root: null, counts: `0x${"00".repeat(32)}` }] },
      ...proof.earlier.map((_, i) => ({ ...proof, earlier: proof.earlier.map((x, j) => (i === j ? { ...x, counts: add(x.counts) } : x)) })),
      { ...proof, counts: add(proof.counts) }, { ...proof, position: proof.position + 1 },
      { ...proof, inputs: proof.inputs.map(add) }, { ...proof, inputs: proof.inputs.slice(1) },
      { ...proof, siblings: [...siblings, proof.leaf] }, { ...proof, later: [...later, { root: null, counts: `0x${"00".repeat(32)}` }] },
      ...siblings.map((_, i) => ({ ...proof, siblings: siblings.map((x, j) => (i === j ? add(x) : x)) })),
      ...later.map((_, i) => ({ ...proof, later: later.map((x, j) => (i === j ? { ...x, counts: add(x.counts) } : x)) })),
    ];
    for (const other of changed) assert.throws(() => checkInclusionProof(other), { name: "ProtocolError" });
  }
});

test("what is no record has no leaf", () => {
  assert.throws(() => orderLeaf([]), /has no leaf/);
  assert.throws(() => orderLeaf([new Uint8Array(14)]), /no record has 14 bytes/);
  assert.throws(() => orderLeaf([new Uint8Array(52).fill(0xff)]), /not below the field modulus/);
});
