#!/usr/bin/env bash
# What workers cost and bring: the same block proven by the node itself, by one worker over NATS, and by two
# workers with a core each against one worker with one core. Prints JSON: seconds from the sealed to the
# proven block, and the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/processes.sh
shape=${1:-small}
blocks=${2:-1}
dir=$root/target/node-bench
"$bastion" --cache-dir "$root/.bastion" setup --shape "$shape" --unsafe-dev-srs > /dev/null 2>&1

# run NAME EMBEDDED WORKERS CORES-OF-EACH...: seconds of the first blocks.
run() {
  local name=$1 embedded=$2
  shift 2
  # It runs in a subshell, which inherits no trap.
  trap stop EXIT
  rm -rf "$dir/$name" && mkdir -p "$dir/$name" && cd "$dir/$name"
  background anvil anvil --silent --port 8645 --block-time 1 --mixed-mining
  background nats nats-server -js -a 127.0.0.1 -p 4322 -sd nats
  listening 8645 anvil
  listening 4322 nats
  node_config 8645 4100 4101 600 900 1
  cat >> bastion.toml << TOML
[worker]
embedded = $embedded
slots = 1
[nats]
url = "nats://127.0.0.1:4322"
TOML
  "$bastion" l1 deploy --shape "$shape" --dev > deploy.log 2>&1 || { cat deploy.log >&2; exit 1; }
  background node env RUST_LOG=info "$bastion" node
  local n=0
  for cores in "$@"; do
    n=$((n + 1))
    background "worker-$n" taskset -c "$cores" env RUST_LOG=info RAYON_NUM_THREADS="$(echo "$cores" | tr ',' '\n' | wc -l)" \
      "$bastion" worker --name "worker-$n"
  done
  listening 4100 node
  # Workers have their keys before the block is there.
  sleep 20
  "$bastion" replay "$root/../shared/data/mainnet_transfers.csv" --limit 100 --l1 http://127.0.0.1:8645 \
    --node http://127.0.0.1:4100 > replay.json 2>&1
  "$bastion" control close-block > /dev/null
  while [ "$(grep -c 'block proven' node.log)" -lt "$blocks" ]; do sleep 1; done
  node -e '
    const lines = require("fs").readFileSync("node.log", "utf8").split("\n").filter((l) => l.startsWith("{")).map(JSON.parse);
    // Progress is told in lines of another form.
    const at = (text) => lines.filter((l) => l.fields?.message === text).map((l) => Date.parse(l.timestamp));
    const [sealed, proven] = [at("block sealed"), at("block proven")];
    console.log((proven[Number(process.argv[1]) - 1] - sealed[0]) / 1000);' "$blocks"
  stop
  cd "$root"
}
embedded=$(run embedded true)
nats=$(run nats false 0,1)
one=$(run one false 0)
two=$(run two false 0 1)
node -e '
  const [shape, embedded, nats, one, two] = process.argv.slice(1);
  console.log(JSON.stringify({
    shape, embedded_seconds: +embedded, nats_seconds: +nats, nats_over_embedded: +(nats / embedded).toFixed(3),
    one_core_seconds: +one, two_workers_seconds: +two, one_over_two: +(one / two).toFixed(2),
  }, null, 2));' "$shape" "$embedded" "$nats" "$one" "$two"
