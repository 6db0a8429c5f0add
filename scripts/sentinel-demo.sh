#!/usr/bin/env bash
# The sentinel at work, on this machine: anvil and two rollups, each with its node. A stolen key is used on
# the first: the drain is held back, the account is frozen by a proven operation, its owner leaves by the way
# that stays open, an honest crowd passes, the second node hears of the thief and holds back what goes there.
# A signed rule and a tightened policy are put in force without a restart, and the time until then is measured.
# A watcher who reported the account before is paid, one who had an honest account frozen pays its owner, and
# an audit compares the log of findings, and what it owes to watchers, with what was posted on L1.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/processes.sh
shape=${1:-tiny}
csv=$root/examples/transfers.csv
[ -f "$root/../shared/data/mainnet_transfers.csv" ] && csv=$root/../shared/data/mainnet_transfers.csv
dir=$root/target/sentinel-demo
rm -rf "$dir" && mkdir -p "$dir/one" "$dir/two"
trap 'stop TERM' EXIT
say() { printf '\n== %s\n' "$*"; }
field() { node -e 'let t = ""; process.stdin.on("data", (d) => t += d).on("end", () => console.log(eval("JSON.parse(t)." + process.argv[1])))' "$1"; }

# From a time in nanoseconds until now, in milliseconds.
ms_since() { echo $((($(date +%s%N) - $1) / 1000000)); }

l1=8745
export BASTION_WALLET_PASSWORD=demo-password BASTION_WALLET=$dir/wallet
owner_exit=0x70997970C51812dc3A010C7d01b50e0d17dc79C8 # anvil's second account
thief=0x90F79bf6EB2c4f870365E785982E1f101E93b906      # anvil's fourth account

say "keys of shape $shape (made once)"
"$bastion" --cache-dir "$root/.bastion" setup --shape "$shape" --unsafe-dev-srs > /dev/null
cd "$dir"
background anvil anvil --silent --port $l1 --block-time 1 --mixed-mining
listening $l1 anvil

# setting NODE API ADMIN: a node that enforces; its identity and its key in the feed.
setting() {
  cd "$dir/$1"
  "$bastion" sentinel dev-guardian guardian.key > /dev/null
  "$bastion" sentinel feed-key feed.key --json > feed.json
  "$bastion" sentinel rewards key rewards.key --json > rewards.json
  cat > rewards.toml << TOML
exit = "$owner_exit"
[params]
stake = "10000000000000000"
penalty = "1000000000000000"
noise-fee = "60000000000000"
epoch-budget = "50000000000000000"
diligence-pot = "0"
diligence-fine = "0"
reveal-window = 20
event-window = 120
withdraw-delay = 140
TOML
  # The playbooks of the program, with a short freeze for a watcher's report.
  sed '/name = "watcher-report"/,/^needs-person/ { s/freeze = 3600/freeze = 10/; /^needs-person/d }' \
    "$root/sentinel/playbooks.toml" > playbooks.toml
  node_config $l1 "$2" "$3" 4 8 2
  mkdir policies
  cat >> bastion.toml << TOML
[rollup]
policies = ["policies"]
[worker]
slots = 1
[sentinel]
mode = "enforce"
guardian-key-file = "guardian.key"
playbooks = "playbooks.toml"
rewards = "rewards.toml"
rewards-key-file = "rewards.key"
feed = "feed.toml"
publish = "auto"
rules = "bundle"
rules-root = "root.json"
TOML
  "$bastion" sentinel bundle key rules.key > rules.pub
  public=$(tail -n 1 rules.pub | grep -o '[0-9a-f]\{64\}' | tail -n 1)
  "$bastion" sentinel bundle root root.json --root "$public" --targets "$public" --timestamp "$public" > /dev/null
  "$bastion" sentinel bundle sign root.json --role root --key rules.key > /dev/null
  cp -r "$root/sentinel/rules" rules && rm rules/rule.schema.json
  "$bastion" sentinel bundle make rules bundle --version 1 --key rules.key > /dev/null
  "$bastion" l1 deploy --shape "$shape" --dev > deploy.txt
  cd "$dir"
}
say "two rollups"
setting one 4300 4301
setting two 4310 4311
collection=91a7b528-80eb-42ed-a74d-c6fbd5a26116
one=$(field identity < one/feed.json) two=$(field identity < two/feed.json)
for name in one two; do
  cat > $name/trust.json << JSON
{"own": "$([ $name = one ] && echo "$one" || echo "$two")", "sources": 1, "members": [
  {"identity": "$one", "operator": "first", "name": "the first chain", "keys": ["$(field key < one/feed.json)"], "up_to": "green", "weight": 1000},
  {"identity": "$two", "operator": "second", "name": "the second chain", "keys": ["$(field key < two/feed.json)"], "up_to": "green", "weight": 1000}]}
JSON
done
field token < two/feed.json > two/token && chmod 600 two/token
cat > one/feed.toml << TOML
listen = "127.0.0.1:4302"
collection = "$collection"
trust = "trust.json"
key-file = "feed.key"
[[peer]]
name = "second"
identity = "$two"
token = "$(field token_hash < two/feed.json)"
rights = { "$collection" = { read = true } }
TOML
cat > two/feed.toml << TOML
collection = "$collection"
trust = "trust.json"
key-file = "feed.key"
[[follow]]
url = "http://127.0.0.1:4302/intel/"
name = "second"
token-file = "token"
collection = "$collection"
TOML
for name in one two; do
  cd "$dir/$name" && background node env RUST_LOG=info "$bastion" node && cd "$dir"
done
listening 4300 node
listening 4310 node

cd "$dir/one"
say "an honest crowd: real transfers pass"
"$bastion" replay "$csv" --limit 40 --l1 http://127.0.0.1:$l1 --node http://127.0.0.1:4300

say "the operator opens the account that watchers are paid from; Carol and Mallory stake"
pending() { "$bastion" wallet status "$1" --json | field 'accounts[0]?.pending_balance'; }
for name in operator carol mallory dave; do
  "$bastion" wallet new $name --exit $owner_exit > /dev/null
  "$bastion" wallet deposit $name --amount 1eth --l1 http://127.0.0.1:$l1 --from $owner_exit > /dev/null
done
for name in operator carol mallory dave; do
  until "$bastion" wallet status $name --json | grep -q proven_balance.*[0-9]; do sleep 1; done
done
"$bastion" wallet transfer operator --to-key "$(field keyhash < rewards.json)" --to-exit $owner_exit --amount 0.1eth --fee 0 > /dev/null
until "$bastion" sentinel rewards status > /dev/null 2>&1; do sleep 0.2; done
"$bastion" sentinel rewards fund --amount 0.05eth
"$bastion" sentinel rewards register carol --amount 0.01eth --fee 0
"$bastion" sentinel rewards register mallory --amount 0.01eth --fee 0

say "Mallory has an honest account frozen, and answers for it"
dave=$("$bastion" wallet status dave --json | field 'accounts[0].index')
before=$(pending dave)
"$bastion" sentinel rewards report mallory "$dave" --freeze --reveal | tee accusation.txt
grep -q 'signed' accusation.txt

say "Alice has an account; a thief has her key"
"$bastion" wallet new alice --exit $owner_exit > /dev/null
"$bastion" wallet new thief --exit $owner_exit > /dev/null
"$bastion" wallet deposit alice --amount 5eth --l1 http://127.0.0.1:$l1 --from $owner_exit > /dev/null
until "$bastion" wallet status alice --json | grep -q proven_balance.*[0-9]; do sleep 1; done
"$bastion" wallet change-key alice --to thief --fee 0 > /dev/null
account=$("$bastion" wallet status thief --json | field 'accounts[0].index')
echo "the thief has put his key in the place of hers. Carol saw that, and reports the account before anything happens:"
"$bastion" sentinel rewards report carol "$account" --reveal
echo "the thief withdraws to $thief:"
begin=$(date +%s%N)
"$bastion" wallet withdraw thief --amount 4eth --fee 0 --to $thief && { echo "the theft was not held back" >&2; exit 1; }
until "$bastion" sentinel findings --json | grep -q "frozen\\\\\",\\\\\"account\\\\\":$account"; do sleep 0.1; done
echo "held back, and the account frozen, $(ms_since "$begin") ms after the thief signed (his password check included)"
"$bastion" sentinel quarantine list
"$bastion" sentinel explain "$("$bastion" sentinel quarantine list --json | field 'held[0].operation')"

say "the thief cannot pay anybody; what leaves goes to Alice's own address"
"$bastion" wallet transfer thief --amount 1eth --fee 0 --to 131072 && { echo "a frozen account paid" >&2; exit 1; }
"$bastion" wallet force-exit thief --account "$account" --l1 http://127.0.0.1:$l1 --from $owner_exit

say "the operator confirms the theft; the earliest report about it is paid once all others may be open"
# A report counts for what is confirmed in a later second.
sleep 1
"$bastion" sentinel rewards confirm "$account" --amount 0.05eth
carol=$(pending carol)
until [ "$(pending carol)" != "$carol" ]; do sleep 1; done
echo "Carol had $carol wei, and has $(pending carol)"
until [ "$(pending dave)" != "$before" ]; do sleep 1; done
echo "Dave had $before wei, and has $(pending dave): Mallory's penalty"
"$bastion" sentinel rewards watchers
"$bastion" sentinel rewards status

say "a new rule, signed and in force without a restart"
scam=0x976EA74026E726554dB657fA54763abd0C3a0aa9 # anvil's seventh account
"$bastion" wallet withdraw operator --amount 0.001eth --fee 0 --to $scam > /dev/null
begin=$(date +%s%N)
sed -i "s/^flagged_addresses: .*/flagged_addresses: ['$scam']/" rules/lists.yaml
"$bastion" sentinel bundle make rules bundle --version 2 --key rules.key > /dev/null
"$bastion" sentinel rules reload > /dev/null
"$bastion" wallet withdraw operator --amount 0.001eth --fee 0 --to $scam 2> refusal.txt && { echo "the new rule is not enforced" >&2; exit 1; }
echo "the first operation was held back $(ms_since "$begin") ms after the rule was written (examples run, signed, loaded, and the wallet's password checked)"
cat refusal.txt

say "the policy is tightened on L1: half as much may leave"
rpc() { # rpc METHOD PARAMS
  node -e 'fetch(process.argv[1], { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: process.argv[2], params: JSON.parse(process.argv[3]) }) })
    .then((r) => r.json()).then((r) => { if (r.error) { console.error(r.error.message); process.exit(1); } console.log(r.result); })' "http://127.0.0.1:$l1" "$1" "$2"
}
# An audit wants every policy that was ever in force.
node -e 'fetch("http://127.0.0.1:4300/v1/policy").then((r) => r.text()).then(console.log)' > policies/1.json
# The governor of a development chain has no key: anvil acts for it.
"$bastion" l1 tighten --token 0 --percent 50 --policy policies/2.json --json > tightening.json
governance=$(field governance < tightening.json)
governor=0x$(rpc eth_call "[{\"to\": \"$governance\", \"data\": \"0x0c340a24\"}, \"latest\"]" | tail -c 41)
rpc anvil_setBalance "[\"$governor\", \"0xde0b6b3a7640000\"]" > /dev/null
rpc anvil_impersonateAccount "[\"$governor\"]" > /dev/null
rate=$(field rate < tightening.json)
begin=$(date +%s%N)
rpc eth_sendTransaction "[{\"from\": \"$governor\", \"to\": \"$governance\", \"data\": \"$(field call < tightening.json)\"}]" > /dev/null
rates() { node -e 'fetch("http://127.0.0.1:4300/v1/policy").then((r) => r.json()).then((p) => console.log((p.limits["0"] ?? p.default_limits).rate))'; }
until [ "$(rates)" = "$rate" ]; do sleep 0.1; done
followed=$(ms_since "$begin")
# A block that is open keeps its policy; the next one has the new one.
"$bastion" control close-block > /dev/null
"$bastion" wallet transfer operator --amount 0.0001eth --fee 0 --to "$dave" --json > tight.json
sequenced=$(ms_since "$begin")
block=$(field block < tight.json)
"$bastion" control close-block > /dev/null
until [ "$("$bastion" status --json | field blocks.proven)" -ge "$block" ]; do sleep 0.5; done
echo "the node follows after $followed ms (L1 makes a block a second), block $block has its first operation under it after $sequenced ms, and is proven after $(ms_since "$begin") ms, by the same circuits and verifiers"

say "the second chain has heard of the address, and holds back what goes there"
cd "$dir/two"
export BASTION_WALLET=$dir/wallet-two
"$bastion" wallet new bob --exit $owner_exit > /dev/null
"$bastion" wallet deposit bob --amount 1eth --l1 http://127.0.0.1:$l1 --from $owner_exit > /dev/null
until "$bastion" wallet status bob --json | grep -q proven_balance.*[0-9]; do sleep 1; done
"$bastion" wallet withdraw bob --amount 0.01eth --fee 0 --to $thief && { echo "the second chain has not heard" >&2; exit 1; }
"$bastion" sentinel explain "$("$bastion" sentinel quarantine list --json | field 'held[0].operation')"

say "until everything of the first is final"
cd "$dir/one"
"$bastion" control close-block > /dev/null
while true; do
  read -r sealed final open < <("$bastion" status --json | node -e 'let t = ""; process.stdin.on("data", (d) => t += d).on("end", () => { const s = JSON.parse(t); console.log(s.blocks.sealed, s.blocks.finalized, s.blocks.open); })')
  [ "$final" -ge "$sealed" ] && [ "$open" = 0 ] && break
  sleep 2
done
say "an audit from L1: the state, the log of findings against what was posted, and each payment to a watcher"
contract=$(field contract < rollup.json)
"$bastion" audit --contract "$contract" --l1 "http://127.0.0.1:$l1" --findings data/sentinel/findings.log --policy policies/1.json --policy policies/2.json
say "the same verdicts again, from the data folder"
"$bastion" sentinel replay
