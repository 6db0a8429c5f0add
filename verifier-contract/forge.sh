#!/usr/bin/env bash
# Runs the contract tests with the pinned forge and solc. Gas figures must be those committed in
# snapshots/ (GAS_CHECK=false writes them); FOUNDRY_PROFILE=deep makes the long runs.
set -euo pipefail
cd "$(dirname "$0")"
exec node_modules/.bin/forge test --gas-snapshot-check="${GAS_CHECK:-true}" "$@"
