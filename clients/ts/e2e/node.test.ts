/**
 * What must hold of any node. `BASTION_NODE=http://..` names one that runs; otherwise a fake one does.
 * `BASTION_ACCOUNT` is the index of an account that exists there.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { checkInclusion, checkOperation, checkPath, checkSigner, Client, NodeError } from "../src/index.js";
import { launch, open, startFakeNode } from "./browser.js";

const account = Number(process.env["BASTION_ACCOUNT"] ?? 131_072);
let browser: Browser;
let url = process.env["BASTION_NODE"]?.replace(/\/$/, "") ?? "";
let stop = async () => {};
let client: Client;

before(async () => {
  if (url === "") {
    const node = await startFakeNode();
    url = node.url;
    stop = () => node.close();
  }
  client = new Client(url);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await stop();
});

/** Opens a page, and sees that it has nothing to complain about. */
async function look(address: string, see: (text: () => Promise<string>, verdict: () => Promise<string | null>) => Promise<void>): Promise<void> {
  const { page, complaints } = await open(browser, url, address);
  await page.locator("#connection[data-state=live]").waitFor();
  const verdict = async () => {
    await page.locator("[data-verdict]").waitFor();
    return page.locator("[data-verdict]").getAttribute("data-verdict");
  };
  await see(() => page.locator("main").innerText(), verdict);
  await page.context().close();
  assert.deepEqual(complaints, []);
}

test("the answers have the fields that the types promise", async () => {
  const [version, status, blocks, jobs] = await Promise.all([client.version(), client.status(), client.blocks(), client.jobs()]);
  assert.match(version.sequencer, /^0x[0-9a-f]{40}$/);
  assert.match(version.contract, /^0x[0-9a-f]{40}$/);
  assert.ok(Number.isSafeInteger(version.chain_id) && Number.isFinite(status.operations_per_second));
  assert.ok(Array.isArray(status.workers) && Array.isArray(jobs));
  const stages = ["open", "sealing", "proving", "aggregating", "settling", "final"];
  for (const block of blocks) {
    assert.ok(stages.includes(block.stage), block.stage);
    assert.equal(typeof block.committed, "boolean");
    assert.equal(typeof block.proven, "boolean");
    assert.deepEqual(Object.keys(block.transactions).sort(), ["commit", "finalize", "prove"]);
  }
  for await (const event of client.events()) if (event.event === "status") break;
});

test("account, receipt and records pass the checks", async () => {
  const proof = await client.account(account);
  assert.deepEqual(checkPath(account, proof).text, "balance, nonce, owner and freeze give the state root");
  const { chain_id, contract, sequencer } = await client.version();
  for (const operation of await client.operationsOf(account, { limit: 5 })) {
    const checks = [
      checkSigner(operation.receipt, { chainId: chain_id, contract }, sequencer),
      checkOperation(operation.receipt, operation.bytes),
    ];
    const inclusion = await client.inclusion(operation.hash).catch((error: unknown) => {
      assert.ok(error instanceof NodeError && error.status === 404);
    });
    if (inclusion) checks.push(checkInclusion(operation.receipt, inclusion));
    for (const check of checks) assert.ok(check.ok, check.text);
  }
});

test("the pages show it, and find nothing wrong", async () => {
  await look("", async (text) => assert.match(await text(), /Blocks on their way/));
  // A node whose blocks are all final has no jobs; the page follows what the node says, within some seconds.
  await look("#/jobs", async (text) => {
    let shown = "";
    for (let attempt = 0; attempt < 20; attempt++) {
      const expected = (await client.jobs()).length > 0 ? /\d+ queued/ : /No job yet/;
      shown = await text();
      if (expected.test(shown)) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.fail(`the page does not show the node's jobs: ${shown}`);
  });
  await look(`#/accounts/${account}`, async (_, verdict) => assert.notEqual(await verdict(), "bad"));
  const [operation] = await client.operationsOf(account, { limit: 1 });
  if (operation) await look(`#/operations/${operation.hash}`, async (_, verdict) => assert.notEqual(await verdict(), "bad"));
});
