#!/usr/bin/env bash
# Runs slither (from PyPI, on the PATH or in $SLITHER) over the contracts with the pinned solc.
# docs/security.md, section 9.6, argues each kind of finding.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$here/contracts" "$work/contracts"
ln -s "$here/node_modules/@openzeppelin" "$work/@openzeppelin"
cd "$work"
node --input-type=module - > input.json <<'JS'
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
const sources = {};
const add = (name) => {
  if (sources[name]) return;
  sources[name] = { content: readFileSync(name, "utf8") };
  for (const [, path] of sources[name].content.matchAll(/from "([^"]+)"/g)) {
    add(path.startsWith(".") ? posix.join(posix.dirname(name), path) : path);
  }
};
for (const file of readdirSync("contracts")) add(`contracts/${file}`);
const every = ["abi", "metadata", "evm.bytecode", "evm.deployedBytecode", "evm.methodIdentifiers", "userdoc", "devdoc"];
const settings = {
  evmVersion: "cancun",
  viaIR: true,
  optimizer: { enabled: true, runs: 200 },
  outputSelection: { "*": { "*": every, "": ["ast"] } },
};
console.log(JSON.stringify({ language: "Solidity", sources, settings }));
JS
"${SLITHER:-slither}" input.json --compile-force-framework solc-json --solc "$here/solc.sh" \
  --filter-paths @openzeppelin --exclude timestamp,assembly,too-many-digits "$@"
