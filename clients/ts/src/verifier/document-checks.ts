/** What the parts of a verifier document must be to one another (protocol, section 9.2). */
import { MODULUS } from "../field.js";
import type { Document, Query } from "./document.js";
import { Refused } from "./refused.js";
import { power } from "./scalars.js";

/** Most entries of all lists, with the rows, points and challenges that they count. */
const MOST = 262_144;
/** Most multiplications for what grows faster than the document: far above what any circuit takes. */
const WORK = 2 ** 24;

const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
const nameOf = ({ polynomial, rotation }: Query) => `${polynomial}@${rotation}`;

/** Commitments that the rounds read. */
export const roundPoints = ({ rounds }: Document) => sum(rounds.map(({ points }) => points));
/** Number of the first polynomial of the rounds; instance columns stand before it. */
export const firstCommitment = ({ fixedPolynomials, instances }: Document) => fixedPolynomials + instances.length;
/** Number of the quotient. */
export const quotientNumber = (document: Document) => firstCommitment(document) + document.roundPolynomials;
/** Whether a number is that of an instance column. */
export const isInstance = ({ fixedPolynomials, instances }: Document, polynomial: number) =>
  polynomial >= fixedPolynomials && polynomial < fixedPolynomials + instances.length;

/** Sums over public inputs, and bases of interpolation, which are quadratic in the rotations. */
function workOf({ nodes, fixedPolynomials, instances, evaluations, scheme }: Document): number {
  const rotations = new Map<number, number>();
  const opened = scheme.kind === "shplonk" ? scheme.openings : evaluations;
  for (const { polynomial } of opened) rotations.set(polynomial, (rotations.get(polynomial) ?? 0) + 1);
  const bases = [...rotations.values()].map((count) => count * count);
  const sums = nodes.map((step) => (step.kind === "polynomial" ? (instances[step.polynomial - fixedPolynomials] ?? 0) : 0));
  return sum(bases) + sum(sums);
}

/** @throws Refused if the document describes no verifier. */
export function checkDocument(document: Document): void {
  const require = (holds: boolean, why: string) => {
    if (!holds) throw new Refused("document", why);
  };
  const { instances, rounds, evaluations, scheme, nodes, accumulator } = document;
  const challenges = sum(rounds.map((round) => round.challenges));
  const openings = scheme.kind === "shplonk" ? scheme.openings : [];
  const lists = [instances, document.fixed, rounds, evaluations, openings, nodes, document.constraints];
  const entries = sum(lists.map((list) => list.length)) + document.quotientPieces + roundPoints(document) + challenges + sum(instances);
  require(entries <= MOST, `the document has more than ${MOST} entries`);
  require(workOf(document) <= WORK, `a verification would take more than ${WORK} multiplications`);
  // Of order 2^k: the half of it gives -1.
  require(power(document.omega, 2 ** (document.k - 1)) === MODULUS - 1n, "omega is no root of unity of order 2^k");
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
  if (scheme.kind === "shplonk") {
    const opened = new Set(openings.map(nameOf));
    require(opened.size === openings.length, "an opening stands twice");
    require(opened.delete(nameOf({ polynomial: quotient, rotation: 0 })), "the quotient is not opened");
    const same = opened.size === evaluated.size && [...opened].every((name) => evaluated.has(name));
    require(same, "what is opened is not what is evaluated");
  }

  for (const step of nodes) {
    if (step.kind === "challenge") require(step.index < challenges, "a step takes a challenge that is not squeezed");
    if (step.kind === "polynomial") {
      require(evaluated.has(nameOf(step)) || isInstance(document, step.polynomial), "a step takes no evaluation");
    }
  }
  for (const [column, row] of accumulator ?? []) {
    require(row < (instances[column] ?? 0), "a word of the accumulator is no public input");
  }
}
