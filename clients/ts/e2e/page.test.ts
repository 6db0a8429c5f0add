import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch, open, startFakeNode, type FakeNode } from "./browser.js";

const FIRST = 131_072;
const PHONE: BrowserContextOptions = { viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true };
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
  Object.assign(node.world, { breaker: null, paused: false, synced: true, queue: { taken: 41, on_l1: 41, oldest_seconds: 0 } });
  const all = opened;
  opened = [];
  for (const { page } of all) await page.context().close();
  assert.deepEqual(all.flatMap(({ complaints }) => complaints), []);
});

async function visit(address = "", options?: BrowserContextOptions): Promise<Page> {
  const visited = await open(browser, node.url, address, options);
  opened.push(visited);
  return visited.page;
}

const verdict = async (page: Page) => {
  const found = page.locator("[data-verdict]");
  await found.waitFor();
  return { kind: await found.getAttribute("data-verdict"), text: await found.innerText() };
};
const stageOf = (page: Page, block: number) =>
  page.locator(".stage", { has: page.locator(`a[href="#/blocks/${block}"]`) }).getAttribute("data-stage");
const card = (page: Page, block: number) => page.locator(`.pipeline a[href="#/blocks/${block}"]`);

test("the overview shows blocks in their stages, figures, charts and the table", async () => {
  const page = await visit();
  await card(page, 24).waitFor();
  for (const { number, stage } of node.world.blocks.slice(-6)) assert.equal(await stageOf(page, number), stage);
  assert.match(await page.locator(".tiles").innerText(), /Operations per second\s+42\.6/);
  assert.equal(await page.locator(".tile-value").nth(1).innerText(), "18");
  const rows = page.locator("tbody tr");
  assert.equal(await rows.count(), 24);
  assert.match(await rows.nth(6).innerText(), /18\s+final\s+512\s+[\d,.]+ gwei\s+\d+/);
  assert.match((await page.locator("svg[aria-label^='Gas per operation']").getAttribute("aria-label")) ?? "", /from \d+ to \d+, now \d+/);
  assert.equal(await page.locator("#connection").innerText(), "Live");
});

test("events move blocks, progress and figures without a reload", async () => {
  const page = await visit("", { reducedMotion: "no-preference" });
  await card(page, 24).waitFor();
  const job = node.world.jobs.find(({ kind }) => kind === "prove_block");
  assert.ok(job);
  node.push("progress", { job: job.key, worker: job.worker, stage: "quotient", part: 0.42, eta_seconds: 61 });
  await page.locator(".worker", { hasText: "quotient" }).waitFor();
  assert.match(await page.locator(".worker", { hasText: "prover-2" }).innerText(), /Block 20: quotient\s+42 %, 1 min 1 s left/);
  assert.match(await card(page, job.number).innerText(), /42 %/);
  assert.match(await page.locator(".worker", { hasText: "prover-3" }).innerText(), /silent for 1 min 34 s/);
  const moved = node.world.block(node.world.blocks.find(({ stage }) => stage === "settling"));
  node.push("block", { ...moved, stage: "final", finalized_at: moved.opened_at + 100 });
  await page.locator(`.stage-final a[href="#/blocks/${moved.number}"]`).waitFor();
  assert.match(await card(page, moved.number).innerText(), /after 1 min 40 s/);
  node.push("status", { ...node.world.status(), operations_per_second: 77 });
  await page.locator(".tile-value", { hasText: /^77$/ }).waitFor();
});

test("a broken connection is shown, and made again with what was missed", async () => {
  const page = await visit();
  await page.locator("#connection[data-state=live]").waitFor();
  await card(page, 24).waitFor();
  node.tamper = (path, value) => (path === "/v1/blocks" ? { blocks: [{ ...value.blocks[0], number: 25, stage: "open" }, ...value.blocks] } : value);
  node.cut();
  await card(page, 25).waitFor();
  assert.equal(await page.locator("#connection").innerText(), "Live");
});

test("alarms are shown plainly, on every page", async () => {
  Object.assign(node.world, { breaker: "3 jobs in a row failed", paused: true, synced: false, queue: { taken: 40, on_l1: 41, oldest_seconds: 6 * 86_400 } });
  const page = await visit("#/verify");
  const text = page.locator("#alarms");
  await text.locator(".alarm-bad").first().waitFor();
  for (const alarm of [
    /The breaker stopped proving\. 3 jobs in a row failed\./, /L1 is not in sync\./, /Paused\./,
    /The L1 queue waits\. Its oldest entry has waited 6 d\. After 7 days/, /Development only\./,
  ]) assert.match(await text.innerText(), alarm);
  Object.assign(node.world, { breaker: null, paused: false, synced: true, queue: { taken: 41, on_l1: 41, oldest_seconds: 0 } });
  node.push("status", node.world.status());
  await text.locator(".alarm-bad").first().waitFor({ state: "detached" });
  assert.match(await text.innerText(), /^Development only\./);
});

test("jobs: failures come first, with their causes", async () => {
  const failed = { key: "batch-7-ffff0000", kind: "prove_batch" as const, number: 7, circuit: "c", state: "failed" as const, worker: null, attempts: 3, causes: ["out of memory", "the lease ran out"], since: node.world.status().time, block: 4 };
  node.world.jobs.push(failed);
  try {
    const page = await visit("#/jobs");
    const first = page.locator(".job").first();
    await first.waitFor();
    assert.match(await first.innerText(), /batch-7-ffff0000\s+failed\s+3 attempts, 0 s ago/);
    assert.deepEqual(await first.locator("li").allInnerTexts(), failed.causes);
    assert.match(await page.locator("#alarms").innerText(), /Proofs are missing\. A job has failed\./);
  } finally {
    node.world.jobs.pop();
  }
});

test("an account's proof is checked here: green", async () => {
  const page = await visit("#/accounts");
  await page.fill("#index", String(FIRST));
  await page.keyboard.press("Enter");
  const { kind, text } = await verdict(page);
  assert.equal(kind, "good");
  assert.match(text, /Checked here, in your browser/);
  assert.match(text, /Balance, nonce, owner and freeze give the state root/);
  assert.match(text, /The root is that of block 18, which is final on L1/);
  assert.match(await page.locator("main").innerText(), /Balance\s+4\.\d+ ETH/);
  assert.match(await page.locator("main").innerText(), /Promised, not proven yet\s+balance 4\.\d+ ETH, nonce 24/);
  await page.locator("tbody tr").first().waitFor();
  assert.equal(await page.locator("tbody tr").count(), 24);
});

test("an empty place and a frozen account are proven too", async () => {
  let page = await visit(`#/accounts/${FIRST + 99}`);
  let found = await verdict(page);
  assert.equal(found.kind, "good");
  assert.match(found.text, /This place is empty/);
  page = await visit(`#/accounts/${FIRST + 4}`);
  found = await verdict(page);
  assert.equal(found.kind, "good");
  assert.match(await page.locator("main").innerText(), /frozen until 2027-01-16/);
});

for (const [name, change] of [
  ["balance", { balance: "99000000000000000000" }], ["nonce", { nonce: 0 }], ["frozen state", { frozen_until: 1 }],
  ["owner", { owner: `0x${"01".repeat(32)}` }], ["balance that is no number", { balance: XSS }],
] as const) {
  test(`a tampered ${name} is red`, async () => {
    node.tamper = (path, answer) => (path === `/v1/accounts/${FIRST}` ? { ...answer, account: { ...answer.account, ...change } } : answer);
    const page = await visit(`#/accounts/${FIRST}`);
    const { kind, text } = await verdict(page);
    assert.equal(kind, "bad");
    assert.match(text, /Do not believe what this node says/);
    assert.match(await page.locator(".doubted").innerText(), /Claimed, but not proven/);
    assert.equal(await page.locator("main img, main script").count(), 0);
  });
}

test("a proof for another account, another root, or a root that is not final are not green", async () => {
  const on = (path: string, change: (answer: any) => unknown) => {
    node.tamper = (at, answer) => (at === path ? change(answer) : answer);
  };
  const cases: [() => void, string, RegExp][] = [
    [() => on(`/v1/accounts/${FIRST}`, (a) => ({ ...a, index: FIRST + 1 })), "bad", /the proof is for account 131073/i],
    [() => on(`/v1/accounts/${FIRST}`, (a) => ({ ...a, path: a.path.slice(1) })), "bad", /expected 32 siblings, got 31/],
    [() => on(`/v1/accounts/${FIRST}`, (a) => ({ ...a, path: undefined })), "bad", /cannot be read/],
    [() => on("/v1/blocks/finalized", (b) => ({ ...b, new_root: `0x${"01".repeat(32)}` })), "bad", /not that of block 18/],
    [() => on("/v1/blocks/finalized", (b) => ({ ...b, stage: "settling" })), "bad", /block 18 is not final/i],
    [() => {
      node.tamper = (at, a) => at === `/v1/accounts/${FIRST}` ? { ...a, finalized: false } : at === "/v1/blocks/finalized" ? { ...a, new_root: `0x${"01".repeat(32)}` } : a;
    }, "warn", /newer than block 18/],
  ];
  for (const [tamper, expected, why] of cases) {
    tamper();
    const page = await visit(`#/accounts/${FIRST}`);
    const { kind, text } = await verdict(page);
    assert.equal(kind, expected, text);
    assert.match(text, why);
  }
});

test("an operation: content from its bytes, receipt recovered here, records compared: green", async () => {
  const hash = node.world.operations[0]?.hash ?? "";
  const page = await visit();
  await page.locator("#connection[data-state=live]").waitFor();
  await page.fill("#search-text", hash);
  await page.keyboard.press("Enter");
  const { kind, text } = await verdict(page);
  assert.equal(kind, "good");
  assert.match(text, new RegExp(`The sequencer ${node.world.sequencer} signed it`));
  assert.match(text, /Its key signed exactly these fields/);
  assert.match(text, /The posted records are those that were promised/);
  assert.match(text, /The posted records do what the operation says/);
  const main = await page.locator("main").innerText();
  assert.match(main, /Kind\s+transfer\s+Account\s+131073\s+To account\s+131075\s+Amount\s+0\.008 ETH/);
  assert.match(main, /position 0 of batch 0 in block 1/);
});

for (const [name, change, why] of [
  ["receipt of another signer", (a: any) => ({ ...a, receipt: { ...a.receipt, time: a.receipt.time + 1 } }), /not the sequencer/],
  ["malformed signature", (a: any) => ({ ...a, receipt: { ...a.receipt, signature: "0x00" } }), /cannot be read/],
  ["receipt of another operation", (a: any) => ({ ...a, receipt: node.world.operations[1]?.receipt }), /names operation/],
  ["other bytes", (a: any) => ({ ...a, bytes: `${a.bytes.slice(0, -2)}00` }), /names operation|cannot be read/],
  ["bytes that are none", (a: any) => ({ ...a, bytes: XSS }), /cannot be read/],
] as const) {
  test(`an operation with a ${name} is red`, async () => {
    const hash = node.world.operations[0]?.hash ?? "";
    node.tamper = (path, answer) => (path === `/v1/operations/${hash}` ? change(answer) : answer);
    const page = await visit(`#/operations/${hash}`);
    const { kind, text } = await verdict(page);
    assert.equal(kind, "bad");
    assert.match(text, why);
  });
}

test("the search finds accounts, blocks, operations and owners", async () => {
  const block = node.world.block(node.world.blocks[2]);
  const proof = (await (await fetch(`${node.url}/v1/accounts/${FIRST}`)).json()) as { account: { owner: string } };
  const page = await visit();
  await card(page, 24).waitFor();
  for (const [text, address] of [
    ["131072", "#/accounts/131072"], ["7", "#/blocks/7"], ["account 7", "#/accounts/7"], ["Block 900", "#/blocks/900"],
    [block.hash ?? "", `#/blocks/${block.hash}`], [proof.account.owner, `#/accounts/${proof.account.owner}`],
    [`0x${"AB".repeat(32)}`, `#/operations/0x${"ab".repeat(32)}`],
  ] as const) {
    await page.fill("#search-text", text);
    await page.keyboard.press("Enter");
    await page.waitForFunction((wanted) => location.hash === wanted, address);
  }
  await page.fill("#search-text", "nonsense");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => (document.querySelector("#search-text") as HTMLInputElement).validationMessage !== "");
});

test("accounts of an owner are listed, each checked", async () => {
  const { account } = (await (await fetch(`${node.url}/v1/accounts/${FIRST}`)).json()) as { account: { owner: string } };
  const read = async () => {
    const page = await visit(`#/accounts/${account.owner}`);
    await page.locator("tbody tr").first().waitFor();
    return page.locator("tbody tr").first().innerText();
  };
  assert.match(await read(), /131072\s+4\.\d+ ETH\s+fits its root/);
  node.tamper = (path, answer) => (path === "/v1/accounts" ? { accounts: [{ ...answer.accounts[0], root: `0x${"00".repeat(32)}` }] } : answer);
  assert.match(await read(), /does not fit its root/);
});

test("records that were not promised are red", async () => {
  const hash = node.world.operations[0]?.hash ?? "";
  node.tamper = (path, answer) => (path.endsWith("/inclusion") ? { ...answer, records: [`0x1c8a0002${"0".repeat(22)}`] } : answer);
  const page = await visit(`#/operations/${hash}`);
  const { kind, text } = await verdict(page);
  assert.equal(kind, "bad");
  assert.match(text, /not the promised/);
});

test("a pasted receipt is verified against the address that its holder trusts", async () => {
  const page = await visit("#/verify");
  await page.locator("#connection[data-state=live]").waitFor();
  const receipt = node.world.operations[0]?.receipt;
  assert.ok(receipt);
  const check = async (text: string) => {
    await page.fill("#receipt", text);
    await page.click("main button.primary");
    return verdict(page);
  };
  await page.waitForFunction(() => (document.querySelector("#sequencer") as HTMLInputElement).value !== "");
  assert.equal((await check(JSON.stringify(receipt))).kind, "good");
  const altered = await check(JSON.stringify({ ...receipt, position: 1 }));
  assert.equal(altered.kind, "bad");
  assert.match(altered.text, /The sequencer did not give this receipt/);
  await page.fill("#sequencer", `0x${"ab".repeat(20)}`);
  const other = await check(JSON.stringify(receipt));
  assert.equal(other.kind, "bad");
  await page.fill("#receipt", XSS);
  await page.click("main button.primary");
  await page.locator("main .alarm-bad").waitFor();
  assert.match(await page.locator("main .alarm-bad").innerText(), /expected JSON/);
});

test("a receipt that was signed and not kept is red", async () => {
  node.tamper = (path, answer) => (path.endsWith("/inclusion") ? { ...answer, position: answer.position + 1 } : answer);
  const page = await visit("#/verify");
  await page.waitForFunction(() => (document.querySelector("#sequencer") as HTMLInputElement).value !== "");
  await page.fill("#receipt", JSON.stringify(node.world.operations[0]?.receipt));
  await page.click("main button.primary");
  const { kind, text } = await verdict(page);
  assert.equal(kind, "bad");
  assert.match(text, /The sequencer gave this receipt and did not keep it/);
});

test("markup in what the node says shows as text", async () => {
  const job = { key: XSS, kind: "prove_batch" as const, number: 7, circuit: XSS, state: "failed" as const, worker: XSS, attempts: 1, causes: [XSS], since: 1, block: 4 };
  node.world.jobs.push(job);
  node.world.breaker = XSS;
  node.tamper = (path, answer) => {
    if (path === "/v1/version") return { ...answer, version: XSS, shape: XSS };
    if (path === "/v1/status") return { ...answer, workers: [{ name: XSS, busy: true, last_heard_seconds: 1 }] };
    if (path === `/v1/accounts/${FIRST}/operations`) return { operations: answer.operations.map((op: object) => ({ ...op, kind: XSS, hash: XSS, amount: XSS, status: XSS })) };
    return answer;
  };
  try {
    for (const address of ["", "#/jobs", `#/accounts/${FIRST}`, `#/operations/${encodeURIComponent(XSS)}`, `#/accounts/${encodeURIComponent(XSS)}`, `#/blocks/${encodeURIComponent(XSS)}`]) {
      const page = await visit(address);
      await page.locator("#alarms", { hasText: "onerror" }).waitFor();
      if (address === "#/jobs") assert.equal(await page.locator(".job li").first().innerText(), XSS);
      assert.equal(await page.locator("main img, main script, #alarms img, footer img").count(), 0, address);
      assert.equal(await page.evaluate(() => "broken" in window), false, address);
    }
  } finally {
    node.world.jobs.pop();
  }
});

test("a block page shows stages, roots, transactions and batches", async () => {
  const page = await visit("#/blocks/3");
  await page.locator("h2", { hasText: "Batches" }).waitFor();
  const main = await page.locator("main").innerText();
  assert.match(main, /committed on L1, proven/);
  assert.match(main, /Commit\s+0x[0-9a-f]{8}…/);
  assert.equal(await page.locator(".step-done").count(), 6);
});

test("what does not exist is said", async () => {
  for (const [address, why] of [
    ["#/blocks/999", /block 999 does not exist/], ["#/operations/0x00", /operation 0x00 does not exist/],
    ["#/accounts/abc", /abc is no index/], ["#/accounts/4294967296", /is no index/], ["#/nowhere", /leads nowhere/], ["#/toString", /leads nowhere/],
  ] as const) {
    const page = await visit(address);
    await page.locator("main .alarm-bad").waitFor();
    assert.match(await page.locator("main .alarm-bad").innerText(), why);
  }
});

test("the keyboard reaches everything, and shows where it is", async () => {
  const page = await visit();
  await page.locator("#connection[data-state=live]").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
  const seen: string[] = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => (document.activeElement?.textContent || document.activeElement?.id) ?? ""));
  }
  for (const stop of ["Overview", "Accounts", "Receipts", "Jobs", "Sentinel", "search-text", "Find"]) assert.ok(seen.includes(stop), `${stop} in ${seen}`);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
  assert.notEqual(outline, "none");
  await page.locator("nav a", { hasText: "Jobs" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "Jobs" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  assert.equal(await page.locator("nav a[aria-current=page]").innerText(), "Jobs");
});

test("controls have names, and pages one heading", async () => {
  for (const address of ["", "#/jobs", `#/accounts/${FIRST}`, "#/verify", "#/blocks/3", "#/sentinel", "#/sentinel/1"]) {
    const page = await visit(address);
    await page.locator("#about code").first().waitFor();
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("a, button, input, select, textarea, progress, meter, svg[role=img], table")].filter((element) => {
        if (element.closest("[hidden]")) return false;
        const labels = (element as HTMLInputElement).labels;
        return !(element.textContent?.trim() || element.getAttribute("aria-label") || labels?.length || element.querySelector("caption"));
      }).map((element) => element.outerHTML));
    assert.deepEqual(nameless, [], address);
    assert.equal(await page.locator("h1").count(), 1);
  }
});

for (const scheme of ["light", "dark"] as const) {
  test(`text stands out from its ground, ${scheme}`, async () => {
    for (const address of ["", "#/jobs", `#/accounts/${FIRST}`, "#/verify", "#/sentinel", "#/sentinel/1"]) {
      const page = await visit(address, { colorScheme: scheme });
      await page.locator("#about code").first().waitFor();
      await page.locator(address.includes("accounts") ? "[data-verdict]" : address.includes("sentinel") ? ".finding, .reason" : "h1").first().waitFor();
      assert.deepEqual(await page.evaluate(faint), [], address);
    }
  });
}

/** Text whose contrast is below 4.5 to 1 (WCAG AA). Runs in the page. */
function faint(): string[] {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const rgba = (color: string): number[] => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb: number[]) => {
    const [r = 0, g = 0, b = 0] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element: Element | null): number[] => {
    if (element === null) return rgba("canvas");
    const [r = 0, g = 0, b = 0, a = 0] = rgba(getComputedStyle(element).backgroundColor);
    if (a === 255) return [r, g, b];
    const below = ground(element.parentElement);
    return [r, g, b].map((c, i) => (c * a + (below[i] ?? 0) * (255 - a)) / 255);
  };
  const found: string[] = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent?.trim());
    if (!own || element.getClientRects().length === 0 || element.closest(".unseen, svg, .skip")) continue;
    const [text, back] = [light(rgba(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
    const contrast = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(2)}: ${element.className} ${element.textContent?.slice(0, 40)}`);
  }
  return found;
}

test("a phone shows every page without scrolling sideways", async () => {
  node.world.breaker = `a cause without any blank: ${"x".repeat(300)}`;
  const hash = node.world.operations[0]?.hash;
  for (const address of ["", "#/jobs", `#/accounts/${FIRST}`, `#/operations/${hash}`, "#/verify", "#/blocks/3"]) {
    const page = await visit(address, PHONE);
    await page.locator("#about code").first().waitFor();
    await page.locator("#alarms .alarm-bad").waitFor();
    if (/accounts|operations/.test(address)) await page.locator("[data-verdict]").waitFor();
    const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok((content ?? 0) <= (screen ?? 0), `${address}: ${content} > ${screen}`);
  }
});

test("nothing comes from elsewhere, and the policy of the node holds", async () => {
  const page = await visit();
  await card(page, 24).waitFor();
  const { headers } = await page.evaluate(async () => {
    const response = await fetch("/");
    return { headers: Object.fromEntries(response.headers) };
  });
  assert.match(headers["content-security-policy"] ?? "", /^default-src 'self';/);
  const inline = await page.evaluate(() => document.querySelectorAll("script:not([src]), style, [style], [onclick]").length);
  assert.equal(inline, 0);
});
