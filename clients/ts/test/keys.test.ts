import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import {
  elementFromHex, elementToHex, fromHex, fromInteger, ownerOf, ProtocolError, PublicKey, SecretKey, Signature, toHex,
} from "../src/index.js";
import { vectors } from "./vectors.js";

const bytes = (text: string) => fromHex("bytes", text);
const element = (text: string) => elementFromHex("element", text);
const ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;

test("keys of seeds, key hashes and owners are those of the protocol", () => {
  for (const vector of vectors.keys.valid) {
    const key = SecretKey.fromSeed(bytes(vector.seed));
    assert.equal(toHex(key.exposeBytes()), vector.secret);
    assert.equal(toHex(SecretKey.fromBytes(bytes(vector.secret)).exposeBytes()), vector.secret);
    const keyhash = key.publicKey().keyhash();
    assert.equal(String(key.publicKey()), vector.public);
    assert.equal(elementToHex(keyhash), vector.keyhash);
    assert.equal(elementToHex(ownerOf(keyhash, vector.exit)), vector.owner);
  }
});

test("signatures are the same bytes, and hold", () => {
  for (const { secret, public: publicKey, signatures } of vectors.keys.valid) {
    const key = SecretKey.fromBytes(bytes(secret));
    for (const { message, signature } of signatures) {
      assert.equal(String(key.sign(element(message))), signature);
      const read = Signature.fromBytes(bytes(signature));
      assert.equal(String(read), signature);
      assert.ok(PublicKey.fromBytes(bytes(publicKey)).verify(element(message), read));
    }
  }
});

for (const { name, key, error } of vectors.keys.readings) {
  test(`a key, ${name}: ${error === null ? "is read" : "is refused"}`, () => {
    if (error === null) return assert.equal(String(PublicKey.fromBytes(bytes(key))), key);
    assert.throws(() => PublicKey.fromBytes(bytes(key)), { name: "ProtocolError", message: error });
  });
}

for (const { name, key, message, signature, error, holds } of vectors.keys.checks) {
  test(`a signature, ${name}: ${holds ? "holds" : "does not hold"}`, () => {
    if (error !== null) {
      return assert.throws(() => Signature.fromBytes(bytes(signature)), { name: "ProtocolError", message: error });
    }
    assert.equal(PublicKey.fromBytes(bytes(key)).verify(element(message), Signature.fromBytes(bytes(signature))), holds);
  });
}

test("encodings of another length are refused", () => {
  assert.throws(() => PublicKey.fromBytes(new Uint8Array(63)), /expected 64 bytes, got 63/);
  assert.throws(() => Signature.fromBytes(new Uint8Array(97)), /expected 96 bytes, got 97/);
  assert.throws(() => SecretKey.fromBytes(new Uint8Array(31)), /expected 32 bytes, got 31/);
});

test("R may be the identity, as for other verifiers", () => {
  const identity = new Uint8Array(96);
  identity[63] = 1;
  assert.equal(toHex(Signature.fromBytes(identity).toBytes()), toHex(identity));
});

test("a secret is in its range and is not shown", () => {
  for (const secret of [0n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
    const error = /^secret key: \(hidden\) is outside 1\.\.l$/;
    assert.throws(() => SecretKey.fromBytes(fromInteger("secret", secret, 32)), { message: error });
  }
  const key = SecretKey.random();
  const secret = toHex(key.exposeBytes()).slice(2);
  const shown = [String(key), JSON.stringify({ key }), inspect(key, { showHidden: true, depth: 9 })].join();
  assert.ok(!shown.includes(secret));
  assert.ok(!shown.includes(String(BigInt(`0x${secret}`))));
  assert.notEqual(toHex(SecretKey.random().exposeBytes()), toHex(key.exposeBytes()));
  assert.throws(() => SecretKey.fromBytes(new Uint8Array(32)), ProtocolError);
});
