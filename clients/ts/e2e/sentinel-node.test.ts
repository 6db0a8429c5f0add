/**
 * The page of findings over any node on which a theft is held back. `BASTION_NODE`, `BASTION_ADMIN` and
 * `BASTION_TOKEN_FILE` name one that runs (`scripts/sentinel-page.sh` starts it); otherwise a fake one does.
 * `BASTION_SHOTS` is a folder for pictures.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { Client } from "../src/index.js";
import { launch, open, startFakeNode, type FakeNode } from "./browser.js";

const FAKE_TOKEN = "a-token-of-the-operator-for-tests";
const address = (name: string) => process.env[name]?.replace(/\/$/, "") ?? "";
const account = Number(process.env["BASTION_ACCOUNT"] ?? 131_072);
const shots = process.env["BASTION_SHOTS"];
// The other test of any node runs over nodes without a theft too.
let [url, admin] = address("BASTION_ADMIN") === "" ? ["", ""] : [address("BASTION_NODE"), address("BASTION_ADMIN")];
let token = FAKE_TOKEN;
let fake: FakeNode | undefined;
let browser: Browser;
let client: Client;
let held: { operation: string; until: number };

before(async () => {
  if (url === "") {
    fake = await startFakeNode();
    [url, admin] = [fake.url, fake.url];
  } else {
    token = readFileSync(process.env["BASTION_TOKEN_FILE"] ?? "admin-token", "utf8").trim();
  }
  client = new Client(url);
  browser = await launch();
  const { findings } = await client.findings({ limit: 100 });
  for (const entry of findings.map((text) => JSON.parse(text).finding)) {
    if (entry.verdict?.decision.decision !== "quarantine") continue;
    held = await client.held(`0x${entry.operation}`);
  }
  assert.ok(held, "no operation is held back");
});
after(async () => {
  await browser?.close();
  await fake?.close();
});

/** Opens a page at the public or at the admin address, and sees that it has nothing to complain about. */
async function visit(operator: boolean, place: string, see: (page: Page) => Promise<void>, options?: BrowserContextOptions): Promise<void> {
  if (fake) fake.admin = operator;
  const { page, complaints } = await open(browser, operator ? admin : url, place, options);
  await page.locator("#connection[data-state=live]").waitFor();
  await see(page);
  await page.context().close();
  assert.deepEqual(complaints, []);
}

const shoot = async (page: Page, name: string) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
};
const main = (page: Page) => page.locator("main").innerText();

async function signIn(page: Page, text: string): Promise<void> {
  await page.fill("#token", text);
  await page.locator("main form button", { hasText: "Sign in" }).click();
}

/** Presses a button that asks whether one is sure. */
async function press(page: Page, within: string, name: string): Promise<string> {
  const orders = page.locator(within).locator(".orders").first();
  await orders.locator("button", { hasText: name }).first().click();
  if (name !== "Unfreeze") await orders.locator("button", { hasText: `${name}: sure?` }).click();
  const said = orders.locator(".said");
  await said.filter({ hasText: /^(Done|Refused)/ }).waitFor();
  return said.innerText();
}

test("what is held back is shown, with its reasons and its end", async () => {
  await visit(false, "#/sentinel", async (page) => {
    const row = page.locator(".held", { hasText: held.operation.slice(0, 10) });
    await row.waitFor();
    const text = await row.innerText();
    assert.match(text, /Key change then withdraw \(950 of 1000\):\s+kind withdraw, to_own_exit no, since_key_change .*, out_share [\d.]+ %/);
    assert.ok(text.includes(new Date(1_000 * held.until).toISOString().slice(0, 19).replace("T", " ")), text);
    assert.match(text, /(\d+ (d|h|min|s) ?)+left/);
    await page.locator(".tile", { hasText: "the chain of hashes fits" }).waitFor();
    await page.locator(".finding-frozen").first().waitFor();
    await shoot(page, "findings");
  });
});

test("at the public address no token is asked for: there are the commands", async () => {
  await visit(false, "#/sentinel", async (page) => {
    await page.locator("main", { hasText: "This address has no admin API" }).waitFor();
    assert.equal(await page.locator("#token, .orders .row button:visible").count(), 0);
    const row = page.locator(".held", { hasText: held.operation.slice(0, 10) });
    await row.locator("summary").click();
    const commands = await row.locator(".command code").allInnerTexts();
    assert.ok(commands.includes(`bastion sentinel quarantine release ${held.operation}`), commands.join());
    await page.fill("#freeze-account", String(account));
    await page.fill("#freeze-seconds", "600");
    await page.locator(".freeze summary").click();
    assert.ok((await main(page)).includes(`bastion sentinel freeze ${account} --seconds 600`));
  });
});

test("a finding shows rule, version and values, and who paid whom", async () => {
  await visit(false, "#/sentinel", async (page) => {
    await page.locator(".finding-hold .finding-title", { hasText: "Key change then withdraw" }).first().click();
    await page.locator("[data-outcome='Held back']").waitFor();
    const reason = page.locator(".reason", { hasText: "rule.key-change-then-withdraw" });
    const text = await reason.innerText();
    assert.match(text, /Version\s+[0-9]+:[0-9a-f]{16}/);
    assert.match(text, /950 of 1000/);
    assert.match(text, /out_share\s+[\d.]+ %\s+what is sent, of the balance before/);
    assert.match(text, /action\s+quarantine 6 h/);
    await page.locator("svg.flows .flow-subject").waitFor();
    assert.ok((await page.locator("svg.flows .flow-edge").count()) >= 2);
    assert.match((await page.locator("svg.flows .flow-edge-held").first().textContent()) ?? "", /not shown yet/);
    await shoot(page, "finding");
  }, { colorScheme: "dark" });
});

test("a wrong token is refused by the node, and none is kept", async () => {
  for (const header of [{}, { authorization: "Bearer wrong-wrong-wrong-wrong-wrong-wrong" }]) {
    if (fake) fake.admin = true;
    const answer = await fetch(`${admin}/admin/v1/accounts/${account}/freeze`, { method: "POST", headers: { "content-type": "application/json", ...header }, body: '{"seconds":60}' });
    assert.equal(answer.status, 401);
  }
  await visit(true, "#/sentinel", async (page) => {
    await page.locator("#token").waitFor();
    await signIn(page, "wrong-wrong-wrong-wrong-wrong-wrong");
    await page.locator(".said", { hasText: "Refused: send the operator's token" }).waitFor();
    assert.equal(await page.inputValue("#token"), "");
    assert.equal(await page.locator(".orders .row button:visible").count(), 0);
  });
});

test("with the token the operator freezes and unfreezes, and the page follows", async () => {
  await visit(true, "#/sentinel", async (page) => {
    const sent: string[] = [];
    page.on("request", (request) => {
      if (request.headers()["authorization"] !== undefined) sent.push(new URL(request.url()).pathname);
    });
    await signIn(page, token);
    await page.locator("main", { hasText: "You are signed in as the operator" }).waitFor();
    await page.fill("#freeze-account", String(account));
    await page.fill("#freeze-seconds", "600");
    assert.match(await press(page, ".freeze", "Freeze"), /^Done: position \d+ of batch \d+ in block \d+\.$/);
    // The log tells of it, without a reload.
    const row = page.locator(".held", { hasText: `account ${account}` }).filter({ hasNotText: "Operation" });
    await row.waitFor();
    await page.locator(".finding-frozen", { hasText: `Account ${account} is frozen until` }).first().waitFor();
    await shoot(page, "operator");
    await row.locator("button", { hasText: "Unfreeze" }).click();
    await page.locator(".finding-unfrozen", { hasText: `account ${account}` }).first().waitFor();
    await row.waitFor({ state: "detached" });
    // The token goes to the operator's routes, and is nowhere else.
    assert.ok(sent.length > 0 && sent.every((path) => path.startsWith("/admin/v1/")), sent.join());
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.documentElement.outerHTML]));
    assert.ok(!kept.includes(token));
    await page.reload();
    await page.locator("#token").waitFor();
  });
});

test("names that others gave show as text", async () => {
  await visit(false, "#/sentinel", async (page) => {
    await page.locator(".finding-note", { hasText: "<img src=x onerror=" }).first().waitFor();
    assert.equal(await page.locator("main img, main script").count(), 0);
    assert.equal(await page.evaluate(() => "broken" in window), false);
  });
});

test("a phone shows it without scrolling sideways", async () => {
  const first = await client.findings({ limit: 100 });
  const number = first.findings.findIndex((text) => text.includes("key-change-then-withdraw"));
  for (const place of ["#/sentinel", `#/sentinel/${number}`]) {
    await visit(false, place, async (page) => {
      await page.locator(".held, svg.flows").first().waitFor();
      const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok((content ?? 0) <= (screen ?? 0), `${place}: ${content} > ${screen}`);
      await shoot(page, `phone-${place.split("/").length}`);
    }, { viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true, colorScheme: "light" });
  }
});

test("the operator sees where it pays, and lets it go", async () => {
  await visit(true, "#/sentinel", async (page) => {
    await signIn(page, token);
    await page.locator("main", { hasText: "You are signed in" }).waitFor();
    await page.locator(".finding-hold .finding-title", { hasText: "Key change then withdraw" }).first().click();
    await page.locator("svg.flows .flow-edge-held", { hasText: "4 ETH" }).waitFor();
    assert.match(await page.locator("svg.flows .flow-held").first().innerHTML(), /L1 0x90f7…b906/);
    await shoot(page, "finding-operator");
    // On the real node the playbook has frozen the account.
    const frozen = fake === undefined;
    const orders = page.locator("main .orders").first();
    await orders.locator("button", { hasText: "Release" }).click();
    await orders.locator(".said", { hasText: frozen ? "it cannot be executed, and is lost" : "This executes it now" }).waitFor();
    if (frozen) {
      await orders.locator("button", { hasText: "Unfreeze" }).click();
      await orders.locator(".said", { hasText: "Done: position" }).waitFor();
      // The page has to hear of it, and the button forgets what it announced.
      await orders.locator("button", { hasText: /^Release$/ }).waitFor();
      await orders.locator("button", { hasText: "Release" }).click();
      await orders.locator(".said", { hasText: "This executes it now" }).waitFor();
    }
    await orders.locator("button", { hasText: "Release: sure?" }).click();
    await page.locator("[data-outcome='Held back']").waitFor({ state: "detached" });
    await page.locator(".related", { hasText: "An operation is let go by" }).waitFor();
    if (frozen) await page.locator("[data-outcome=Executed]").waitFor();
  });
});
