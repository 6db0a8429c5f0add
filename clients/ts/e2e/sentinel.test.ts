/** The page of findings over a fake node: what a node may say that is wrong, hostile or large. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launch, open, startFakeNode, type FakeNode } from "./browser.js";

const XSS = `<img src=x onerror="window.broken=true"><script>window.broken=true</script>`;
let browser: Browser;
let node: FakeNode;
let opened: { page: Page; complaints: string[] }[] = [];

before(async () => {
  [browser, node] = await Promise.all([launch(), startFakeNode()]);
});
after(async () => {
  await browser?.close();
  await node?.close();
});
afterEach(async () => {
  node.tamper = (_path, answer) => answer;
  node.admin = false;
  const all = opened;
  opened = [];
  for (const { page } of all) await page.context().close();
  assert.deepEqual(all.flatMap(({ complaints }) => complaints), []);
});

async function visit(address: string): Promise<Page> {
  const visited = await open(browser, node.url, address);
  opened.push(visited);
  return visited.page;
}

/** Changes the answer of a path. */
const on = (path: string, change: (answer: any) => unknown) => {
  node.tamper = (at, answer) => (at === path ? change(answer) : answer);
};
const calm = async (page: Page) => {
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await page.evaluate(() => "broken" in window), false);
};

test("markup in every field of a finding shows as text", async () => {
  const finding = (event: object) => JSON.stringify({ number: 0, at_ms: 1, finding: event });
  const reason = { detector: XSS, version: XSS, score: XSS, evidence: [[XSS, XSS], XSS, null] };
  for (const entry of [
    finding({ event: "verdict", operation: XSS, verdict: { decision: { decision: "quarantine", until: XSS }, reasons: [reason] } }),
    finding({ event: "released", operation: XSS, by: XSS }),
    finding({ event: "frozen", account: XSS, until: XSS, evidence: [XSS] }),
    finding({ event: "unfrozen", account: 131_072, reason: XSS }),
    finding({ event: "rules", version: XSS, reason: XSS }),
    finding({ event: "note", subject: XSS, text: XSS }),
    finding({ event: XSS }),
    XSS,
  ]) {
    node.tamper = (path, answer) => (path === "/v1/sentinel/findings" ? { ...answer, findings: [entry], count: 1 } : path === "/v1/sentinel" ? { ...answer, findings: 1, held: 0, rules: XSS, mode: XSS } : answer);
    const page = await visit("#/sentinel");
    await page.locator(".finding").waitFor();
    await page.locator(".tile-value", { hasText: "onerror" }).waitFor();
    await calm(page);
    await page.goto(`${node.url}/#/sentinel/0`);
    await page.locator("[data-outcome]").waitFor();
    assert.ok((await page.locator("main").innerText()).includes("onerror") , entry);
    await calm(page);
  }
});

test("characters that turn the direction of text are named", async () => {
  const page = await visit("#/sentinel/1");
  const reason = page.locator(".reason", { hasText: "feed.indicator" });
  await reason.waitFor();
  assert.match(await reason.innerText(), /indicator--1\[U\+202E\]<img src=x/);
  await calm(page);
});

test("a log whose hashes do not give its head is said to be wrong", async () => {
  let page = await visit("#/sentinel");
  await page.locator(".tile", { hasText: "the chain of hashes fits" }).waitFor();
  on("/v1/sentinel/findings", (answer) => ({ ...answer, findings: answer.findings.map((text: string) => text.replace('"out_peers","30"', '"out_peers","31"')) }));
  page = await visit("#/sentinel");
  await page.locator(".tile", { hasText: "the hashes do NOT fit" }).waitFor();
});

test("a hostile list of what is held back makes no command", async () => {
  const name = "0x00; rm -rf /";
  on(`/v1/sentinel/held/${[...node.sentinel.held.keys()][0]}`, (answer) => ({ ...answer, operation: name, account: "1; reboot" }));
  const page = await visit("#/sentinel");
  await page.locator(".finding-hold").first().waitFor();
  await page.waitForTimeout(300);
  assert.ok(!(await page.locator("main").innerHTML()).includes("rm -rf"));
  assert.equal(await page.locator(".helds .why").count(), 0);
});

test("new findings come by themselves, and kinds can be chosen", async () => {
  const page = await visit("#/sentinel");
  await page.locator(".finding").first().waitFor();
  node.sentinel.note("memory", "something new");
  await page.locator(".finding", { hasText: "Memory: something new" }).waitFor();
  await page.selectOption("#kinds", "freezes");
  assert.equal(await page.locator(".finding-note").count(), 0);
  assert.ok((await page.locator(".finding-frozen").count()) > 0);
});

test("older findings are read when they are asked for", async () => {
  for (let i = 0; i < 150; i++) node.sentinel.note("flood", `number ${i}`);
  const page = await visit("#/sentinel");
  await page.locator(".finding", { hasText: "number 149" }).waitFor();
  assert.equal(await page.locator(".finding").count(), 50);
  const more = page.locator("button", { hasText: "Older findings" });
  for (let i = 0; i < 6 && await more.isVisible(); i++) {
    await more.click();
    await page.waitForTimeout(100);
  }
  assert.equal(await page.locator(".finding").count(), node.sentinel.entries.length);
  await page.locator(".tile", { hasText: "the chain of hashes fits" }).waitFor();
});

test("a node without a sentinel, and a finding that is not there, are said", async () => {
  let page = await visit("#/sentinel/4000");
  await page.locator("main .alarm-bad", { hasText: "finding 4000 does not exist" }).waitFor();
  page = await visit("#/sentinel/abc");
  await page.locator("main .alarm-bad", { hasText: "abc is no number of a finding" }).waitFor();
  await page.route("**/v1/sentinel", (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: '{"status":404,"code":"not_found","detail":"there is no sentinel"}' }));
  await page.goto(`${node.url}/#/sentinel`);
  await page.locator("main .alarm", { hasText: "This node has no sentinel" }).waitFor();
});

test("an admin address that refuses later ends the session of the operator", async () => {
  node.admin = true;
  const page = await visit("#/sentinel");
  await page.locator("#token").waitFor();
  await page.fill("#token", "a-token-of-the-operator-for-tests");
  await page.keyboard.press("Enter");
  await page.locator("main", { hasText: "You are signed in" }).waitFor();
  await page.route("**/admin/v1/**", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401,"code":"unauthorized","detail":"another token"}' }));
  await page.locator(".freeze .orders button", { hasText: "Unfreeze" }).click();
  await page.locator("#token").waitFor();
});

test("the page knows every feature of the rules", async () => {
  const readme = readFileSync(new URL("../../../../sentinel/README.md", import.meta.url), "utf8");
  const table = readme.slice(readme.indexOf("## Features"), readme.indexOf("## Models"));
  const features = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const page = await visit("#/sentinel");
  const known = await page.evaluate(async () => {
    const path = "/assets/evidence.js";
    return Object.keys((await import(path)).MEANING);
  });
  assert.ok(features.length > 50);
  assert.deepEqual(features.filter((name) => !known.includes(name ?? "")), []);
});
