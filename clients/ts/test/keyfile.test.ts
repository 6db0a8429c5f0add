import assert from "node:assert/strict";
import { test } from "node:test";
import { lock, SecretKey, toHex, unlock, type KeyFile } from "../src/index.js";

/** Cheap, for tests. */
const COST = { n: 2 ** 10, r: 8, p: 1 };

test("a key is locked and unlocked", async () => {
  const key = SecretKey.random();
  const file = await lock(key, "correct horse", COST);
  const text = JSON.stringify(file);
  assert.ok(!text.includes(toHex(key.exposeBytes()).slice(2)));
  const read = await unlock(JSON.parse(text) as KeyFile, "correct horse");
  assert.equal(toHex(read.exposeBytes()), toHex(key.exposeBytes()));
  const again = await lock(key, "correct horse", COST);
  assert.notEqual(again.kdf.salt, file.kdf.salt);
  assert.notEqual(again.cipher.nonce, file.cipher.nonce);
});

test("the usual cost can be paid", async () => {
  const key = SecretKey.random();
  const file = await lock(key, "password");
  assert.deepEqual([file.kdf.n, file.kdf.r, file.kdf.p], [2 ** 17, 8, 1]);
  assert.equal(String((await unlock(file, "password")).publicKey()), file.public_key);
});

test("passwords are the same however they are typed", async () => {
  const file = await lock(SecretKey.random(), "\u00e9", COST);
  await unlock(file, "e\u0301");
});

test("another password and altered files are refused", async () => {
  const file = await lock(SecretKey.random(), "right", COST);
  const other = await lock(SecretKey.random(), "right", COST);
  const flipped = file.cipher.content.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
  await assert.rejects(unlock(file, "wrong"), /wrong password, or the file was altered/);
  const altered: [KeyFile, RegExp][] = [
    [{ ...file, cipher: { ...file.cipher, content: flipped } }, /wrong password/],
    [{ ...file, public_key: other.public_key }, /wrong password/],
    [{ ...file, kdf: { ...file.kdf, salt: other.kdf.salt } }, /wrong password/],
    [{ ...file, kdf: { ...file.kdf, n: 2 ** 11 } }, /wrong password/],
    [{ ...file, kdf: { ...file.kdf, n: 2 ** 30 } }, /is not allowed/],
    [{ ...file, kdf: { ...file.kdf, n: 1_000 } }, /is not allowed/],
    [{ ...file, kdf: { ...file.kdf, p: 0 } }, /is not allowed/],
    [{ ...file, kdf: { ...file.kdf, name: "pbkdf2" as "scrypt" } }, /not encrypted with scrypt/],
    [{ ...file, version: 2 as 1 }, /not a key file of version 1/],
    [{ ...file, cipher: { ...file.cipher, nonce: "0x00" } }, /24 hex digits/],
  ];
  for (const [bad, why] of altered) await assert.rejects(unlock(bad, "right"), why);
  await assert.rejects(lock(SecretKey.random(), ""), /empty password/);
});
