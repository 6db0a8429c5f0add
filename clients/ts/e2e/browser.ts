/** Chromium, the page, and the node behind it. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import type { FakeNode } from "../test/fake-node.mjs";

export const { startFakeNode, animate } = (await import(
  new URL("../../test/fake-node.mjs", import.meta.url).href
)) as typeof import("../test/fake-node.mjs");
export type { FakeNode };

/** Starts a browser that is installed on this machine. */
export async function launch(): Promise<Browser> {
  const candidates = [process.env["BASTION_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error("no chromium: install it (apt-get install chromium) or name it in BASTION_CHROMIUM");
  }
  // Chromium's own sandbox does not start for root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args });
}

/**
 * Opens a page of the node at an address such as `#/jobs`. The complaints are its errors, what the
 * content security policy refused, and requests to somebody else.
 */
export async function open(
  browser: Browser,
  url: string,
  address = "",
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // What the page expects and shows, a 404, a refused token or a broken stream, the browser logs all the same.
    const expected = /^Failed to load resource: (?:.* status of 40[149]|net::ERR_)/.test(message.text());
    if (message.type() === "error" && !expected) complaints.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`${url}/${address}`);
  return { page, complaints };
}
