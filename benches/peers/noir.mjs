// The Noir program, compiled, executed, proved and verified; one job per process:
//   noir.mjs compile DIR N    writes the program of N transfers; reports its gates
//   noir.mjs witness DIR N    executes it, checks the new root, tries the cheats
//   noir.mjs prove DIR        proves, verifies, and expects that another root is refused
// What a job took goes to standard output as JSON.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { Barretenberg, BarretenbergSync, Fr, UltraHonkBackend } from "@aztec/bb.js";
import { Noir } from "@noir-lang/noir_js";
import { compile as compileProgram, createFileManager } from "@noir-lang/noir_wasm";
import { measure } from "./measure.mjs";
import { CHEATS, random, transfers } from "./transfers.mjs";

const [job, dir, n] = process.argv.slice(2);
const path = (name) => join(dir, name);
const program = () => JSON.parse(readFileSync(path("program.json"), "utf8"));
// Standard output is for the report.
console.log = console.info = console.debug = console.error;

/** What the program says of each cheat. */
const REFUSED_BY = {
  overdraw: "assert_max_bit_size",
  balance: "sender",
  amount: "signature",
  signature: "signature",
  nonce: "sender",
};

// Grumpkin: y^2 = x^3 - 17 over the scalar field of BN254; its order is BN254's base field.
const P = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const GENERATOR = [1n, 17631683881184975370165255887551781615748388533673675138860n];
const mod = (a, m = P) => ((a % m) + m) % m;

function inverse(a) {
  let [r0, r1, t0, t1] = [P, mod(a), 0n, 1n];
  while (r1) [r0, r1, t0, t1] = [r1, r0 % r1, t1, t0 - (r0 / r1) * t1];
  return mod(t0);
}

function add(p, q) {
  if (!p || !q) return p ?? q;
  if (p[0] === q[0] && p[1] !== q[1]) return undefined;
  const same = p[0] === q[0];
  const slope = same
    ? mod(3n * p[0] * p[0] * inverse(2n * p[1]))
    : mod((q[1] - p[1]) * inverse(q[0] - p[0]));
  const x = mod(slope * slope - p[0] - q[0]);
  return [x, mod(slope * (p[0] - x) - p[1])];
}

function multiply(p, scalar) {
  let sum;
  for (; scalar; scalar >>= 1n, p = add(p, p)) if (scalar & 1n) sum = add(sum, p);
  return sum;
}

async function scheme() {
  const bb = await BarretenbergSync.initSingleton();
  const hash = (input) => {
    let state = [0n, 0n, 0n, BigInt(input.length)];
    for (let i = 0; i < input.length; i += 3) {
      input.slice(i, i + 3).forEach((x, j) => (state[j] = mod(state[j] + x)));
      const out = bb.poseidon2Permutation(state.map((x) => new Fr(x)));
      state = out.map((x) => BigInt(x.toString()));
    }
    return state[0];
  };
  return {
    hash,
    key: (seed) => {
      const secret = random(seed, 250);
      const [x, y] = multiply(GENERATOR, secret);
      return { secret, x, y };
    },
    sign: ({ secret }, message, { x, y }) => {
      const m = hash(message);
      const k = random(`nonce ${secret} ${m}`, 250);
      const e = hash([multiply(GENERATOR, k)[0], x, y, m]);
      const s = mod(k - e * secret, ORDER);
      return { e, s_low: s & ((1n << 128n) - 1n), s_high: s >> 128n };
    },
  };
}

/** The program's inputs; numbers as text. */
function inputs({ oldRoot, list }) {
  const account = ({ x, y, nonce, balance, siblings }) => ({ x, y, nonce, balance, siblings });
  const input = {
    old_root: oldRoot,
    transfers: list.map((t) => ({
      ...t,
      sender: account(t.sender),
      receiver: account(t.receiver),
    })),
  };
  const text = (_, v) => (typeof v === "bigint" ? "0x" + v.toString(16) : v);
  return JSON.parse(JSON.stringify(input, text));
}

async function compile() {
  cpSync("noir", path("noir"), { recursive: true });
  const source = path("noir/src/main.nr");
  writeFileSync(source, readFileSync(source, "utf8") + `\nglobal N: u32 = ${n};\n`);
  const { program } = await compileProgram(createFileManager(resolve(path("noir"))));
  writeFileSync(path("program.json"), JSON.stringify(program));
  const backend = new UltraHonkBackend(program.bytecode);
  const api = await Barretenberg.new({ threads: 1 });
  const [gates, rows] = await api.acirGetCircuitSizes(backend.acirUncompressedBytecode, false, true);
  return { gates, rows };
}

async function witness() {
  const by = await scheme();
  const honest = transfers(Number(n), by);
  const noir = new Noir(program());
  const [{ witness, returnValue }, stage] = await measure(() => noir.execute(inputs(honest)));
  if (BigInt(returnValue) !== honest.newRoot) throw new Error("another root than the tree's");
  writeFileSync(path("noir.witness"), witness);

  const refused = {};
  for (const cheat of Object.keys(CHEATS)) {
    refused[cheat] = await noir.execute(inputs(transfers(Number(n), by, cheat))).then(
      () => false,
      (error) => error.message.includes(REFUSED_BY[cheat]),
    );
  }
  return { stages: { witness: stage }, cheats_refused: refused };
}

async function prove() {
  const threads = availableParallelism();
  const backend = new UltraHonkBackend(program().bytecode, { threads, crsPath: path("points") });
  // Reading the reference string is not part of proving.
  await backend.instantiate();
  const options = { keccakZK: true };
  const witness = readFileSync(path("noir.witness"));
  // `generateProof` also computes the verification key, which is left out of the time.
  const { api } = backend;
  const proveOnly = api.acirProveUltraKeccakZkHonk.bind(api);
  let stage;
  api.acirProveUltraKeccakZkHonk = async (...args) => {
    const [proof, took] = await measure(() => proveOnly(...args));
    stage = took;
    return proof;
  };
  const made = await backend.generateProof(witness, options);
  const verify = (proof) => backend.verifyProof(proof, options);
  const verified = await verify(made);
  const [root, ...rest] = made.publicInputs;
  const other = "0x" + (BigInt(root) ^ 1n).toString(16).padStart(64, "0");
  const accepted = await verify({ ...made, publicInputs: [other, ...rest] });
  return {
    stages: { prove: stage },
    proof_bytes: made.proof.length,
    verified,
    forgeries_refused: !accepted,
    threads,
  };
}

const report = await { compile, witness, prove }[job]();
process.stdout.write(JSON.stringify(report) + "\n", () => process.exit(0));
