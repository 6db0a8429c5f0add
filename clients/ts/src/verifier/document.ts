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

export interface Document {
  transcript: "keccak" | "poseidon";
  k: number;
  omega: Element;
  digest: Element;
  /** Rows of each instance column. */
  instances: readonly number[];
  fixed: readonly Point[];
  rounds: readonly { points: number; challenges: number }[];
  quotientPieces: number;
  evaluations: readonly Query[];
  openings: readonly Query[];
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

const FIELDS = [
  "format", "transcript", "k", "omega", "digest", "instances", "fixed", "rounds", "quotient_pieces", "evaluations",
  "openings", "nodes", "constraints", "combiner", "accumulator", "srs",
] as const;

/**
 * Reads a document, and checks every number and point of it.
 * @throws Refused if it is malformed or describes no verifier.
 */
export function documentFrom(text: string): Document {
  if (text.length > BYTES) throw new Refused("document", `the document is longer than ${BYTES} bytes`);
  const json = parseJson("document", text);
  const version = objectOf("document", json).get("format");
  if (version !== 2) throw new Refused("version", `format ${String(version)} is unknown: this verifier reads 2`);
  const fields = fieldsOf("document", json, FIELDS);
  const items = <T>(name: (typeof FIELDS)[number], read: (what: string, item: Json, at: number) => T): T[] =>
    limited(name, fields[name]).map((item, at) => read(`${name}[${at}]`, item, at));
  const srs = fieldsOf("srs", fields.srs, ["g1", "g2", "s_g2"]);
  const document: Document = {
    transcript: textOf("transcript", fields.transcript, /^(?:keccak|poseidon)$/) as Document["transcript"],
    k: integerOf("k", fields.k, 1, 28),
    omega: elementOf("omega", fields.omega),
    digest: elementOf("digest", fields.digest),
    instances: items("instances", count),
    fixed: items("fixed", pointOf),
    rounds: items("rounds", (what, item) => {
      const round = fieldsOf(what, item, ["points", "challenges"]);
      return { points: count(what, round.points), challenges: count(what, round.challenges) };
    }),
    quotientPieces: integerOf("quotient_pieces", fields.quotient_pieces, 1, LONGEST),
    evaluations: items("evaluations", queryOf),
    openings: items("openings", queryOf),
    nodes: items("nodes", stepOf),
    constraints: items("constraints", count),
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
