#!/usr/bin/env bash
# All tests: contracts by forge, the rest by nextest. Ends with the sum of both.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$PWD/.bastion/tools/bin"
cargo=${CARGO:-cargo}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$cargo" nextest run --release --locked --workspace --no-fail-fast --status-level fail --final-status-level slow 2>&1 | tee -a "$log" || status=1
./verifier-contract/forge.sh 2>&1 | tee -a "$log" || status=1
# nextest: "Summary [ 2.1s] 8 tests run: 7 passed (1 slow), 1 failed, 0 skipped";
# forge: "Suite result: ok. 14 passed; 0 failed; ...". Both perhaps in colour.
sed 's/\x1b\[[0-9;]*m//g' "$log" | awk '
     /^ *Summary \[/ { runs++ }
     /^Suite result:/ { suites++ }
     /^ *Summary \[/ || /^Suite result:/ {
       for (i = 2; i <= NF; i++) {
         if ($i ~ /^passed[;,]?$/) passed += $(i - 1)
         if ($i ~ /^(failed|timed)[;,]?$/) failed += $(i - 1)
       }
     }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || !runs || !suites }' || status=1
exit "$status"
