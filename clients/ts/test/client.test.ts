import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  checkInclusion, checkOperation, checkPath, checkRoot, checkSigner, Client, NodeError,
  UnreachableError, waitFor, Wallet, DistrustError, RejectedError, type NodeEvent,
} from "../src/index.js";
import { messages } from "../src/events.js";
import type { FakeNode } from "./fake-node.mjs";

const { startFakeNode } = (await import(new URL("../../test/fake-node.mjs", import.meta.url).href)) as {
  startFakeNode: () => Promise<FakeNode>;
};
const FIRST = 131_072;
const EXIT = "0x00000000000000000000000000000000000000e1";

let node: FakeNode;
let client: Client;

before(async () => {
  node = await startFakeNode();
  client = new Client(node.url, { retryAfter: 1 });
});
after(() => node.close());
beforeEach(() => {
  node.tamper = (_path, answer) => answer;
  node.requests.length = 0;
});

const rollup = async () => {
  const { chain_id, contract } = await client.version();
  return { chainId: chain_id, contract };
};
const wallet = async (user: number) => {
  const key = node.world.keys[user];
  assert.ok(key);
  return new Wallet({
    client, key, account: FIRST + user, exit: EXIT, rollup: await rollup(), sequencer: node.world.sequencer,
  });
};

test("every route answers", async () => {
  const [newest, older] = await client.blocks({ limit: 2 });
  assert.ok(newest && older && newest.number === older.number + 1);
  assert.deepEqual(await client.blocks({ before: newest.number, limit: 1 }), [older]);
  assert.deepEqual(await client.block(older.number), older);
  assert.deepEqual(await client.block(older.hash ?? older.number), older);
  assert.equal((await client.block("latest")).number, newest.number);
  const [batch] = await client.batchesOf(older.number);
  assert.ok(batch);
  assert.deepEqual(await client.batch(batch.number), batch);
  const [operation] = await client.operationsOf(FIRST, { limit: 1 });
  assert.ok(operation);
  assert.deepEqual(await client.operation(operation.hash), operation);
  assert.deepEqual(await client.receipt(operation.hash), operation.receipt);
  const proof = await client.account(FIRST);
  assert.deepEqual(await client.accountsOf(proof.account?.owner ?? ""), [proof]);
  assert.equal((await client.fees(3)).token, 3);
  assert.equal((await client.policy()).max_freeze, 1_000);
  assert.equal((await client.status()).accepting, true);
  assert.ok((await client.jobs()).length > (await client.jobs("leased")).length);
});

test("answers of an honest node pass the checks", async () => {
  const proof = await client.account(FIRST);
  assert.ok(checkPath(FIRST, proof).ok);
  assert.ok(checkRoot(proof, await client.block("finalized")).ok);
  const empty = await client.account(FIRST + 100);
  assert.equal(empty.account, null);
  assert.ok(checkPath(FIRST + 100, empty).ok);
  const [operation] = await client.operationsOf(FIRST);
  assert.ok(operation);
  assert.ok(checkSigner(operation.receipt, await rollup(), node.world.sequencer).ok);
  assert.ok(checkOperation(operation.receipt, operation.bytes).ok);
  assert.ok(checkInclusion(operation.receipt, await client.inclusion(operation.hash)).ok);
});

test("answers that were altered do not", async () => {
  const proof = await client.account(FIRST);
  const finalized = await client.block("finalized");
  assert.ok(proof.account);
  const refused = [
    checkPath(FIRST + 1, proof),
    checkPath(FIRST, { ...proof, account: { ...proof.account, balance: "1" } }),
    checkPath(FIRST, { ...proof, account: { ...proof.account, balance: "<b>1</b>" } }),
    checkPath(FIRST, { ...proof, account: null }),
    checkPath(FIRST, { ...proof, path: [] }),
    checkRoot(proof, { ...finalized, new_root: proof.path[0] ?? "" }),
    checkRoot(proof, { ...finalized, new_root: null }),
    checkRoot(proof, { ...finalized, stage: "settling" }),
  ];
  const [operation, other] = await client.operationsOf(FIRST);
  assert.ok(operation && other);
  const inclusion = await client.inclusion(operation.hash);
  refused.push(
    checkSigner(operation.receipt, await rollup(), EXIT),
    checkSigner({ ...operation.receipt, time: 1 }, await rollup(), node.world.sequencer),
    checkSigner({ ...operation.receipt, signature: "0x" }, await rollup(), node.world.sequencer),
    checkOperation(operation.receipt, other.bytes),
    checkOperation(operation.receipt, "0x07"),
    checkInclusion(operation.receipt, { ...inclusion, position: inclusion.position + 1 }),
    checkInclusion(operation.receipt, { ...inclusion, records: ["0x00"] }),
    checkInclusion(operation.receipt, { ...inclusion, records: ["00"] }),
  );
  for (const [i, check] of refused.entries()) assert.ok(!check.ok, `${i}: ${check.text}`);
});

test("problems are errors with code and detail", async () => {
  const missing = await client.operation(`0x${"00".repeat(32)}`).catch((error: unknown) => error);
  assert.ok(missing instanceof NodeError);
  assert.equal(missing.status, 404);
  assert.equal(missing.code, "not_found");
  assert.match(missing.message, /does not exist/);
  await assert.rejects(client.submit([]), { code: "malformed", status: 400 });
  node.next.push([502, "<html>proxy</html>"], [502, ""], [502, "[]"]);
  await assert.rejects(client.status(), { name: "NodeError", code: "unknown", status: 502 });
});

test("a GET is repeated while that may help, a POST is not", async () => {
  node.next.push([503, "{}"], [500, "{}"]);
  await client.status();
  assert.equal(node.requests.length, 3);
  node.requests.length = 0;
  node.next.push([404, "{}"]);
  await assert.rejects(client.status());
  assert.equal(node.requests.length, 1);
  node.requests.length = 0;
  node.next.push([503, "{}"]);
  await assert.rejects(client.submit(["0x00"]), { status: 503 });
  assert.deepEqual(node.requests, ["POST /v1/operations"]);
});

test("a node may say when it wants to be asked again", async () => {
  node.next.push([429, "{}", { "retry-after": "1" }]);
  await client.status();
  assert.equal(node.requests.length, 2);
  node.next.push([429, "{}", { "retry-after": "600" }]);
  await assert.rejects(client.status(), { status: 429, retryAfter: 600 });
  assert.equal(node.requests.length, 3);
});

test("a node that does not answer is named", async () => {
  const away = new Client("http://127.0.0.1:9", { attempts: 2, retryAfter: 1 });
  await assert.rejects(away.status(), UnreachableError);
  const aborted = AbortSignal.abort(new Error("no longer wanted"));
  await assert.rejects(client.status({ signal: aborted }), /no longer wanted/);
});

test("what is put into a path stays one part of it", async () => {
  await assert.rejects(client.operation("../status"), { status: 404 });
  assert.deepEqual(node.requests, ["GET /v1/operations/..%2Fstatus"]);
});

test("events arrive, and the stream is made again when it breaks", async () => {
  const stop = new AbortController();
  const seen: NodeEvent["event"][] = [];
  for await (const event of client.events({ signal: stop.signal })) {
    seen.push(event.event);
    if (event.event === "status" && seen.length === 2) {
      node.push("surprise", {});
      node.push("job", node.world.jobList()[0]);
    }
    if (event.event === "job") node.cut();
    if (event.event === "status" && seen.length > 3) stop.abort();
  }
  assert.deepEqual(seen, ["connected", "status", "job", "disconnected", "connected", "status"]);
});

test("leaving the loop closes the connection", async () => {
  for await (const event of client.events()) if (event.event === "status") break;
  while (node.listeners() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("messages are cut out of any chunks", async () => {
  const text = ": hello\n\nevent: a\ndata: 1\ndata:2\n\ndata: caf\u00e9\r\n\r\nevent: none\n\nid: 7\ndata\n\n";
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 3, 7, 1_000]) {
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
    };
    const seen = [];
    for await (const message of messages(chunks())) seen.push(message);
    const expected = [{ event: "a", data: "1\n2" }, { event: "message", data: "caf\u00e9" }, { event: "message", data: "" }];
    assert.deepEqual(seen, expected, `chunks of ${size}`);
  }
});

test("a transfer goes from signature to finality", async () => {
  const sender = await wallet(0);
  const before = await client.account(FIRST + 5);
  const { hash, operation, receipt } = await sender.transfer(FIRST + 5, 10n ** 15n);
  assert.equal(operation.fee, 2_000_000_000_000n);
  assert.equal(receipt.operation, hash);
  assert.equal((await sender.wait(hash, "sequenced")).status, "sequenced");
  const final = waitFor(client, hash, "final", { every: 5 });
  node.next.push([404, "{}"]);
  await assert.rejects(final, { status: 404 });
  const again = waitFor(client, hash, "final", { every: 5 });
  node.world.finalize();
  assert.equal((await again).status, "final");
  const after = await client.account(FIRST + 5);
  assert.ok(checkPath(FIRST + 5, after).ok && checkRoot(after, await client.block("finalized")).ok);
  assert.ok(BigInt(after.account?.balance ?? 0) >= BigInt(before.account?.balance ?? 0) + 10n ** 15n);
  await assert.rejects(sender.wait(hash, "final", { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
});

test("a wallet sends with the next nonce, and is told of rejections", async () => {
  const sender = await wallet(1);
  const first = await sender.transfer(FIRST, 1n, 0n);
  const second = await sender.transfer(FIRST, 1n, 0n);
  assert.equal(second.operation.nonce, first.operation.nonce + 1);
  await assert.rejects(sender.transfer(FIRST, 10n ** 30n, 0n), (error) => error instanceof RejectedError && error.code === "insufficient_balance");
  await assert.rejects(sender.transfer(FIRST, 2n ** 35n + 1n, 0n), { name: "ProtocolError" });
});

test("a wallet believes no receipt of somebody else, for something else, or none", async () => {
  const sender = await wallet(2);
  const other = node.world.operations[0]?.receipt;
  const alter = (change: (answers: { receipt?: unknown }[]) => unknown) => {
    node.tamper = (path, answer) => (path === "/v1/operations" ? change(answer.answers) : answer);
  };
  alter(([first]) => ({ answers: [{ receipt: { ...(first?.receipt as object), time: 1 } }] }));
  await assert.rejects(sender.transfer(FIRST, 1n), DistrustError);
  alter(() => ({ answers: [{ receipt: other }] }));
  await assert.rejects(sender.transfer(FIRST, 1n), /it names operation/);
  alter(() => ({ answers: [{}] }));
  await assert.rejects(sender.transfer(FIRST, 1n), /neither a receipt nor a rejection/);
  node.tamper = (path, answer) => (path.startsWith("/v1/accounts/") ? { ...answer, account: { ...answer.account, nonce: 0 } } : answer);
  await assert.rejects(sender.transfer(FIRST, 1n), /another root/);
});
