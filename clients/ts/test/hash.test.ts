import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chain, compress, elementFromBytes, elementFromHex, elementToBytes, elementToHex, fromHex, MODULUS, permute,
  ProtocolError, reduce, roundConstants,
} from "../src/index.js";
import { vectors } from "./vectors.js";

const element = (text: string) => elementFromHex("element", text);

test("round constants are those of the generator", () => {
  const { external, internal } = roundConstants();
  assert.deepEqual(external.map((pair) => pair.map(elementToHex)), vectors.hash.external);
  assert.deepEqual(internal.map(elementToHex), vectors.hash.internal);
});

test("the permutation and compress give the known answers", () => {
  for (const { input, permuted, compressed } of vectors.hash.pairs) {
    const [a, b] = [element(input[0]), element(input[1])];
    assert.deepEqual(permute([a, b]).map(elementToHex), permuted);
    assert.equal(elementToHex(compress(a, b)), compressed);
  }
  // From the document alone.
  assert.equal(elementToHex(permute([0n, 1n])[0]), "0x1d01e56f49579cec72319e145f06f6177f6c5253206e78c2689781452a31878b");
});

test("chain gives the known answers", () => {
  for (const { tag, elements, result } of vectors.hash.chains) {
    assert.equal(elementToHex(chain(BigInt(tag), elements.map(element))), result);
  }
});

test("an element has one encoding", () => {
  for (const x of [0n, 1n, MODULUS - 1n]) {
    assert.equal(elementFromBytes("x", elementToBytes(x)), x);
    assert.equal(element(elementToHex(x)), x);
  }
  const modulus = fromHex("modulus", `0x${MODULUS.toString(16)}`, 32);
  assert.throws(() => elementFromBytes("x", modulus), /is not below the field modulus/);
  assert.throws(() => elementFromBytes("x", new Uint8Array(32).fill(0xff)), ProtocolError);
  assert.throws(() => elementFromBytes("x", new Uint8Array(31)), /expected 32 bytes, got 31/);
  for (const text of ["", "0x", "00", "0x00", `0x${"0g".repeat(32)}`, ` 0x${"00".repeat(32)}`]) {
    assert.throws(() => element(text), ProtocolError, text);
  }
  assert.equal(reduce(-1n), MODULUS - 1n);
  assert.equal(reduce(MODULUS), 0n);
});
