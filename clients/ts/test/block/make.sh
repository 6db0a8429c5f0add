#!/usr/bin/env bash
# Proves one block of the smallest shape with a program that is built, and writes the files of this folder
# again, but for verdicts.txt: that is of the sample in verifier-contract/tests/data (the tests of `aggregator`
# write it with BASTION_BLESS=1; it is packed by gzip -9n), and made in the root of the repository by
#   BASTION_BLESS=1 BASTION_MUTATIONS=20000 cargo test --release --workspace --test third -- --nocapture
set -euo pipefail
bastion=$(realpath "${1:?usage: make.sh PROGRAM}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
address() { printf '0x%040x' "$1"; }
echo "block,tx_index,trace_index,token,from,to,amount" > rows.csv
for n in $(seq 9); do echo "1,0,0,$(address 0),$(address "$n"),$(address $((n + 1))),1000" >> rows.csv; done
"$bastion" setup --shape tiny --batches 2 --unsafe-dev-srs --cache-dir cache
"$bastion" prove rows.csv --shape tiny --batches 2 --cache-dir cache --out out
cp cache/verifier/tiny-2x-*/manifest.json out/0000.header.json out/0000.data out/0000.proof.json "$here"
for file in cache/verifier/tiny-2x-*/{description.json,batch-description.json} out/0000.batch-0.json; do
  gzip -9nc "$file" > "$here/$(basename "$file").gz"
done
