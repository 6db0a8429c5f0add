/** The verifier in a browser: a page that loads its bundle checks a proof. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { files } from "../test/block.js";
import { launch } from "./browser.js";

const { bundle } = (await import(new URL("../../bundle.mjs", import.meta.url).href)) as {
  bundle: (entry: string) => Promise<string>;
};

let browser: Browser;
let server: Server;

before(async () => {
  const script = await bundle("src/verifier/index.ts");
  server = createServer((request, response) => {
    const [type, text] = request.url === "/verifier.js" ? ["text/javascript", script] : ["text/html", "<!doctype html>"];
    response.writeHead(200, { "content-type": type, "content-security-policy": "default-src 'self'" }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

test("a page verifies a block, and refuses it with one byte of its data changed", async () => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const { manifest, description, proof, header } = files;
  const said = await page.evaluate(
    async ({ manifest, description, proof, header, data, path }) => {
      const { CircuitVerifier, blockInputs, headerFrom, verifyBlock } = (await import(path)) as typeof import("../src/verifier/index.js");
      const verifier = CircuitVerifier.ofBlocks(manifest, description);
      const bytes = Uint8Array.from(data);
      const judge = () => {
        const verdict = verifyBlock(verifier, proof, blockInputs(headerFrom(header), bytes));
        return verdict.ok ? "ok" : verdict.refused.reason;
      };
      const first = judge();
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      return [first, judge()];
    },
    { manifest, description, proof, header, data: [...files.data], path: "/verifier.js" },
  );
  assert.deepEqual(said, ["ok", "inputs"]);
});
