// Puts the reports of the single runs together: a table to standard output, all figures as JSON.
//   report.mjs N M REPORTS OUT.json
// Fails if a proof was not verified or a cheat was not refused.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const [n, m, dir, out] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(join(dir, `${name}.json`), "utf8"));
const run = (command, ...args) => execFileSync(command, args, { encoding: "utf8" }).trim();
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
const crate = (name) =>
  readFileSync("ark/Cargo.lock", "utf8").match(`name = "${name}"\nversion = "(.*)"`)[1];

const commit = run("git", "rev-parse", "--short", "HEAD");
const changed = run("git", "status", "--porcelain", "--untracked-files=no") !== "";
const machine = {
  cpu: cpus()[0].model,
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  commit: changed ? `${commit} and changes` : commit,
};

/** A line of the table. Witness and proof are lists of stages, one after the other. */
function line(system, versions, transfers, size, witness, prove, rest) {
  const total = (stages, what) => stages.reduce((sum, stage) => sum + stage[what], 0);
  const all = [...witness, ...prove];
  return {
    system,
    versions,
    transfers,
    size_per_transfer: size,
    witness_seconds: total(witness, "seconds"),
    prove_seconds: total(prove, "seconds"),
    core_seconds: total(all, "core_seconds"),
    peak_memory_bytes: Math.max(...all.map((stage) => stage.peak_memory_bytes)),
    transfers_per_second: transfers / total(all, "seconds"),
    transfers_per_core_second: transfers / total(all, "core_seconds"),
    ...rest,
  };
}

const [circom, snarkjs, ark] = ["circom-witness", "snarkjs", "ark"].map(read);
const [gates, noirWitness, noir] = ["noir-gates", "noir-witness", "noir"].map(read);
const [batch, proof, verify] = ["batch", "proof", "verify"].map(read);
// One report for each arithmetic that the processor has.
const runs = readdirSync(dir).sort().filter((name) => /^bastion-\w+\.json$/.test(name))
  .map((name) => read(name.replace(/\.json$/, "")));
const stages = (bench, ...names) => bench.stages.filter(({ name }) => names.includes(name));

const r1cs = `${Math.round(ark.constraints / n)} constraints`;
const compiler = `circom2 ${version("circom2")}`;
const bastionVersion = run("../../target/release/bastion", "--version").split(" ")[1];
const bytes = ({ proof }) => (proof.length - 2) / 2;
const lines = [
  line("circom, snarkjs", `${compiler}, snarkjs ${version("snarkjs")}`, Number(n), r1cs,
    [circom.stages.witness], [snarkjs.stages.prove],
    { proof_bytes: snarkjs.proof_bytes, verified: snarkjs.verified }),
  line("circom, ark-groth16", `${compiler}, ark-groth16 ${crate("ark-groth16")}`, Number(n), r1cs,
    [circom.stages.witness], [ark.stages.prove],
    { proof_bytes: ark.proof_bytes, verified: ark.verified }),
  line("Noir, UltraHonk in WebAssembly",
    `noir_wasm ${version("@noir-lang/noir_wasm")}, bb.js ${version("@aztec/bb.js")}`,
    Number(m), `${Math.round(gates.gates / m)} gates`,
    [noirWitness.stages.witness], [noir.stages.prove],
    { proof_bytes: noir.proof_bytes, verified: noir.verified }),
  ...runs.flatMap((bench) => [
    line(`Bastion (${bench.arithmetic}), batch proofs`, bastionVersion, bench.transfers,
      `${bench.cells_per_transfer} cells`,
      stages(bench, "execute", "witness"), stages(bench, "prove"),
      { proof_bytes: `2 of ${bytes(batch)}`, verified: verify.proofs === 3 }),
    line(`Bastion (${bench.arithmetic}), batch proofs and block proof`, bastionVersion,
      bench.transfers, `${bench.cells_per_transfer} cells`,
      stages(bench, "execute", "witness"), stages(bench, "prove", "aggregate"),
      { proof_bytes: bytes(proof), verified: verify.proofs === 3 }),
  ]),
];
const refused = {
  circom_cheats: circom.cheats_refused,
  noir_cheats: noirWitness.cheats_refused,
  snarkjs_forgeries: snarkjs.forgeries_refused,
  ark_forgeries: ark.forgeries_refused,
  noir_forgeries: noir.forgeries_refused,
};
writeFileSync(out, JSON.stringify({ machine, lines, refused }, null, 2) + "\n");

const heads = ["system", "versions", "transfers", "per transfer", "witness s", "prove s",
  "core-s", "peak GiB", "transfers/s", "transfers/core-s", "proof bytes", "verified"];
const table = lines.map((l) => [
  l.system, l.versions, l.transfers, l.size_per_transfer, l.witness_seconds.toFixed(2),
  l.prove_seconds.toFixed(2), l.core_seconds.toFixed(1),
  (l.peak_memory_bytes / 2 ** 30).toFixed(2), l.transfers_per_second.toFixed(2),
  l.transfers_per_core_second.toFixed(2), l.proof_bytes, l.verified ? "yes" : "NO",
]);
console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.commit}\n`);
for (const row of [heads, heads.map(() => "---"), ...table]) console.log(`| ${row.join(" | ")} |`);
const flat = Object.values(refused).flatMap((r) => (typeof r === "object" ? Object.values(r) : [r]));
console.log(`\ncheats and forgeries refused: ${flat.filter(Boolean).length} of ${flat.length}`);
if (!flat.every(Boolean) || !lines.every((l) => l.verified)) process.exit(1);
