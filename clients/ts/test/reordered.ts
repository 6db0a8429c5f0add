/**
 * Judges other orders of a proven block: `node reordered.js FOLDER`. The folder has the verifier's documents, the files of block 0 and
 * `claims.json`, a list of data with their `c_out`. Answers with a list of what was derived of each, and of the verdicts.
 * `node/tests/reordered` runs it, and compares.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { argv, stdout } from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { fromHex } from "../src/bytes.js";
import { elementFromHex, elementToHex } from "../src/field.js";
import { ACCUMULATOR_WORDS, blockEnvelopeFrom } from "../src/verifier/envelope.js";
import { blockInputs, CircuitVerifier, headerFrom, INPUT_NAMES, Refused, verifyBlock } from "../src/verifier/index.js";

interface Answer {
  r: string;
  y_out: string;
  file: string;
  stated: string;
}

/** Every answer of one thread: those of the claims whose numbers leave `first` by `threads`. */
function judge(folder: string, first: number, threads: number): Answer[] {
  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  const verifier = CircuitVerifier.ofBlocks(text("manifest.json"), text("description.json"));
  const [header, proof] = [headerFrom(text("0000.header.json")), text("0000.proof.json")];
  const envelope = blockEnvelopeFrom(proof);
  const claims = JSON.parse(text("claims.json")) as { data: string; c_out: string }[];
  return claims.filter((_, number) => number % threads === first).map(({ data, c_out }) => {
    const inputs = blockInputs({ ...header, cOut: elementFromHex("c_out", c_out) }, fromHex("data", data));
    const verdict = verifyBlock(verifier, proof, inputs);
    let stated = "accepted";
    try {
      const words = INPUT_NAMES.map((name) => inputs[name]);
      verifier.verify([[...envelope.instances.slice(0, ACCUMULATOR_WORDS), ...words]], envelope.proof);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      stated = error.reason;
    }
    const file = verdict.ok ? "accepted" : verdict.refused.reason;
    return { r: elementToHex(inputs.r), y_out: elementToHex(inputs.yOut), file, stated };
  });
}

if (isMainThread) {
  const threads = availableParallelism();
  const answers = await Promise.all(
    Array.from({ length: threads }, (_, first) => new Promise<Answer[]>((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { folder: argv[2], first, threads } });
      worker.on("message", resolve);
      worker.on("error", reject);
    })),
  );
  const count = answers.reduce((sum, some) => sum + some.length, 0);
  stdout.write(JSON.stringify(Array.from({ length: count }, (_, i) => answers[i % threads]?.[Math.floor(i / threads)])));
} else {
  const { folder, first, threads } = workerData as { folder: string; first: number; threads: number };
  parentPort?.postMessage(judge(folder, first, threads));
}
