#!/usr/bin/env bash
# The TypeScript client and the web page: types, tests, the committed bundle, and the page in chromium.
# Ends with the sum of the tests. BASTION_CHROMIUM names a browser, BASTION_NODE a node that runs.
set -euo pipefail
cd "$(dirname "$0")/../clients/ts"
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  echo "node $(node --version) is too old: client and page need 20.19 or newer" >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
npm ci --no-audit --no-fund --loglevel=error
npm run --silent check || status=1
node bundle.mjs --check || status=1
rm -rf build
npm run --silent build || status=1
node --test --test-reporter=tap build/test/*.test.js 2>&1 | tee -a "$log" || status=1
node --test --test-reporter=tap --test-concurrency=1 build/e2e/*.test.js 2>&1 | tee -a "$log" || status=1
# "# pass 78", "# fail 0", from each run.
awk '/^# pass [0-9]+$/ { runs++; passed += $3 }
     /^# (fail|cancelled) [0-9]+$/ { failed += $3 }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || runs != 2 }' "$log" || status=1
exit "$status"
