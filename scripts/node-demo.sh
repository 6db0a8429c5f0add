#!/usr/bin/env bash
# A rollup as an operator runs it, on this machine: anvil, NATS, the node and two workers. Real transfers go
# through the API, a worker is killed on the way, and everything becomes final on L1. Then an account's
# proof is checked by the browser's client, and the page stays up until it is interrupted (KEEP=0: it ends).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/processes.sh
shape=${1:-tiny}
limit=${2:-200}
csv=$root/examples/transfers.csv
[ -f "$root/../shared/data/mainnet_transfers.csv" ] && csv=$root/../shared/data/mainnet_transfers.csv
dir=$root/target/node-demo
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir"

trap 'stop TERM' EXIT
say() { printf '\n== %s\n' "$*"; }

l1=8545 nats=4222 api=4000 admin=4001
say "keys of shape $shape (made once)"
"$bastion" --cache-dir "$root/.bastion" setup --shape "$shape" --unsafe-dev-srs > /dev/null

say "anvil, NATS"
background anvil anvil --silent --port $l1 --block-time 1 --mixed-mining
background nats nats-server -js -a 127.0.0.1 -p $nats -sd "$dir/nats"
listening $l1 anvil
listening $nats nats

node_config $l1 $api $admin 5 10 2
cat >> bastion.toml << TOML
[worker]
embedded = false
slots = 1
[nats]
url = "nats://127.0.0.1:$nats"
TOML

say "contracts"
"$bastion" l1 deploy --shape "$shape" --dev

say "node, two workers"
background node env RUST_LOG=info "$bastion" node
for n in 1 2; do
  background "worker-$n" env RUST_LOG=info "$bastion" worker --name "worker-$n"
done
worker=${pids[-1]}
listening $api node

say "transfers of $(basename "$csv"), at most $limit"
"$bastion" replay "$csv" --limit "$limit" --l1 "http://127.0.0.1:$l1" --node "http://127.0.0.1:$api"

say "a worker is killed"
kill -KILL -- "-$worker" || true
background worker-2 env RUST_LOG=info "$bastion" worker --name worker-2

say "until everything is final"
"$bastion" control close-block > /dev/null
while true; do
  status=$("$bastion" status --json)
  read -r sealed final open < <(node -e 'const s = JSON.parse(process.argv[1]); console.log(s.blocks.sealed, s.blocks.finalized, s.blocks.open)' "$status")
  printf '\r%s of %s blocks are final ' "$final" "$sealed"
  [ "$final" -ge "$sealed" ] && [ "$open" = 0 ] && [ "$sealed" -gt 0 ] && break
  sleep 2
done
echo
"$bastion" status

say "an audit from L1 data"
contract=$(node -p 'JSON.parse(require("fs").readFileSync("rollup.json")).contract')
"$bastion" audit --contract "$contract" --l1 "http://127.0.0.1:$l1"

say "an account's proof, checked by the browser's client"
node "$root/clients/ts/check-account.mjs" "http://127.0.0.1:$api" 131072

echo
echo "the page: http://127.0.0.1:$api/"
if [ "${KEEP:-1}" = 1 ]; then
  echo "interrupt to end"
  wait
fi
