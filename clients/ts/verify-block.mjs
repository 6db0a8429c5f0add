// Verifies the file of a block proof with the third verifier (after `npm run build`):
//   node verify-block.mjs out/0000.proof.json --verifier .bastion/verifier/tiny-2x-11a2ab69385f5174
// What the block must be comes from the header and the data beside the proof, or from --header and --data.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CircuitVerifier, Refused, blockInputs, headerFrom, manifestFrom, verifyBlock } from "./build/src/verifier/index.js";

const USAGE = "usage: node verify-block.mjs NNNN.proof.json --verifier FOLDER [--header FILE] [--data FILE]";
const hex = (element) => `0x${element.toString(16).padStart(64, "0")}`;

/** The exit codes of `bastion`. */
const codeOf = ({ reason }) => (reason === "circuit" || reason === "version" ? 4 : 3);

function end(code, message) {
  console.error(message);
  process.exit(code);
}

function options() {
  try {
    const text = { type: "string" };
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { verifier: text, header: text, data: text } });
    const [proof, ...further] = positionals;
    if (proof === undefined || further.length > 0 || values.verifier === undefined) throw new Error(USAGE);
    const beside = (end) => proof.replace(/\.proof\.json$/, end);
    return { proof, header: beside(".header.json"), data: beside(".data"), ...values };
  } catch (error) {
    return end(2, error.message === USAGE ? USAGE : `${error.message}\n${USAGE}`);
  }
}

function read(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    return end(5, error.message);
  }
}

const { proof, header, data, verifier: folder } = options();
if (existsSync(data.replace(/\.data$/, ".blob-0"))) {
  end(1, "this block has its data in blobs, and this program reads calldata alone: use `bastion verify --independent`");
}
const manifestText = read(join(folder, "manifest.json")).toString();
const description = read(join(folder, "description.json")).toString();
const files = [proof, header, data].map(read);
try {
  const verifier = CircuitVerifier.ofBlocks(manifestText, description);
  const { unsafeSrs, batches, codeHash } = manifestFrom(manifestText);
  const claimed = headerFrom(files[1].toString());
  const verdict = verifyBlock(verifier, files[0].toString(), blockInputs(claimed, files[2]));
  if (!verdict.ok) throw verdict.refused;
  console.log(`circuit      ${verifier.circuitId}, ${batches} batches in a block`);
  console.log(`contract     code ${codeHash}`);
  for (const [name, input] of [["old root", "oldRoot"], ["new root", "newRoot"], ["policy root", "policyRoot"], ["domain", "domain"]]) {
    console.log(`${name.padEnd(12)} ${hex(verdict.inputs[input])}`);
  }
  console.log(`time         ${verdict.inputs.time}`);
  console.log(`data         ${files[2].length} bytes, ${claimed.batches} batches`);
  if (unsafeSrs) console.log("reference string UNSAFE: whoever made it can prove anything");
  console.log("verified");
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  end(codeOf(error), `refused (${error.reason}): ${error.message}`);
}
