import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { address, elementToHex, emptyNodes } from "../src/index.js";
import { vectors } from "./vectors.js";

const { bundle, FILE } = (await import(new URL("../../bundle.mjs", import.meta.url).href)) as {
  bundle: () => Promise<string>;
  FILE: string;
};

test("the bundle that the node serves is the one that these sources give", async () => {
  const same = (await readFile(FILE, "utf8")) === (await bundle());
  assert.ok(same, "run `npm run bundle` in clients/ts");
});

test("the bundle computes the same", async () => {
  const bundled = (await import(FILE)) as { emptyNodes: typeof emptyNodes; address: typeof address };
  assert.equal(elementToHex(bundled.emptyNodes()[32] ?? 0n), vectors.state.empty_root);
  assert.equal(bundled.address(`0x${"AB".repeat(20)}`), `0x${"ab".repeat(20)}`);
});
