import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressOfSecret, fromHex, receiptDigest, receiptFromText, receiptSigner, signReceipt, toHex,
} from "../src/index.js";
import { vectors } from "./vectors.js";

const { chain_id, contract, signed } = vectors.receipts;
const rollup = { chainId: chain_id, contract };

test("digests, signatures and signers are those of the sequencer", () => {
  for (const { receipt, digest, secret, address, signature } of signed) {
    const key = fromHex("secret", secret, 32);
    assert.equal(toHex(receiptDigest(receipt, rollup)), digest);
    assert.equal(addressOfSecret(key), address);
    assert.equal(signReceipt(receipt, rollup, key).signature, signature);
    assert.equal(receiptSigner({ ...receipt, signature }, rollup), address);
  }
});

test("every field is signed", () => {
  const [vector] = signed;
  assert.ok(vector);
  const receipt = { ...vector.receipt, signature: vector.signature };
  const changes = [
    { epoch: 9 }, { block: 9 }, { batch: 9 }, { position: 9 }, { time: 9 },
    { operation: `0x${"09".repeat(32)}` }, { leaf: `0x${"09".repeat(32)}` },
  ];
  for (const change of changes) assert.notEqual(receiptSigner({ ...receipt, ...change }, rollup), vector.address);
  assert.notEqual(receiptSigner(receipt, { ...rollup, chainId: 1 }), vector.address);
  assert.notEqual(receiptSigner(receipt, { ...rollup, contract: `0x${"08".repeat(20)}` }), vector.address);
});

test("malformed signatures are refused, the other half of s among them", () => {
  for (const { receipt, signature, upper } of signed) {
    assert.throws(() => receiptSigner({ ...receipt, signature: upper }, rollup), /upper half/);
    const bad = [
      "", "0x", "0x00", signature.slice(0, -2), `${signature}00`, `${signature.slice(0, -2)}00`, `${signature.slice(0, -2)}1d`,
      `0x${"00".repeat(64)}1b`, `0x${"ff".repeat(64)}1b`,
    ];
    for (const text of bad) {
      assert.throws(() => receiptSigner({ ...receipt, signature: text }, rollup), { name: "ProtocolError" }, text);
    }
  }
});

test("a pasted receipt is read, or it is said what is wrong with it", () => {
  const [vector] = signed;
  assert.ok(vector);
  const receipt = { ...vector.receipt, signature: vector.signature };
  assert.deepEqual(receiptFromText(JSON.stringify(receipt, null, 2)), receipt);
  const read = (change: object) => () => receiptFromText(JSON.stringify({ ...receipt, ...change }));
  assert.throws(() => receiptFromText("{"), /expected JSON/);
  assert.throws(() => receiptFromText("null"), /expected a JSON object/);
  assert.throws(read({ block: "2" }), /field block is no number/);
  assert.throws(read({ block: 2 ** 53 }), /field block is no number/);
  assert.throws(read({ leaf: "0x00" }), /leaf: expected 0x and 64 hex digits/);
  assert.throws(read({ signature: 7 }), /field signature is no text/);
});
