import assert from "node:assert/strict";
import { test } from "node:test";
import { MODULUS } from "../src/field.js";
import { parseJson } from "../src/verifier/json.js";
import { CircuitVerifier, digestOf, manifestFrom, Refused, Verifier, type Reason } from "../src/verifier/index.js";
import { files, judge, sampleCall, sampleDocument } from "./block.js";

type Json = any;
const good = JSON.parse(sampleDocument) as Json;
const honest = sampleCall();
const word = (x: bigint) => `0x${x.toString(16).padStart(64, "0")}`;

function refusal(what: () => unknown): Reason | "ok" {
  try {
    what();
    return "ok";
  } catch (error) {
    if (error instanceof Refused) return error.reason;
    throw error;
  }
}
function edited(edit: (document: Json) => void): string {
  const document = structuredClone(good);
  edit(document);
  return JSON.stringify(document);
}
const set = (path: string, value: Json) => (document: Json) => {
  const names = path.split("/");
  const last = names.pop() as string;
  names.reduce((at, name) => at[name], document)[last] = value;
};

test("documents that describe no verifier are refused", () => {
  const cases: [string, Json, Reason][] = [
    ["format", 2, "version"], ["format", 4, "version"], ["format", "3", "version"],
    ["scheme", "other", "json"], ["scheme", "shplonk", "json"], ["stride", 0, "json"], ["stride", 65, "json"], ["stride", 1, "json"],
    ["k", 0, "json"], ["k", 29, "json"], ["k", 16, "document"], ["k", 18, "document"],
    ["omega", word(1n), "document"], ["omega", "0x1", "json"], ["digest", word(MODULUS), "document"],
    ["fixed/0/point/0", word(1n), "curve"], ["fixed/0/point", [word(0n), word(0n)], "identity"],
    ["fixed/0/point/1", good.fixed[0].point[1].toUpperCase().replace("X", "x"), "json"], ["fixed/0/rotations", [], "document"],
    ["fixed/0/polynomials", 0, "json"], ["fixed/0/polynomials", 17, "json"], ["fixed/0/more", 1, "json"],
    ["srs/g1/1", word(1n), "curve"], ["srs/s_g2/0/0", word(1n), "curve"], ["srs/g2", [[word(0n), word(0n)], [word(0n), word(0n)]], "identity"],
    ["instances/0", 2 ** 40, "json"], ["instances/0", -1, "json"], ["rounds/0/challenges", 2 ** 40, "json"], ["rounds/0/more", 1, "json"],
    ["rounds/0/commitments/0/rotations", [0, 0], "document"], ["rounds/0/commitments/0/rotations", [1_025], "json"],
    ["rounds/0/commitments/0/polynomials", 2 ** 40, "json"], ["rounds/0/commitments", [], "document"],
    ["nodes/0", { sum: [0, 0] }, "json"], ["nodes/0", { lagrange: 1_000_000 }, "json"], ["nodes/0", { challenge: 77 }, "document"],
    ["nodes/0", { polynomial: [12_345, 0] }, "document"], ["nodes/0", { power: 2 }, "document"], ["nodes/0", {}, "json"],
    ["nodes/0", { challenge: 0, lagrange: 0 }, "json"], ["constraints", [], "document"], ["constraints/0", 60_000, "document"],
    ["combiner", 77, "document"], ["accumulator", [[0, 0]], "json"], ["accumulator/11", [5, 0], "document"], ["accumulator/11", [0, 28], "document"],
    ["more", 1, "json"],
  ];
  for (const [path, value, reason] of cases) {
    assert.equal(refusal(() => new Verifier(edited(set(path, value)))), reason, path);
  }
  // A rotation less: a step has no evaluation.
  assert.equal(refusal(() => new Verifier(edited((document) => document.rounds[0].commitments[0].rotations.pop()))), "document");
  assert.equal(refusal(() => new Verifier(edited((document) => delete document.srs))), "json");
});

test("a document by which a verification would not end is refused", () => {
  const column = (good.fixed as { polynomials: number }[]).reduce((sum, pack) => sum + pack.polynomials, 0);
  const hostile = edited((document) => {
    document.instances = [60_000];
    while (document.nodes.length < 60_000) document.nodes.push({ polynomial: [column, 0] });
  });
  assert.equal(refusal(() => new Verifier(hostile)), "document");
  assert.equal(refusal(() => new Verifier(edited((document) => document.nodes.push(...Array(70_000).fill("z"))))), "document");
  assert.equal(refusal(() => new Verifier(edited((document) => document.rounds.push(...Array(4).fill({ commitments: [], challenges: 65_536 }))))), "document");
});

/** Documents of other circuits: each is well formed, and by none of them the honest proof holds. */
test("everything in a document counts", () => {
  const last = good.constraints.length - 1;
  const cases: Record<string, (document: Json) => void> = {
    "another digest of the key": set("digest", word(1n)),
    "another key": (document) => {
      [document.fixed[0].point, document.fixed[1].point] = [document.fixed[1].point, document.fixed[0].point];
    },
    "another order of rotations": (document) => {
      const commitments = document.rounds.flatMap((round: Json) => round.commitments);
      commitments.find((commitment: Json) => commitment.rotations.length > 1).rotations.reverse();
    },
    "another stride": set("stride", good.stride + 1),
    "another schedule: a challenge earlier": (document) => {
      document.rounds[0].challenges -= 1;
      document.rounds[1].challenges += 1;
    },
    "another schedule: a commitment later": (document) => {
      document.rounds[1].commitments.unshift(document.rounds[0].commitments.pop());
    },
    "the first constraint left out": (document) => document.constraints.shift(),
    "the last constraint left out": (document) => document.constraints.pop(),
    "a constraint in the middle left out": (document) => document.constraints.splice(last >> 1, 1),
    "another combiner": set("combiner", 0),
    "the sides of the pairing exchanged": (document) => {
      [document.srs.g2, document.srs.s_g2] = [document.srs.s_g2, document.srs.g2];
    },
    "another generator": (document) => {
      document.srs.g1 = document.fixed[0].point;
    },
    "the order of the accumulator's words": (document) => {
      document.accumulator = [...document.accumulator.slice(6), ...document.accumulator.slice(0, 6)];
    },
  };
  for (const [what, edit] of Object.entries(cases)) {
    const other = new Verifier(edited(edit));
    const expected = what.includes("accumulator") ? "accumulator" : "pairing";
    assert.equal(judge(other, honest), expected, what);
  }
  const twenty = new Verifier(edited((document) => (document.instances = [27])));
  assert.equal(judge(twenty, honest), "instance-count");
});

test("the manifest says which document is whose", () => {
  const { manifest, description, batchDescription } = files;
  const block = (m: string, d: string) => refusal(() => CircuitVerifier.ofBlocks(m, d));
  assert.equal(block(manifest, description), "ok");
  assert.equal(block(manifest, `${description} `), "digest");
  assert.equal(block(manifest, batchDescription), "digest");
  assert.equal(block(manifest.replace('"format_version": 4', '"format_version": 3'), description), "version");
  assert.equal(block(manifest.replace('"k": 17', '"k": 17, "more": 1'), description), "json");
  assert.equal(refusal(() => CircuitVerifier.ofBatches(manifest, description)), "digest");
  // A document of another kind of circuit, even if a manifest names it.
  const renamed = manifest.replace(digestOf(description), digestOf(batchDescription));
  assert.equal(block(renamed, batchDescription), "document");
  assert.equal(refusal(() => new CircuitVerifier(edited(set("accumulator", null)), "")), "document");
  const { unsafeSrs, batches, files: named } = manifestFrom(manifest);
  assert.deepEqual([unsafeSrs, batches, named.size], [true, 2, 6]);
});

test("JSON with two readings is refused", () => {
  for (const text of ['{"a":1,"a":1}', "1.0", "1e1", "-0", "01", "+1", "9007199254740993", "[1,]", "[1 2]", '"\n"', '"\\x"', '"a', "nul", "{a:1}", "", " ", "1 1", "[".repeat(40)]) {
    assert.equal(refusal(() => parseJson("text", text)), "json", text);
  }
  assert.deepEqual(parseJson("text", ' [ {"a" : "\\u0041\\"" } , -1, 0, null, true, [] ] '), [new Map([["a", 'A"']]), -1, 0, null, true, []]);
});
