// Witness, proof and verification by circom's WebAssembly and snarkjs, one job per process, so that
// the peak of the memory is the job's:
//   circom.mjs witness DIR N   writes the witness, checks the new root, tries the cheats
//   circom.mjs prove DIR       proves, verifies, and expects that a changed witness is refused
// What a job took goes to standard output as JSON.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildEddsa, buildPoseidon } from "circomlibjs";
import * as snarkjs from "snarkjs";
import { measure } from "./measure.mjs";
import { CHEATS, transfers } from "./transfers.mjs";

const [job, dir, n] = process.argv.slice(2);
const path = (name) => join(dir, name);

/** The template that refuses each cheat. */
const REFUSED_BY = {
  overdraw: "Num2Bits",
  balance: "Transfer",
  amount: "ForceEqualIfEnabled",
  signature: "ForceEqualIfEnabled",
  nonce: "Transfer",
};

async function scheme() {
  const eddsa = await buildEddsa();
  const poseidon = await buildPoseidon();
  const { F } = poseidon;
  return {
    hash: (values) => F.toObject(poseidon(values)),
    key: (seed) => {
      const secret = createHash("sha256").update(seed).digest();
      const [x, y] = eddsa.prv2pub(secret).map((c) => F.toObject(c));
      return { secret, x, y };
    },
    sign: ({ secret }, message) => {
      const { R8, S } = eddsa.signPoseidon(secret, poseidon(message));
      return { r8x: F.toObject(R8[0]), r8y: F.toObject(R8[1]), s: S };
    },
  };
}

/** The circuit's inputs: a list for every signal. */
function inputs({ oldRoot, list }) {
  const signals = list.map(({ from, to, token, amount, signature, sender, receiver }) => ({
    ...{ from, to, token, amount, ...signature },
    nonce: sender.nonce,
    senderAx: sender.x,
    senderAy: sender.y,
    senderBalance: sender.balance,
    senderSiblings: sender.siblings,
    receiverAx: receiver.x,
    receiverAy: receiver.y,
    receiverNonce: receiver.nonce,
    receiverBalance: receiver.balance,
    receiverSiblings: receiver.siblings,
  }));
  const names = Object.keys(signals[0]);
  return { oldRoot, ...Object.fromEntries(names.map((x) => [x, signals.map((t) => t[x])])) };
}

async function witness() {
  const by = await scheme();
  const wasm = path("circuit_js/circuit.wasm");
  const honest = transfers(Number(n), by);
  const [, stage] = await measure(() =>
    snarkjs.wtns.calculate(inputs(honest), wasm, path("witness.wtns")),
  );
  // Value 0 is one, then come the outputs: the new root.
  const values = await snarkjs.wtns.exportJson(path("witness.wtns"));
  if (values[1] !== honest.newRoot) throw new Error("the witness has another root than the tree");

  // What the circuit says of a cheat is an error, which the runtime also prints.
  console.error = () => {};
  const refused = {};
  for (const cheat of Object.keys(CHEATS)) {
    const input = inputs(transfers(Number(n), by, cheat));
    const by_whom = `Assert Failed. Error in template ${REFUSED_BY[cheat]}_`;
    refused[cheat] = await snarkjs.wtns.calculate(input, wasm, { type: "mem" }).then(
      () => false,
      (error) => error.message.includes(by_whom),
    );
  }
  return { stages: { witness: stage }, cheats_refused: refused };
}

async function prove() {
  const [{ proof, publicSignals }, stage] = await measure(() =>
    snarkjs.groth16.prove(path("circuit.zkey"), path("witness.wtns")),
  );
  const key = await snarkjs.zKey.exportVerificationKey(path("circuit.zkey"));
  const verify = (signals, p) => snarkjs.groth16.verify(key, signals, p);
  const verified = await verify(publicSignals, proof);

  // One value of the witness changed; another public root under the honest proof.
  const changed = new Uint8Array(readFileSync(path("witness.wtns")));
  changed[changed.length - 32] ^= 1;
  const forged = await snarkjs.groth16.prove(path("circuit.zkey"), { type: "mem", data: changed });
  const other = [String(BigInt(publicSignals[0]) + 1n), ...publicSignals.slice(1)];
  const accepted =
    (await verify(forged.publicSignals, forged.proof)) || (await verify(other, proof));

  // As a contract takes it.
  const calldata = await snarkjs.groth16.exportSolidityCallData(proof, publicSignals);
  const words = JSON.parse(`[${calldata}]`).slice(0, 3).flat(2);
  return {
    stages: { prove: stage },
    proof_bytes: 32 * words.length,
    verified,
    forgeries_refused: !accepted,
  };
}

const report = await { witness, prove }[job]();
console.log(JSON.stringify(report));
// snarkjs' threads would keep the process alive.
process.exit(0);
