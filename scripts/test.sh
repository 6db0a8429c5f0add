#!/usr/bin/env bash
# All tests: contracts by forge, the rest by cargo. Ends with the sum of both.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
./verifier-contract/forge.sh 2>&1 | tee -a "$log" || status=1
"${CARGO:-cargo}" test --release --locked --workspace --tests --no-fail-fast 2>&1 | tee -a "$log" || status=1
# cargo: "test result: ok. 8 passed; 0 failed; ..."; forge: "Suite result: ok. 14 passed; 0 failed; ..."
awk '/^(test|Suite) result:/ {
       for (i = 2; i <= NF; i++) {
         if ($i ~ /^passed;?$/) passed += $(i - 1)
         if ($i ~ /^failed;?$/) failed += $(i - 1)
       }
     }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' "$log" || status=1
exit "$status"
