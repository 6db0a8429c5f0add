#!/usr/bin/env bash
# Runs the demo on the embedded L1, on a fresh anvil (second argument "anvil"), or on a node's URL.
set -euo pipefail
cd "$(dirname "$0")/.."
shape=${1:-small} l1=${2:-}
bastion=target/release/bastion
if [ "$l1" != anvil ]; then
  exec "$bastion" demo --shape "$shape" ${l1:+--l1 "$l1"}
fi
port=${ANVIL_PORT:-8545}
verifier-contract/node_modules/.bin/anvil --silent --port "$port" &
anvil=$!
trap 'kill "$anvil" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done
"$bastion" demo --shape "$shape" --l1 "http://127.0.0.1:$port"
