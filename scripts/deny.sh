#!/usr/bin/env bash
# Licences, sources and advisories of the dependencies (deny.toml). Advisories need their database
# from the network: without it they are left out, loudly.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$PWD/.bastion/tools/bin"
cargo=${CARGO:-cargo}
"$cargo" deny --locked check licenses bans sources
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "$cargo" deny --locked check advisories 2>&1 | tee "$log"; then
  if grep -q "failed to fetch advisory database" "$log"; then
    echo "warning: advisories were NOT checked: their database cannot be fetched" >&2
  else
    exit 1
  fi
fi
