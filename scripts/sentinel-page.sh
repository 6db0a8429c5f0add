#!/usr/bin/env bash
# The page of findings over a real node: anvil, a rollup, a stolen key whose drain is held back and whose
# account is frozen, an indicator with a hostile name; then the page in chromium, at the node's public and at
# its admin address. BASTION_SHOTS names a folder for pictures, BASTION_KEEP=1 leaves everything running.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/processes.sh
dir=$root/target/sentinel-page
rm -rf "$dir" && mkdir -p "$dir"
trap 'stop TERM' EXIT
say() { printf '\n== %s\n' "$*"; }
l1=8755 public=4320 admin=4321
export BASTION_WALLET_PASSWORD=demo-password BASTION_WALLET=$dir/wallet
owner_exit=0x70997970C51812dc3A010C7d01b50e0d17dc79C8 # anvil's second account
thief=0x90F79bf6EB2c4f870365E785982E1f101E93b906      # anvil's fourth account
collection=91a7b528-80eb-42ed-a74d-c6fbd5a26116

say "a chain and a rollup"
"$bastion" --cache-dir "$root/.bastion" setup --shape tiny --unsafe-dev-srs > /dev/null
cd "$dir"
background anvil anvil --silent --port $l1 --block-time 1 --mixed-mining
listening $l1 anvil
"$bastion" sentinel dev-guardian guardian.key > /dev/null
"$bastion" sentinel feed-key feed.key --json > feed.json
field() { node -p "JSON.parse(require('fs').readFileSync('feed.json')).$1"; }
cat > trust.json << JSON
{"own": "$(field identity)", "sources": 1, "members": [
  {"identity": "$(field identity)", "operator": "own", "name": "this chain", "keys": ["$(field key)"], "up_to": "green", "weight": 1000}]}
JSON
cat > feed.toml << TOML
collection = "$collection"
trust = "trust.json"
key-file = "feed.key"
TOML
node_config $l1 $public $admin 4 8 2
cat >> bastion.toml << TOML
[worker]
slots = 1
[sentinel]
mode = "enforce"
guardian-key-file = "guardian.key"
feed = "feed.toml"
TOML
"$bastion" l1 deploy --shape tiny --dev > deploy.txt
background node env RUST_LOG=info "$bastion" node
listening $public node
listening $admin node

say "people pay one another"
"$bastion" replay "$root/examples/transfers.csv" --limit 40 --l1 http://127.0.0.1:$l1 --node http://127.0.0.1:$public > replay.txt
for name in alice bob; do
  "$bastion" wallet new $name --exit $owner_exit > /dev/null
  "$bastion" wallet deposit $name --amount 5eth --l1 http://127.0.0.1:$l1 --from $owner_exit > /dev/null
  until "$bastion" wallet status $name --json | grep -q 'proven_balance.*[0-9]'; do sleep 1; done
done
account() { "$bastion" wallet status "$1" --json | node -p 'JSON.parse(require("fs").readFileSync(0)).accounts[0].index'; }
"$bastion" wallet transfer alice --amount 0.2eth --fee 0 --to "$(account bob)" > /dev/null
"$bastion" wallet transfer bob --amount 0.05eth --fee 0 --to 131072 > /dev/null
"$bastion" wallet withdraw bob --amount 0.01eth --fee 0 --to $owner_exit > /dev/null

say "a thief has Alice's key"
"$bastion" wallet new thief --exit $owner_exit > /dev/null
"$bastion" wallet change-key alice --to thief --fee 0 > /dev/null
"$bastion" wallet withdraw thief --amount 4eth --fee 0 --to $thief && { echo "the theft was not held back" >&2; exit 1; }
"$bastion" sentinel publish $thief --name '<img src=x onerror="window.broken=true">' > /dev/null

say "the page"
export BASTION_NODE=http://127.0.0.1:$public BASTION_ADMIN=http://127.0.0.1:$admin BASTION_TOKEN_FILE=$dir/admin-token
cd "$root/clients/ts"
[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
status=0
node --test --test-reporter=tap --test-concurrency=1 build/e2e/sentinel-node.test.js build/e2e/node.test.js | tee "$dir/page.log" || status=1
awk '/^# pass [0-9]+$/ { passed = $3 } /^# (fail|cancelled) [0-9]+$/ { failed += $3 }
     END { printf "%d passed, %d failed\n", passed, failed }' "$dir/page.log"
if [ -n "${BASTION_KEEP:-}" ]; then
  say "public http://127.0.0.1:$public/#/sentinel, admin http://127.0.0.1:$admin/#/sentinel, token in $BASTION_TOKEN_FILE; interrupt to end"
  wait
fi
exit "$status"
