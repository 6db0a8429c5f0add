#!/usr/bin/env bash
# Runs the contract tests with the pinned forge and solc. Gas figures must be those committed in
# snapshots/ (GAS_CHECK=false writes them); FOUNDRY_PROFILE=deep makes the long runs.
set -euo pipefail
cd "$(dirname "$0")"
# Other cases than the committed seed's, which can be made again.
if [ "${FOUNDRY_PROFILE:-}" = deep ]; then
  export FOUNDRY_FUZZ_SEED="${FOUNDRY_FUZZ_SEED:-0x$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')}"
  echo "FOUNDRY_FUZZ_SEED=$FOUNDRY_FUZZ_SEED"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
node_modules/.bin/forge test --gas-snapshot-check="${GAS_CHECK:-true}" "$@" 2>&1 | tee "$log"
# The npm wrapper leaves with success whatever forge says, and forge itself where only gas differs.
if grep -q "Snapshots differ" "$log"; then
  echo "Gas differs from snapshots/: GAS_CHECK=false ./verifier-contract/forge.sh writes the new figures" >&2
  exit 1
fi
grep -qE "tests? passed, 0 failed" "$log"
