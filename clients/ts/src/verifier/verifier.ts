/** Verifies proofs of the circuit that a document describes (protocol, sections 9.2 to 9.4). */
import { MODULUS, type Element } from "../field.js";
import { requireAccumulator } from "./accumulator.js";
import { quotientAt } from "./constraints.js";
import { documentFrom, type Document } from "./document.js";
import { openingPoints, openingSets, type OpeningSet } from "./openings.js";
import { packPoints } from "./packs.js";
import { requirePairing } from "./points.js";
import { proofLength, readProof } from "./proof.js";
import { Refused } from "./refused.js";

export class Verifier {
  readonly document: Document;
  readonly #sets: readonly OpeningSet[];

  /**
   * Reads a verifier document, as JSON.
   * @throws Refused if it is malformed or describes no verifier.
   */
  constructor(document: string) {
    this.document = documentFrom(document);
    const { scheme } = this.document;
    this.#sets = scheme.kind === "shplonk" ? openingSets(scheme.openings) : [];
  }

  /** Bytes of every proof. */
  get proofLength(): number {
    return proofLength(this.document);
  }

  /**
   * Verifies a proof about public inputs, column after column.
   * @throws Refused if it does not hold.
   */
  verify(instances: readonly (readonly Element[])[], proof: Uint8Array): void {
    const { document } = this;
    const counts = document.instances;
    if (instances.length !== counts.length || instances.some((column, i) => column.length !== counts[i])) {
      const given = instances.map((column) => column.length).join(", ");
      throw new Refused("instance-count", `expected ${counts.join(", ")} public inputs, got ${given}`);
    }
    if (instances.some((column) => column.some((value) => value < 0n || value >= MODULUS))) {
      throw new Refused("instance", "a public input is not below p");
    }
    const parts = readProof(document, instances, proof);
    const quotient = quotientAt(document, instances, parts);
    const { scheme } = document;
    const { left, right } =
      scheme.kind === "packed" ? packPoints(document, scheme, parts, quotient) : openingPoints(document, this.#sets, parts, quotient);
    requirePairing("pairing", left, document.g2, right, document.sG2);
    requireAccumulator(document, instances);
  }
}
