import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accountFrom, elementFromHex, elementToHex, emptyNodes, leafOf, rootFromPath, rootOfProof,
} from "../src/index.js";
import { vectors } from "./vectors.js";

const { leaves, path, roots, empty_root } = vectors.state;
const siblings = path.map((sibling) => elementFromHex("sibling", sibling));

test("leaves are those of the protocol", () => {
  for (const { account, leaf } of leaves) assert.equal(elementToHex(leafOf(accountFrom(account))), leaf);
  assert.equal(leafOf(null), 0n);
});

test("roots of paths are those of the protocol", () => {
  const [first] = leaves;
  assert.ok(first);
  for (const { index, root } of roots) {
    assert.equal(elementToHex(rootFromPath(index, elementFromHex("leaf", first.leaf), siblings)), root);
    assert.equal(rootOfProof({ index, account: first.account, path }), root);
  }
  assert.equal(elementToHex(emptyNodes()[32] ?? 0n), empty_root);
});

test("every field and every sibling counts", () => {
  const [first] = leaves;
  assert.ok(first);
  const root = rootOfProof({ index: 0, account: first.account, path });
  const { owner, balance } = first.account;
  const changes = [
    { token: 4 }, { nonce: 8 }, { frozen_until: 1 }, { balance: String(BigInt(balance) + 1n) },
    { owner: elementToHex(elementFromHex("owner", owner) + 1n) },
  ];
  for (const change of changes) {
    assert.notEqual(rootOfProof({ index: 0, account: { ...first.account, ...change }, path }), root);
  }
  assert.notEqual(rootOfProof({ index: 0, account: null, path }), root);
  for (let i = 0; i < path.length; i++) {
    const other = path.with(i, elementToHex((siblings[i] ?? 0n) === 0n ? 1n : 0n));
    assert.notEqual(rootOfProof({ index: 0, account: first.account, path: other }), root);
    assert.notEqual(rootOfProof({ index: 2 ** i, account: first.account, path }), root);
  }
});

test("malformed proofs are refused", () => {
  const [first] = leaves;
  assert.ok(first);
  const proof = { index: 0, account: first.account, path };
  assert.throws(() => rootOfProof({ ...proof, path: path.slice(1) }), /expected 32 siblings, got 31/);
  assert.throws(() => rootOfProof({ ...proof, index: 2 ** 32 }), /outside/);
  assert.throws(() => rootOfProof({ ...proof, path: path.with(0, `0x${"ff".repeat(32)}`) }), /field modulus/);
  for (const change of [{ token: 2 ** 16 }, { nonce: -1 }, { balance: "1.5" }, { frozen_until: 2 ** 40 }]) {
    assert.throws(() => rootOfProof({ ...proof, account: { ...first.account, ...change } }), { name: "ProtocolError" });
  }
});
