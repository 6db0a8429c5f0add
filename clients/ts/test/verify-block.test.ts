import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { files } from "./block.js";

const program = fileURLToPath(new URL("../../verify-block.mjs", import.meta.url));
let dir = "";

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "bastion-verify-block-"));
  await Promise.all([
    writeFile(join(dir, "manifest.json"), files.manifest), writeFile(join(dir, "description.json"), files.description),
    writeFile(join(dir, "0000.proof.json"), files.proof), writeFile(join(dir, "0000.header.json"), files.header), writeFile(join(dir, "0000.data"), files.data),
    writeFile(join(dir, "batch.json"), files.batchProof), writeFile(join(dir, "short.data"), files.data.slice(1)),
    writeFile(join(dir, "other.json"), files.proof.replace(/"circuit_id": "../, '"circuit_id": "00')),
  ]);
});
after(() => rm(dir, { recursive: true }));

/** Runs the program over the folder: exit code and all that it says. */
function run(...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: dir }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, text: stdout + stderr });
    });
  });
}

test("the program says what the README shows", async () => {
  const { code, text } = await run("0000.proof.json", "--verifier", ".");
  assert.equal(code, 0, text);
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.ok(readme.includes(text), text);
});

for (const [what, args, code, said] of [
  ["no arguments", [], 2, /^usage: /],
  ["no folder", ["0000.proof.json"], 2, /^usage: /],
  ["an unknown option", ["0000.proof.json", "--verifier", ".", "--force"], 2, /--force/],
  ["a missing proof", ["none.proof.json", "--verifier", "."], 5, /ENOENT/],
  ["a missing folder", ["0000.proof.json", "--verifier", "nowhere"], 5, /ENOENT/],
  ["other data", ["0000.proof.json", "--verifier", ".", "--data", "short.data"], 3, /^refused \(data\)/],
  ["a batch proof", ["batch.json", "--verifier", ".", "--header", "0000.header.json", "--data", "0000.data"], 3, /^refused \(json\)/],
  ["another circuit", ["other.json", "--verifier", ".", "--header", "0000.header.json", "--data", "0000.data"], 4, /^refused \(circuit\)/],
] as const) {
  test(`the program ends with ${code} for ${what}`, async () => {
    const answer = await run(...args);
    assert.equal(answer.code, code, answer.text);
    assert.match(answer.text, said);
  });
}
