/** The verifier document: what a verifier must know of a circuit (protocol, section 9.2). */
import { MODULUS, type Element } from "../field.js";
import { checkDocument } from "./document-checks.js";
import { fieldsOf, integerOf, listOf, objectOf, parseJson, textOf, wordOf, type Json } from "./json.js";
import { pointFrom, preparedFrom, type Point, type Prepared } from "./points.js";
import { Refused } from "./refused.js";

/** The value of a polynomial at `z omega^rotation`. */
export interface Query {
  polynomial: number;
  rotation: number;
}

/** A step of the constraints. Numbers of steps are those of earlier ones. */
export type Step =
  | { kind: "constant"; value: Element }
  | { kind: "z" }
  | { kind: "lagrange"; row: number }
  | ({ kind: "polynomial" } & Query)
  | { kind: "challenge"; index: number }
  | { kind: "negated"; of: number }
  | { kind: "sum" | "product"; left: number; right: number };

/** Polynomials under one commitment, and the rotations at which all of them are opened. */
export interface Pack {
  polynomials: number;
  rotations: readonly number[];
}

/** How polynomials are committed to and opened. */
export type Scheme =
  /** One commitment each, opened in this order. */
  | { kind: "shplonk"; openings: readonly Query[] }
  /** Packs, first those of the key. */
  | { kind: "packed"; stride: number; packs: readonly Pack[] };

export interface Document {
  transcript: "keccak" | "poseidon";
  k: number;
  omega: Element;
  digest: Element;
  /** Rows of each instance column. */
  instances: readonly number[];
  fixed: readonly Point[];
  /** Polynomials of the key: the number of the first instance column. */
  fixedPolynomials: number;
  rounds: readonly { points: number; challenges: number }[];
  /** Polynomials of the rounds. */
  roundPolynomials: number;
  /** Commitments to the quotient. */
  quotientPieces: number;
  /** In the order of the proof. */
  evaluations: readonly Query[];
  scheme: Scheme;
  nodes: readonly Step[];
  constraints: readonly number[];
  combiner: number;
  /** Column and row of the twelve words of the accumulator. */
  accumulator: readonly (readonly [number, number])[] | null;
  g1: Point;
  g2: Prepared;
  sG2: Prepared;
}

/** Largest text of a document. */
const BYTES = 64 * 2 ** 20;
/** Longest list, and largest number of rows, points or challenges. */
export const LONGEST = 65_536;
/** Largest number of places of a pack. */
const WIDEST = 64;
/** Largest rotation and row, of either sign. */
const FARTHEST = 1_024;

function elementOf(what: string, json: Json): Element {
  const integer = wordOf(what, json);
  if (integer >= MODULUS) throw new Refused("document", `${what} is not below p`);
  return integer;
}

const limited = (what: string, json: Json, length?: number): readonly Json[] => {
  const list = listOf(what, json, length);
  if (list.length > LONGEST) throw new Refused("document", `${what} has more than ${LONGEST} entries`);
  return list;
};
const count = (what: string, json: Json): number => integerOf(what, json, 0, LONGEST);
const distance = (what: string, json: Json): number => integerOf(what, json, -FARTHEST, FARTHEST);

function pairOf<A, B>(what: string, json: Json, first: (w: string, j: Json) => A, second: (w: string, j: Json) => B): [A, B] {
  const [a, b] = listOf(what, json, 2) as readonly [Json, Json];
  return [first(what, a), second(what, b)];
}

function pointOf(what: string, json: Json): Point {
  return pointFrom(what, ...pairOf(what, json, wordOf, wordOf));
}

function preparedOf(what: string, json: Json): Prepared {
  const pair = (w: string, j: Json) => pairOf(w, j, wordOf, wordOf);
  const [[a, b], [c, d]] = pairOf(what, json, pair, pair);
  return preparedFrom(what, [a, b, c, d]);
}

function queryOf(what: string, json: Json): Query {
  const [polynomial, rotation] = pairOf(what, json, (w, j) => integerOf(w, j, 0, 4 * LONGEST), distance);
  return { polynomial, rotation };
}

function stepOf(what: string, json: Json, earlier: number): Step {
  if (json === "z") return { kind: "z" };
  const [kind = ""] = objectOf(what, json).keys();
  const { [kind]: content = null } = fieldsOf(what, json, [kind]);
  const step = (w: string, j: Json) => integerOf(w, j, 0, earlier - 1);
  switch (kind) {
    case "constant":
      return { kind, value: elementOf(what, content) };
    case "lagrange":
      return { kind, row: distance(what, content) };
    case "polynomial":
      return { kind, ...queryOf(what, content) };
    case "challenge":
      return { kind, index: count(what, content) };
    case "negated":
      return { kind, of: step(what, content) };
    case "sum":
    case "product": {
      const [left, right] = pairOf(what, content, step, step);
      return { kind, left, right };
    }
    default:
      throw new Refused("document", `${what} is of no known kind`);
  }
}

const COMMON = [
  "format", "scheme", "k", "omega", "digest", "instances", "fixed", "rounds", "nodes", "constraints", "combiner", "accumulator", "srs",
] as const;
const SHPLONK = [...COMMON, "transcript", "quotient_pieces", "evaluations", "openings"] as const;
const PACKED = [...COMMON, "stride"] as const;
type Fields<Names extends readonly string[]> = Readonly<Record<Names[number], Json>>;
/** The parts of a document in which the schemes differ. */
type Differing = "transcript" | "fixed" | "fixedPolynomials" | "rounds" | "roundPolynomials" | "quotientPieces" | "evaluations" | "scheme";

const items = <T>(name: string, json: Json, read: (what: string, item: Json, at: number) => T): T[] =>
  limited(name, json).map((item, at) => read(`${name}[${at}]`, item, at));
const total = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0);

/** One commitment for each polynomial. */
function shplonkFrom(fields: Fields<typeof SHPLONK>): Pick<Document, Differing> {
  const fixed = items("fixed", fields.fixed, pointOf);
  const rounds = items("rounds", fields.rounds, (what, item) => {
    const round = fieldsOf(what, item, ["points", "challenges"]);
    return { points: count(what, round.points), challenges: count(what, round.challenges) };
  });
  return {
    transcript: textOf("transcript", fields.transcript, /^(?:keccak|poseidon)$/) as Document["transcript"],
    fixed,
    fixedPolynomials: fixed.length,
    rounds,
    roundPolynomials: total(rounds.map(({ points }) => points)),
    quotientPieces: integerOf("quotient_pieces", fields.quotient_pieces, 1, LONGEST),
    evaluations: items("evaluations", fields.evaluations, queryOf),
    scheme: { kind: "shplonk", openings: items("openings", fields.openings, queryOf) },
  };
}

function packOf(what: string, fields: { polynomials: Json; rotations: Json }, stride: number): Pack {
  const rotations = items(`${what}.rotations`, fields.rotations, distance);
  if (rotations.length === 0 || new Set(rotations).size !== rotations.length) {
    throw new Refused("document", `${what} has no rotation, or one twice`);
  }
  return { polynomials: integerOf(`${what}.polynomials`, fields.polynomials, 1, stride), rotations };
}

/** The evaluations of packs by pack, by rotation, by place. Instance columns have numbers behind those of the key. */
function placesOf(ofKey: readonly Pack[], ofRounds: readonly Pack[], columns: number): Query[] {
  const evaluations: Query[] = [];
  let next = 0;
  const add = ({ polynomials, rotations }: Pack) => {
    for (const rotation of rotations) {
      for (let place = 0; place < polynomials; place++) evaluations.push({ polynomial: next + place, rotation });
    }
    next += polynomials;
    if (evaluations.length > 4 * LONGEST) throw new Refused("document", "the packs have too many evaluations");
  };
  ofKey.forEach(add);
  next += columns;
  ofRounds.forEach(add);
  return evaluations;
}

/** One commitment for many polynomials, and one for the quotient. */
function packedFrom(fields: Fields<typeof PACKED>): Pick<Document, Differing> {
  const stride = integerOf("stride", fields.stride, 1, WIDEST);
  const ofKey = items("fixed", fields.fixed, (what, item) => {
    const entry = fieldsOf(what, item, ["point", "polynomials", "rotations"]);
    return { point: pointOf(what, entry.point), pack: packOf(what, entry, stride) };
  });
  const rounds = items("rounds", fields.rounds, (what, item) => {
    const round = fieldsOf(what, item, ["commitments", "challenges"]);
    const packs = items(`${what}.commitments`, round.commitments, (name, json) => packOf(name, fieldsOf(name, json, ["polynomials", "rotations"]), stride));
    return { packs, challenges: count(what, round.challenges) };
  });
  const fixedPacks = ofKey.map(({ pack }) => pack);
  const roundPacks = rounds.flatMap(({ packs }) => packs);
  const packs = [...fixedPacks, ...roundPacks];
  if (packs.length === 0) throw new Refused("document", "there are no packs");
  const polynomials = (list: readonly Pack[]) => total(list.map((pack) => pack.polynomials));
  return {
    transcript: "keccak",
    fixed: ofKey.map(({ point }) => point),
    fixedPolynomials: polynomials(fixedPacks),
    rounds: rounds.map(({ packs, challenges }) => ({ points: packs.length, challenges })),
    roundPolynomials: polynomials(roundPacks),
    quotientPieces: 1,
    evaluations: placesOf(fixedPacks, roundPacks, limited("instances", fields.instances).length),
    scheme: { kind: "packed", stride, packs },
  };
}

/**
 * Reads a document, and checks every number and point of it.
 * @throws Refused if it is malformed or describes no verifier.
 */
export function documentFrom(text: string): Document {
  if (text.length > BYTES) throw new Refused("document", `the document is longer than ${BYTES} bytes`);
  const json = parseJson("document", text);
  const top = objectOf("document", json);
  const version = top.get("format");
  if (version !== 3) throw new Refused("version", `format ${String(version)} is unknown: this verifier reads 3`);
  if (textOf("scheme", top.get("scheme") ?? null, /^(?:shplonk|packed)$/) === "packed") {
    const fields = fieldsOf("document", json, PACKED);
    return checked(fields, packedFrom(fields));
  }
  const fields = fieldsOf("document", json, SHPLONK);
  return checked(fields, shplonkFrom(fields));
}

/** What both schemes have in common. */
function checked(fields: Fields<typeof COMMON>, differing: Pick<Document, Differing>): Document {
  const srs = fieldsOf("srs", fields.srs, ["g1", "g2", "s_g2"]);
  const document: Document = {
    ...differing,
    k: integerOf("k", fields.k, 1, 28),
    omega: elementOf("omega", fields.omega),
    digest: elementOf("digest", fields.digest),
    instances: items("instances", fields.instances, count),
    nodes: items("nodes", fields.nodes, stepOf),
    constraints: items("constraints", fields.constraints, count),
    combiner: count("combiner", fields.combiner),
    accumulator:
      fields.accumulator === null
        ? null
        : limited("accumulator", fields.accumulator, 12).map((item) => pairOf("accumulator", item, count, count)),
    g1: pointOf("g1", srs.g1),
    g2: preparedOf("g2", srs.g2),
    sG2: preparedOf("s_g2", srs.s_g2),
  };
  checkDocument(document);
  return document;
}
