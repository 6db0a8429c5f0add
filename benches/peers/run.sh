#!/usr/bin/env bash
# Proves transfers by Bastion and by what people usually use, one after the other on this machine.
#   benches/peers/run.sh [N [M]]    N transfers in the circom circuit, M in the Noir program
# Everything that is installed, built or made lies under benches/peers/node_modules,
# benches/peers/target and target; the figures go to target/peers.json.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
root=$(cd ../.. && pwd)
# What fills the domain, which suits each best: 2^18 for Groth16, 2^17 for UltraHonk.
n=${1:-7} m=${2:-10}
for count in "$n" "$m"; do
  [[ $count =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [N [M]]" >&2; exit 2; }
done
circom=target/circom-$n noir=target/noir-$m out=target/reports
mkdir -p "$circom" "$noir/points" "$out"
rm -f "$out"/*.json
say() { echo "== $*" >&2; }

say "dependencies and builds"
if ! [ target/installed -nt package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch target/installed
fi
cargo build --release --locked --quiet --manifest-path ark/Cargo.toml --target-dir target/ark
make --silent -C "$root" build >&2
peers=target/ark/release/bastion-peers
bastion=$root/target/release/bastion

# Circuits and keys are made anew when their sources are newer than they are.
if ! [ "$circom/circuit.zkey" -nt circom/transfers.circom ]; then
  say "circom: circuit of $n transfers"
  printf '%s\n' 'pragma circom 2.1.5;' 'include "transfers.circom";' \
    "component main {public [oldRoot]} = Transfers($n, 32);" > "$circom/circuit.circom"
  # The compiler is WebAssembly and sees what is below the folder that it starts in.
  node_modules/.bin/circom2 "$circom/circuit.circom" --O2 --r1cs --wasm \
    -l circom -l node_modules/circomlib/circuits -o "$circom" >&2
  say "circom: development key"
  "$peers" key "$circom/circuit.r1cs" "$circom/circuit.part"
  mv "$circom/circuit.part" "$circom/circuit.zkey"
fi
if ! [ "$noir/gates.json" -nt noir/src/main.nr ]; then
  say "Noir: program of $m transfers, development points"
  node noir.mjs compile "$noir" "$m" > "$noir/gates.part"
  rows=$(sed 's/.*"rows":\([0-9]*\).*/\1/' "$noir/gates.part") power=0
  while [ $((1 << power)) -lt "$rows" ]; do power=$((power + 1)); done
  "$peers" points "$power" "$noir/points"
  mv "$noir/gates.part" "$noir/gates.json"
fi
cp "$noir/gates.json" "$out/noir-gates.json"

say "circom: witness and cheats"
node circom.mjs witness "$circom" "$n" > "$out/circom-witness.json"
say "circom: proof by snarkjs"
node circom.mjs prove "$circom" > "$out/snarkjs.json"
say "circom: proof by ark-groth16"
"$peers" prove "$circom/circuit.zkey" "$circom/witness.wtns" > "$out/ark.json"

say "Noir: witness and cheats"
node noir.mjs witness "$noir" "$m" > "$out/noir-witness.json"
say "Noir: proof by barretenberg"
node noir.mjs prove "$noir" > "$out/noir.json"

say "Bastion: keys, two batches full of transfers, their block proof"
export BASTION_CACHE_DIR=$here/target/bastion
"$bastion" setup --shape small --unsafe-dev-srs --json > "$out/setup.json"
# Each arithmetic that this processor has, so that the comparison holds for others too. `portable` is
# slow and for processors that few have.
measured=
for arithmetic in mulx ifma; do
  if "$bastion" bench --shape small --batches 2 --json --arithmetic "$arithmetic" \
    > "$out/bastion-$arithmetic.json" 2> "$out/bastion.log"; then
    measured="$measured $arithmetic"
  elif ! grep -q "needs instructions that are missing here" "$out/bastion.log"; then
    cat "$out/bastion.log" >&2
    exit 1
  else
    rm "$out/bastion-$arithmetic.json"
  fi
done
if [ -z "$measured" ]; then
  "$bastion" bench --shape small --batches 2 --json --arithmetic portable > "$out/bastion-portable.json"
fi
# The block proof of `bench` is verified where it is made and then dropped. One that is kept, of the
# same circuit under the same keys, goes to the verifier that shares no code with the prover.
say "Bastion: a block for the second verifier"
rm -rf target/out
"$bastion" prove "$root/examples/transfers.csv" --shape small --out target/out --json > "$out/prove.json"
"$bastion" verify target/out --independent --json > "$out/verify.json"
cp target/out/0000.proof.json "$out/proof.json"
cp target/out/0000.batch-0.json "$out/batch.json"

mkdir -p "$root/target"
node report.mjs "$n" "$m" "$out" "$root/target/peers.json"
