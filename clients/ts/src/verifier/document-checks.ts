/** What the parts of a verifier document must be to one another (protocol, section 9.2). */
import { MODULUS } from "../field.js";
import type { Document, Query } from "./document.js";
import { Refused } from "./refused.js";
import { power } from "./scalars.js";

/** Most entries of all lists, most rows of instances, and most points and challenges of a proof. */
const MOST = 262_144;

const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
const nameOf = ({ polynomial, rotation }: Query) => `${polynomial}@${rotation}`;

/** Commitments that the rounds read. */
export const roundPoints = ({ rounds }: Document) => sum(rounds.map(({ points }) => points));
/** Number of the first commitment of a proof; instance columns stand before it. */
export const firstCommitment = ({ fixed, instances }: Document) => fixed.length + instances.length;
/** Number of the quotient. */
export const quotientNumber = (document: Document) => firstCommitment(document) + roundPoints(document);
/** Whether a number is that of an instance column. */
export const isInstance = ({ fixed, instances }: Document, polynomial: number) =>
  polynomial >= fixed.length && polynomial < fixed.length + instances.length;

/** @throws Refused if the document describes no verifier. */
export function checkDocument(document: Document): void {
  const require = (holds: boolean, why: string) => {
    if (!holds) throw new Refused("document", why);
  };
  const { instances, rounds, evaluations, openings, nodes, accumulator } = document;
  const rows = 2 ** document.k;
  const challenges = sum(rounds.map((round) => round.challenges));
  const lists = [instances, document.fixed, rounds, evaluations, openings, nodes, document.constraints];
  require(sum(lists.map((list) => list.length)) <= MOST, `the lists have more than ${MOST} entries`);
  require(roundPoints(document) + document.quotientPieces + challenges <= MOST, "a proof would have too many points");
  require(sum(instances) <= MOST && instances.every((count) => count <= rows), "an instance column has too many rows");
  // Of order 2^k: the half of it gives -1.
  require(power(document.omega, rows / 2) === MODULUS - 1n, "omega is no root of unity of order 2^k");
  require(document.constraints.length > 0, "there is no constraint");
  require(document.constraints.every((step) => step < nodes.length), "a constraint is no step");
  require(document.combiner < challenges, "the combiner is no challenge");

  const quotient = quotientNumber(document);
  const evaluated = new Set(evaluations.map(nameOf));
  require(evaluated.size === evaluations.length, "an evaluation stands twice");
  for (const { polynomial } of evaluations) {
    const committed = polynomial < quotient && !isInstance(document, polynomial);
    require(committed, `polynomial ${polynomial} has no commitment to open`);
  }
  const opened = new Set(openings.map(nameOf));
  require(opened.size === openings.length, "an opening stands twice");
  require(opened.delete(nameOf({ polynomial: quotient, rotation: 0 })), "the quotient is not opened");
  const same = opened.size === evaluated.size && [...opened].every((name) => evaluated.has(name));
  require(same, "what is opened is not what is evaluated");

  for (const step of nodes) {
    if (step.kind === "challenge") require(step.index < challenges, "a step takes a challenge that is not squeezed");
    if (step.kind === "polynomial") {
      require(evaluated.has(nameOf(step)) || isInstance(document, step.polynomial), "a step takes no evaluation");
    }
  }
  const words = new Set(accumulator?.map(([column, row]) => `${column}/${row}`));
  require(words.size === (accumulator?.length ?? 0), "a word of the accumulator stands twice");
  for (const [column, row] of accumulator ?? []) {
    require(row < (instances[column] ?? 0), "a word of the accumulator is no public input");
  }
}
