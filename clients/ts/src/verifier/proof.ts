/** Reading a proof: what is absorbed, read and squeezed, in this order (protocol, section 9.3). */
import type { Element } from "../field.js";
import type { Document } from "./document.js";
import { roundPoints } from "./document-checks.js";
import type { Point } from "./points.js";
import { PoseidonTranscript } from "./poseidon.js";
import { Refused } from "./refused.js";
import { KeccakTranscript } from "./transcript.js";

/** A proof in its parts, with the challenges that follow from it. */
export interface Parts {
  /** Commitments of the rounds. */
  commitments: Point[];
  /** Challenges of the rounds. */
  challenges: Element[];
  pieces: Point[];
  z: Element;
  evaluations: Element[];
  /** Combines polynomials that are opened at the same rotations. A pack is one polynomial. */
  mu: Element;
  gamma: Element;
  w: Point;
  zPrime: Element;
  wPrime: Point;
}

const transcriptOf = ({ transcript }: Document) => (transcript === "keccak" ? KeccakTranscript : PoseidonTranscript);

/** Bytes of every proof of the document's circuit. */
export function proofLength(document: Document): number {
  const { point, scalar } = transcriptOf(document).SIZES;
  const points = roundPoints(document) + document.quotientPieces + 2;
  return points * point + document.evaluations.length * scalar;
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/**
 * Reads a proof about public inputs, column after column.
 * @throws Refused if its length is another one, or a point or scalar is not canonical.
 */
export function readProof(document: Document, instances: readonly (readonly Element[])[], proof: Uint8Array): Parts {
  const length = proofLength(document);
  if (proof.length !== length) throw new Refused("length", `the proof has ${proof.length} bytes, not ${length}`);
  const transcript = new (transcriptOf(document))(proof);
  const point = () => transcript.readPoint();
  const squeeze = () => transcript.squeeze();

  transcript.absorb(document.digest);
  for (const column of instances) for (const value of column) transcript.absorb(value);
  const commitments: Point[] = [];
  const challenges: Element[] = [];
  for (const round of document.rounds) {
    commitments.push(...times(round.points, point));
    challenges.push(...times(round.challenges, squeeze));
  }
  const pieces = times(document.quotientPieces, point);
  const z = squeeze();
  const evaluations = times(document.evaluations.length, () => transcript.readScalar());
  const mu = document.scheme.kind === "shplonk" ? squeeze() : 1n;
  const gamma = squeeze();
  const w = point();
  const zPrime = squeeze();
  const wPrime = point();
  return { commitments, challenges, pieces, z, evaluations, mu, gamma, w, zPrime, wPrime };
}
