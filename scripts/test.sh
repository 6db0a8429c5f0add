#!/usr/bin/env bash
# All tests: contracts by forge, client and page by node and chromium, the rest by cargo. Ends with the sum. Not by a runner with a
# process for each test: the tests of a binary share keys that take half a minute to make.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# Two tests talk to TAXII peers from PyPI.
if [ -z "${BASTION_NO_PYTHON:-}" ] && ! python3 -m pip download --quiet --no-deps --no-cache-dir --dest "$(mktemp -d)" six==1.17.0; then
  echo "PyPI cannot be reached: what talks to TAXII peers in Python is LEFT OUT" >&2
  export BASTION_NO_PYTHON=1
fi
# The third verifier, which judges other orders of a proven block in a test of `node`.
(cd clients/ts && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build) || status=1
"$cargo" test --release --locked --workspace --tests --no-fail-fast 2>&1 | tee -a "$log" || status=1
# Above, the prover used the best arithmetic of this processor. Proofs and sums of points by the others;
# one that it lacks is the best again.
for arithmetic in portable mulx; do
  BASTION_ARITHMETIC=$arithmetic "$cargo" test --release --locked --workspace --lib --no-fail-fast \
    -- plonk:: msm:: proof:: 2>&1 | tee -a "$log" || status=1
done
./verifier-contract/forge.sh 2>&1 | tee -a "$log" || status=1
./scripts/web.sh 2>&1 | tee -a "$log" || status=1
./scripts/sentinel-page.sh 2>&1 | tee -a "$log" || status=1
# cargo: "test result: ok. 8 passed; 0 failed; ..."; forge: "Suite result: ok. 14 passed; 0 failed; ..."
sed 's/\x1b\[[0-9;]*m//g' "$log" | awk '
     /^test result:/ { runs++ }
     /^Suite result:/ { suites++ }
     # scripts/web.sh and sentinel-page.sh: "120 passed, 0 failed".
     /^[0-9]+ passed, [0-9]+ failed$/ { pages++; passed += $1; failed += $3 }
     /^(test|Suite) result:/ {
       for (i = 2; i <= NF; i++) {
         if ($i ~ /^passed;?$/) passed += $(i - 1)
         if ($i ~ /^failed;?$/) failed += $(i - 1)
       }
     }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || !runs || !suites || !pages }' || status=1
exit "$status"
