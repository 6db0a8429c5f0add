#!/usr/bin/env bash
# Runs the contract tests with the pinned forge and solc.
set -euo pipefail
cd "$(dirname "$0")"
exec node_modules/.bin/forge test "$@"
