import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as bastion from "../src/index.js";
import type { FakeNode } from "./fake-node.mjs";

const { startFakeNode } = (await import(new URL("../../test/fake-node.mjs", import.meta.url).href)) as {
  startFakeNode: () => Promise<FakeNode>;
};

/** The example of the README, as a function of what it takes from elsewhere. */
async function example(inputs: Record<string, unknown>): Promise<string[]> {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const imports = /^import \{(.*)\} from "@bastion\/client";\n/.exec(code);
  assert.ok(imports, "the example imports the client");
  const lines: string[] = [];
  const console = { log: (line: string) => lines.push(line) };
  const scope = { ...inputs, console, bastion };
  const body = `const {${imports[1]}} = bastion;\n${code.slice(imports[0].length)}`;
  const AsyncFunction = Object.getPrototypeOf(example).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(scope), `"use strict";\n${body}`)(...Object.values(scope));
  return lines;
}

test("the example of the README does what it says", async () => {
  const node = await startFakeNode();
  // The operator finalizes what is sent.
  const finalize = setInterval(() => node.requests.includes("POST /v1/operations") && node.world.finalize(), 500);
  try {
    const { chain_id, contract, sequencer } = await new bastion.Client(node.url).version();
    const [key] = node.world.keys;
    assert.ok(key);
    const file = await bastion.lock(key, "password", { n: 1_024, r: 8, p: 1 });
    const lines = await example({
      url: node.url,
      keyFile: JSON.stringify(file),
      password: "password",
      exit: "0x00000000000000000000000000000000000000e1",
      rollup: { chainId: chain_id, contract },
      sequencer,
    });
    assert.match(lines[0] ?? "", /^promised: position \d+ of batch \d+ in block \d+$/);
    assert.match(lines[1] ?? "", /give the state root$/);
    assert.match(lines[2] ?? "", /which is final on L1$/);
  } finally {
    clearInterval(finalize);
    await node.close();
  }
});
