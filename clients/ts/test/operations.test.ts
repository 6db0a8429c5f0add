import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AMOUNT_BITS, checkRecords, checkWords, decode, decodeFloat, domainOf, elementToHex, encode, encodeFloat, FEE_BITS, fromHex, fromJson, isSigned, limitOf,
  message, operationHash, records, roundDown, SecretKey, sign, toHex, toJson, orderLeaf,
  type Operation, type Outcome, type SignedOperation,
} from "../src/index.js";
import { vectors, without } from "./vectors.js";

const { operations, floats } = vectors;
const rollup = { chainId: operations.chain_id, contract: operations.contract };
const domain = domainOf(rollup);
const key = SecretKey.fromBytes(fromHex("secret", operations.secret));
const exit = operations.own_exit;
const outcome: Outcome = { index: operations.created, releaseTime: BigInt(operations.release_time), ownExit: exit };

const signed = (json: unknown) => fromJson(json) as SignedOperation;

test("floats are encoded, decoded and rounded as on the wire", () => {
  for (const { value, bits, encoded, floor, error } of floats.encoded) {
    assert.equal(roundDown(BigInt(value), bits), BigInt(floor));
    if (error === null) assert.equal(encodeFloat("value", BigInt(value), bits), BigInt(encoded));
    else assert.throws(() => encodeFloat("value", BigInt(value), bits), { message: error });
  }
  for (const { encoded, value } of floats.decoded) {
    assert.equal(decodeFloat(BigInt(encoded)), value === null ? undefined : BigInt(value));
  }
  assert.throws(() => encodeFloat("amount", -1n, AMOUNT_BITS), /outside/);
  assert.throws(() => encodeFloat("fee", 2n ** 128n, FEE_BITS), /outside/);
});

test("the domain is that of chain and contract", () => {
  assert.equal(elementToHex(domain), operations.domain);
  assert.notEqual(domainOf({ ...rollup, chainId: 1 }), domain);
  assert.throws(() => domainOf({ ...rollup, contract: "0x12" }), /40 hex digits/);
  assert.throws(() => domainOf({ ...rollup, chainId: 2n ** 64n }), /outside/);
});

for (const vector of operations.signed) {
  const operation = signed(vector.json);
  test(`${operation.action.kind} of account ${operation.account}: message, signature, bytes, records`, () => {
    assert.equal(elementToHex(message(operation, domain, exit)), vector.message);
    const again = sign(without(without(without(operation, "op"), "key"), "signature"), key, domain, exit);
    assert.equal(toHex(encode(again)), vector.bytes);
    check(operation, vector);
  });

  test(`${operation.action.kind} of account ${operation.account}: what is altered is not signed`, () => {
    assert.ok(isSigned(operation, domain, exit));
    const { action } = operation;
    const changed: SignedOperation[] = [
      { ...operation, account: operation.account - 1 },
      { ...operation, token: operation.token - 1 },
      { ...operation, nonce: operation.nonce === 0 ? 1 : operation.nonce - 1 },
      { ...operation, deadline: operation.deadline - 1n },
      { ...operation, fee: operation.fee === 0n ? 1n : 0n },
      { ...operation, key: SecretKey.fromSeed(new Uint8Array()).publicKey() },
    ];
    if ("amount" in action) changed.push({ ...operation, action: { ...action, amount: 11n } });
    if (action.kind === "transfer") changed.push({ ...operation, action: { ...action, to: action.to - 1 } });
    if (action.kind === "withdraw") changed.push({ ...operation, action: { ...action, to: exit } });
    if ("keyhash" in action) changed.push({ ...operation, action: { ...action, keyhash: action.keyhash + 1n } });
    if ("oldUntil" in action) changed.push({ ...operation, action: { ...action, oldUntil: action.oldUntil + 1n } });
    if (action.kind === "order") {
      const { mantissa, exponent } = action.limit;
      const others = [{ mantissa: mantissa ^ 1n, exponent }, { mantissa, exponent: exponent ^ 1 }];
      for (const limit of others) changed.push({ ...operation, action: { ...action, limit } });
      changed.push({ ...operation, action: { ...action, to: action.to - 1 } });
      changed.push({ ...operation, action: { ...action, buy: action.buy + 1 } });
    }
    if (action.kind === "freeze") changed.push({ ...operation, action: { ...action, until: action.until - 1n } });
    for (const other of changed) assert.ok(!isSigned(other, domain, exit));
    assert.ok(!isSigned(operation, domain + 1n, exit));
    const otherExit = isSigned(operation, domain, `0x${"00".repeat(20)}`);
    assert.equal(otherExit, action.kind !== "change_key");
  });
}

for (const vector of [...operations.queued, ...operations.quotes]) {
  const operation = fromJson(vector.json);
  test(`${operation.op}: bytes and records`, () => check(operation, vector));
}

function check(operation: Operation, vector: (typeof operations.queued)[number]): void {
  assert.equal(toHex(encode(operation)), vector.bytes);
  assert.equal(operationHash(operation), vector.hash);
  const posted = records(operation, outcome);
  assert.deepEqual(posted.map(toHex), vector.records);
  if (vector.leaf === null) assert.throws(() => orderLeaf(posted), /has no leaf/);
  else assert.equal(elementToHex(orderLeaf(posted)), vector.leaf);
  const read = decode(fromHex("operation", vector.bytes));
  assert.equal(toHex(encode(read)), vector.bytes);
  assert.deepEqual(toJson(read), vector.json);
}

test("what is no encoding is refused with the same words", () => {
  for (const { bytes, error } of operations.refused) {
    assert.throws(() => decode(fromHex("operation", bytes)), { name: "ProtocolError", message: error });
  }
});

test("shorter, longer and altered bytes are refused or another operation", () => {
  for (const { bytes } of [...operations.signed, ...operations.queued, ...operations.quotes]) {
    const good = fromHex("operation", bytes);
    for (let length = 0; length < good.length; length++) assert.throws(() => decode(good.subarray(0, length)));
    assert.throws(() => decode(Uint8Array.of(...good, 0)), /bytes, got/);
    for (let place = 0; place < good.length; place += 7) {
      const altered = good.slice();
      altered[place] = (altered[place] ?? 0) ^ 1;
      try {
        assert.deepEqual(encode(decode(altered)), altered);
      } catch (error) {
        assert.equal((error as Error).name, "ProtocolError");
      }
    }
  }
});

test("limits are the least that are not below a quotient", () => {
  for (const { bought, sold, limit, error } of operations.limits) {
    const of = () => limitOf(BigInt(bought), BigInt(sold));
    if (limit === null) assert.throws(of, { name: "ProtocolError", message: error ?? "" });
    else assert.deepEqual(of(), { mantissa: BigInt(limit.mantissa), exponent: limit.exponent });
  }
});

test("what does not fit the wire is not signed", () => {
  for (const { body, error } of operations.unsignable) {
    const like = operations.signed[0]?.json;
    const { kind, ...fields } = body;
    const operation = signed({ op: "signed", kind, ...fields, key: like?.["key"], signature: like?.["signature"] });
    assert.throws(() => sign(operation, key, domain, exit), { name: "ProtocolError", message: error });
  }
  const first = signed(operations.signed[0]?.json);
  const wide: Partial<SignedOperation>[] = [
    { account: 2 ** 32 }, { nonce: -1 }, { nonce: 1.5 }, { token: 2 ** 16 }, { fee: -1n },
    { action: { kind: "transfer", to: 2 ** 32, amount: 1n } },
    { action: { kind: "withdraw", to: "0x1234", amount: 1n } },
    { action: { kind: "order", to: 1, buy: 2 ** 16, amount: 1n, limit: limitOf(1n, 1n) } },
  ];
  for (const change of wide) {
    assert.throws(() => sign({ ...first, ...change }, key, domain, exit), { name: "ProtocolError" });
  }
});

test("posted records are compared with the operation", () => {
  for (const { bytes, records: posted } of [...operations.signed, ...operations.queued]) {
    assert.ok(checkRecords(bytes, posted).ok);
    assert.ok(!checkRecords(bytes, [...posted, "0x00"]).ok);
    if (posted.length === 0) continue;
    assert.ok(!checkRecords(bytes, posted.slice(1)).ok);
    assert.ok(!checkRecords(bytes, posted.map((record) => record.slice(0, -2))).ok);
    // Kind, fee and account; then amount.
    for (const place of [0, 5, 14]) {
      const altered = fromHex("record", posted[0] ?? "");
      altered[place] = (altered[place] ?? 0) ^ 1;
      const isIndex = posted[0]?.length === 2 + 2 * 75 && place === 5 && bytes.startsWith("0x81");
      assert.equal(checkRecords(bytes, [toHex(altered), ...posted.slice(1)]).ok, isIndex);
    }
  }
  assert.ok(!checkRecords("0x07", []).ok);
});

test("what a receipt promises is compared with the operation, where it follows from it", () => {
  for (const { json, leaf } of operations.signed) {
    assert.ok(leaf !== null);
    const operation = signed(json);
    const receipt = { epoch: 0, block: 1, batch: 0, position: 0, operation: leaf, leaf, time: 0, signature: "0x" };
    const other = { ...receipt, leaf: `0x${"00".repeat(32)}` };
    assert.ok(checkWords(receipt, operation, exit).ok);
    const open = ["transfer_new", "withdraw"].includes(operation.action.kind);
    assert.equal(checkWords(other, operation, exit).ok, open);
  }
});

test("JSON of another form is refused", () => {
  const good = operations.signed[0]?.json ?? {};
  for (const [change, why] of [
    [{ amount: "01" }, /no decimal below 2\^128/],
    [{ amount: "-1" }, /no decimal/],
    [{ amount: String(2n ** 128n) }, /no decimal/],
    [{ amount: 1 }, /expected a string/],
    [{ nonce: "1" }, /expected a number/],
    [{ nonce: 2 ** 32 }, /outside/],
    [{ kind: "mint" }, /unknown kind "mint"/],
    [{ kind: "toString" }, /unknown kind/],
    [{ op: "x" }, /unknown op/],
    [{ memo: "x" }, /unknown field memo/],
    [{ key: "0x00" }, /expected 0x and 128 hex digits/],
  ] as const) {
    assert.throws(() => fromJson({ ...good, ...change }), why);
  }
  const order = operations.signed.map(({ json }) => json).find(({ kind }) => kind === "order") ?? {};
  for (const [limit, why] of [
    [{ mantissa: "1", exponent: 0 }, /set the top bit/],
    [{ mantissa: String(2n ** 63n), exponent: 128 }, /at most 127/],
    [{ mantissa: String(2n ** 64n), exponent: 0 }, /64 bits/],
    [{ mantissa: String(2n ** 63n), exponent: 0, price: 1 }, /unknown field price/],
    [{ exponent: 0 }, /field mantissa is missing/],
    ["0.9", /expected a JSON object/],
  ] as const) {
    assert.throws(() => fromJson({ ...order, limit }), why);
  }
  assert.throws(() => fromJson(without(order, "buy")), /field buy is missing/);
  assert.throws(() => fromJson({ ...order, buy: 2 ** 16 }), /outside/);
  assert.throws(() => fromJson(without(good, "fee")), /field fee is missing/);
  for (const json of [null, [], "noop", 1]) assert.throws(() => fromJson(json), /expected a JSON object/);
});

test("records need what the operator decided", () => {
  const kinds = operations.signed.map(({ json }) => signed(json));
  const of = (kind: string) => kinds.find(({ action }) => action.kind === kind) as Operation;
  assert.throws(() => records(of("transfer_new"), {}), /index: missing/);
  assert.throws(() => records(of("withdraw"), {}), /release time: missing/);
  assert.throws(() => records(of("change_key"), {}), /exit address: missing/);
  const [, , forced] = operations.queued.map(({ json }) => fromJson(json));
  const left = records(forced as Operation, { ...outcome, left: 5n });
  assert.deepEqual(left.map((record) => record.length), [75, 47]);
});
