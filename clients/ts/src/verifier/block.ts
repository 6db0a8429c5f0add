/** Whether a proof of a block or a batch proves what it is said to prove. */
import { ACCUMULATOR_WORDS, batchEnvelopeFrom, blockEnvelopeFrom, INPUTS, type Envelope } from "./envelope.js";
import { INPUT_NAMES, inputsFrom, type PublicInputs } from "./inputs.js";
import { manifestFrom, requireDigest } from "./manifest.js";
import { Refused } from "./refused.js";
import { Verifier } from "./verifier.js";

/** The outcome: what was proven, or why the proof is refused. */
export type Verdict = { ok: true; inputs: PublicInputs } | { ok: false; refused: Refused };

/** The verifier of one circuit: its document, and the circuit's identity. */
export class CircuitVerifier extends Verifier {
  constructor(
    document: string,
    /** 64 hex digits. A document does not hold it: the manifest says which document is whose. */
    readonly circuitId: string,
    kind: "block" | "batch" = "block",
  ) {
    super(document);
    const { scheme, instances, accumulator } = this.document;
    const block = kind === "block";
    const words = accumulator?.map(([column, row], i) => column === 0 && row === i) ?? [];
    const shape = block
      ? scheme.kind === "packed" && instances[0] === ACCUMULATOR_WORDS + INPUTS && accumulator !== null
      : scheme.kind === "shplonk" && this.document.transcript === "poseidon" && instances[0] === INPUTS && accumulator === null;
    if (!shape || instances.length !== 1 || words.includes(false)) {
      throw new Refused("document", `the document is not that of a ${kind} circuit`);
    }
  }

  /**
   * The verifier of block proofs in a verifier's folder: `manifest.json` and `description.json`.
   * @throws Refused if they do not belong together.
   */
  static ofBlocks(manifest: string, description: string): CircuitVerifier {
    const read = manifestFrom(manifest);
    requireDigest(read, "description.json", description);
    return new CircuitVerifier(description, read.circuitId);
  }

  /**
   * The verifier of batch proofs there: `manifest.json` and `batch-description.json`.
   * @throws Refused if they do not belong together.
   */
  static ofBatches(manifest: string, description: string): CircuitVerifier {
    const read = manifestFrom(manifest);
    requireDigest(read, "batch-description.json", description);
    return new CircuitVerifier(description, read.batchCircuitId, "batch");
  }
}

function attempt(check: () => PublicInputs): Verdict {
  try {
    return { ok: true, inputs: check() };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refused: error };
    throw error;
  }
}

function requireSame(claimed: PublicInputs, expected: PublicInputs): void {
  const other = INPUT_NAMES.find((name) => claimed[name] !== expected[name]);
  if (other !== undefined) throw new Refused("inputs", `the proof is about another ${other}: ${claimed[other]}, not ${expected[other]}`);
}

/** A block starts with an empty order chain, and with 1 as the value of its word polynomial. */
function requireWholeBlock({ cIn, yIn }: PublicInputs): void {
  if (cIn !== 0n || yIn !== 1n) throw new Refused("inputs", "no block has these inputs: cIn is 0 and yIn is 1 in every block");
}

function verified(verifier: CircuitVerifier, envelope: Envelope, expected: PublicInputs, from: number): PublicInputs {
  if (envelope.circuitId !== verifier.circuitId) {
    throw new Refused("circuit", `the proof is of circuit ${envelope.circuitId}, not ${verifier.circuitId}`);
  }
  const inputs = inputsFrom(envelope.instances.slice(from));
  requireSame(inputs, expected);
  verifier.verify([envelope.instances], envelope.proof);
  return inputs;
}

/** The public inputs that the file of a block proof claims. Nothing is verified. */
export function claimOf(proof: string): PublicInputs {
  return inputsFrom(blockEnvelopeFrom(proof).instances.slice(ACCUMULATOR_WORDS));
}

/**
 * Whether the file of a block proof proves a block with these public inputs.
 *
 * They must not be taken from the proof: {@link blockInputs} computes them from header and data, as the contract does.
 */
export function verifyBlock(verifier: CircuitVerifier, proof: string, inputs: PublicInputs): Verdict {
  return attempt(() => {
    requireWholeBlock(inputs);
    return verified(verifier, blockEnvelopeFrom(proof), inputs, ACCUMULATOR_WORDS);
  });
}

/** Whether the file of a batch proof proves a batch with these public inputs. */
export function verifyBatch(verifier: CircuitVerifier, proof: string, inputs: PublicInputs): Verdict {
  return attempt(() => verified(verifier, batchEnvelopeFrom(proof), inputs, 0));
}
