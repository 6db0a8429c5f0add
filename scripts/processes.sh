# Processes of a rollup on this machine, for scripts that source this file. Sets `root`, `bastion` and the key
# of anvil's first account, which everybody knows.
root=$PWD
bastion=$root/target/release/bastion
export PATH="$PATH:$root/.bastion/tools/bin:$root/verifier-contract/node_modules/.bin"
export BASTION_L1_KEY=0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80

pids=()
stop() { # stop [SIGNAL]
  for pid in "${pids[@]}"; do kill "-${1:-KILL}" -- "-$pid" 2> /dev/null || true; done
  pids=()
}
# The sequencer's key and the beginning of bastion.toml, in this folder. Further sections follow.
node_config() { # node_config L1PORT API ADMIN BATCH_SECONDS BLOCK_SECONDS FINALITY
  (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > sequencer.key)
  cat > bastion.toml << TOML
cache-dir = "$root/.bastion"
[sequencer]
batch-seconds = $4
block-seconds = $5
key-file = "sequencer.key"
[l1]
urls = ["http://127.0.0.1:$1"]
finality = $6
poll-seconds = 1
[api]
listen = "127.0.0.1:$2"
admin-listen = "127.0.0.1:$3"
requests-per-second = 1000
burst = 2000
TOML
}
# Each in a group of its own, so that it ends as a whole.
background() { # background NAME COMMAND...
  local name=$1
  shift
  setsid "$@" > "$name.log" 2>&1 &
  pids+=($!)
}
listening() { # listening PORT NAME
  for _ in $(seq 300); do
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return
    sleep 0.2
  done
  echo "$2 does not listen on port $1; its log:" >&2
  tail -n 20 "$2.log" >&2
  exit 1
}
