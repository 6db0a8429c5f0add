#!/usr/bin/env bash
# The whole soundness harness, and its figures in target/soundness.json.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
export BASTION_SOUNDNESS_REPORT="$PWD/target/soundness.txt"
export BASTION_MUTATIONS=${BASTION_MUTATIONS:-5000}
export PROPTEST_CASES=${PROPTEST_CASES:-512}
# Another seed in every run, where `make test` has always the same.
export BASTION_TEST_SEED=${BASTION_TEST_SEED:-$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')}
echo "to repeat this run: BASTION_TEST_SEED=$BASTION_TEST_SEED"
export BASTION_REORDERED=${BASTION_REORDERED:-10000}
export BASTION_FUZZ_BATCHES=${BASTION_FUZZ_BATCHES:-6000}
rm -f "$BASTION_SOUNDNESS_REPORT"
# The third verifier: the tests of other orders run it.
(cd clients/ts && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build)
run() { "$cargo" test --release --locked --workspace "$@" -- --nocapture; }
run --lib chip
run --lib plonk
run --test mutation --test cheats --test reference --test batch
run --test fuzz
run --test audit --test block --test third --test reordered
# The third verifier, on all of the changed proofs that `third` judged.
(cd clients/ts && BASTION_MUTATIONS=all node --test build/test/agreement.test.js)
# The contracts' invariants, by a seed of their own.
FOUNDRY_PROFILE=deep ./verifier-contract/forge.sh --mc BridgeInvariants
# Figures of one name add up.
awk 'BEGIN { print "{" }
     { sum[$1] += $2 }
     END {
       n = 0
       for (name in sum) { printf "%s  \"%s\": %d", n++ ? ",\n" : "", name, sum[name] }
       print "\n}"
     }' "$BASTION_SOUNDNESS_REPORT" > target/soundness.json
cat target/soundness.json
