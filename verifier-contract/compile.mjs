// Compiles the L1 contracts with the pinned solc and writes ABI and bytecode to artifacts/.
// The output is committed; a test compiles again and compares.
import { readFileSync, readdirSync, writeFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const root = dirname(fileURLToPath(import.meta.url));
const wanted = { "contracts/Governance.sol": ["Governance"], "contracts/Rollup.sol": ["Rollup"], "contracts/Slashing.sol": ["Slashing"], "contracts/TestToken.sol": ["TestToken"] };

const sources = {};
for (const file of readdirSync(join(root, "contracts")).sort()) {
  sources[`contracts/${file}`] = { content: readFileSync(join(root, "contracts", file), "utf8") };
}

const input = {
  language: "Solidity",
  sources,
  settings: {
    evmVersion: "cancun",
    viaIR: true,
    optimizer: { enabled: true, runs: 800 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};

function readImport(path) {
  try {
    return { contents: readFileSync(join(root, "node_modules", path), "utf8") };
  } catch {
    return { error: `${path} not found: run make setup` };
  }
}

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
const problems = (output.errors ?? []).filter((e) => e.severity === "error" || e.severity === "warning");
for (const problem of problems) console.error(problem.formattedMessage);
if (problems.length > 0) process.exit(1);

const target = process.argv[2] ?? join(root, "artifacts");
mkdirSync(target, { recursive: true });
for (const [file, names] of Object.entries(wanted)) {
  for (const name of names) {
    const contract = output.contracts[file][name];
    const size = contract.evm.deployedBytecode.object.length / 2;
    if (size > 24576) {
      console.error(`${name}: ${size} bytes of code, the limit is 24576`);
      process.exit(1);
    }
    const artifact = { name, solc: solc.version(), abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
    console.log(`${name}: ${size} bytes`);
  }
}
