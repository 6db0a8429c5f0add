import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as bastion from "../src/index.js";
import * as verifier from "../src/verifier/index.js";
import { files } from "./block.js";
import type { FakeNode } from "./fake-node.mjs";

const { startFakeNode } = (await import(new URL("../../test/fake-node.mjs", import.meta.url).href)) as {
  startFakeNode: () => Promise<FakeNode>;
};

/** The example of the README that imports a module, as a function of what it takes from elsewhere. */
async function example(name: string, module: object, inputs: Record<string, unknown>): Promise<string[]> {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  const code = examples.find((text) => text.includes(`from "${name}";`)) ?? "";
  const imports = /^import \{(.*)\} from "[^"]*";\n/.exec(code);
  assert.ok(imports, "the example imports the module");
  const lines: string[] = [];
  const console = { log: (line: string) => lines.push(line) };
  const scope = { ...inputs, console, bastion: module };
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
    const lines = await example("@bastion/client", bastion, {
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

test("the example of the verifier does what it says", async () => {
  const { manifest, description, proof, header, data } = files;
  const lines = await example("@bastion/client/verifier", verifier, { manifest, description, proof, header, data });
  assert.deepEqual(lines, ["proven: 0x0413b17b97719158c7743b6255bc18abfee5c4cc399f1e4aeec8643832e5eab4"]);
  const refused = await example("@bastion/client/verifier", verifier, { manifest, description, proof, header, data: data.slice().fill(1, 40, 41) });
  assert.match(refused[0] ?? "", /^refused \(inputs\): the proof is about another yOut/);
});
