/** The proven block of `test/block`: made by `test/block/make.sh`. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { concat, fromHex, fromInteger, toInteger } from "../src/bytes.js";
import { roundPoints } from "../src/verifier/document-checks.js";
import { CircuitVerifier, type Reason, Refused, Verifier } from "../src/verifier/index.js";
import type { Call, Layout } from "./mutations.js";

const at = (name: string) => new URL(`../../test/block/${name}`, import.meta.url);
const text = (name: string) => readFileSync(at(name), "utf8");
const unpacked = (name: string) => gunzipSync(readFileSync(at(`${name}.gz`))).toString();

/** The files as text; large ones stand packed. */
export const files = {
  manifest: text("manifest.json"),
  description: unpacked("description.json"),
  batchDescription: unpacked("batch-description.json"),
  header: text("0000.header.json"),
  data: new Uint8Array(readFileSync(at("0000.data"))),
  proof: text("0000.proof.json"),
  batchProof: unpacked("0000.batch-0.json"),
};

/** A block circuit's document and proof that `verifier-contract/tests` judge too (`aggregator/src/tests.rs` makes them). */
const sample = JSON.parse(
  gunzipSync(readFileSync(new URL("../../../../verifier-contract/tests/data/block.json.gz", import.meta.url))).toString(),
) as { document: unknown; instances: string[]; proof: string };
export const sampleDocument = JSON.stringify(sample.document);
export const sampleVerifier = (): Verifier => new Verifier(sampleDocument);
export const sampleCall = (): Call => ({
  instances: concat(...sample.instances.map((x) => fromInteger("instance", BigInt(x), 32))),
  proof: fromHex("proof", sample.proof),
});

export const blockVerifier = (): CircuitVerifier => CircuitVerifier.ofBlocks(files.manifest, files.description);

export function layoutOf({ document }: Verifier): Layout {
  return { points: roundPoints(document) + document.quotientPieces, evaluations: document.evaluations.length };
}

/** The reason why a call is refused, or `null`. */
export function judge(verifier: Verifier, { instances, proof }: Call): Reason | null {
  const words = Array.from({ length: instances.length / 32 }, (_, i) => toInteger(instances.subarray(32 * i, 32 * i + 32)));
  try {
    verifier.verify([words], proof);
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.reason;
    throw error;
  }
}

/** The letter for a verdict in `verdicts.txt`. */
export function letterOf(reason: Reason | null): string {
  if (reason === null) return "y";
  const letters: Partial<Record<Reason, string>> = {
    "instance-count": "n", instance: "i", length: "l", coordinate: "m", curve: "m", identity: "m", scalar: "m", pairing: "p", accumulator: "a",
  };
  return letters[reason] ?? "?";
}

/** What `audit` says of each call, which the contract agrees to: a head, and a letter for each. */
export function verdicts(): { head: string; letters: string } {
  const [head = "", letters = ""] = text("verdicts.txt").split("\n");
  return { head, letters };
}
