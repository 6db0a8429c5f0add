import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { toHex } from "../src/bytes.js";
import { sampleVerifier, sampleCall, layoutOf, verdicts } from "./block.js";
import { calls, digest } from "./mutations.js";

/** Judges calls in a thread of its own. */
function judged(numbers: readonly number[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("agreement-worker.js", import.meta.url), { workerData: numbers });
    worker.on("message", resolve);
    worker.on("error", reject);
  });
}

// All of them take minutes: BASTION_MUTATIONS says how many, spread over the list; `all` is all.
test("changed proofs get the verdicts of arkworks and of the contract", async () => {
  const { head, letters } = verdicts();
  const list = calls(sampleCall(), layoutOf(sampleVerifier()));
  const given = process.env["BASTION_MUTATIONS"] ?? "500";
  const rounds = given === "all" ? list.length : Math.min(Number(given), list.length);
  const numbers = Array.from({ length: rounds }, (_, round) => Math.floor((round * list.length) / rounds));
  const threads = availableParallelism();
  const shares = Array.from({ length: threads }, (_, thread) => numbers.filter((_, i) => i % threads === thread));
  const started = Date.now();
  const answers = shares.map(judged);
  assert.equal(`${list.length} calls, digest ${toHex(digest(list))}`, head, "both sides judge the same list");
  const sums = new Map<string, number>();
  for (const [thread, answer] of (await Promise.all(answers)).entries()) {
    for (const [i, letter] of answer.entries()) {
      const number = shares[thread]?.[i] ?? -1;
      assert.equal(letter, letters[number], `call ${number}`);
      assert.equal(letter === "y", number === 0, `call ${number}`);
      sums.set(letter, (sums.get(letter) ?? 0) + 1);
    }
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  const found = [...sums].map(([letter, count]) => `${letter} ${count}`).join(", ");
  console.log(`${rounds} of ${list.length} calls judged in ${seconds} s by ${threads} threads, 0 disagreements: ${found}`);
});
