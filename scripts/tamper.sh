#!/usr/bin/env bash
# Flips bytes of a proven folder, one at a time, and expects `bastion verify` to exit 3.
# Usage: scripts/tamper.sh DIR [FLIPS] [CACHE_DIR]
set -euo pipefail
dir=$1 flips=${2:-10} cache=${3:-.bastion}
bastion=$(dirname "$0")/../target/release/bastion
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in 0000.data 0000.proof.json; do
  size=$(stat -c %s "$dir/$file")
  for i in $(seq "$flips"); do
    cp -r "$dir/." "$work/copy"
    at=$(((size * i / (flips + 1))))
    python3 - "$work/copy/$file" "$at" <<'PY'
import sys
path, at = sys.argv[1], int(sys.argv[2])
data = bytearray(open(path, "rb").read())
data[at] ^= 1
open(path, "wb").write(data)
PY
    code=0
    "$bastion" --cache-dir "$cache" verify "$work/copy" >/dev/null 2>"$work/err" || code=$?
    if [ "$code" != 3 ]; then
      echo "$file byte $at: exit $code"; cat "$work/err"; exit 1
    fi
    rm -rf "$work/copy"
  done
  echo "$file: $flips flips refused with exit 3"
done
