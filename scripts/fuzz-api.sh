#!/usr/bin/env bash
# Serves the API over a node without proofs, and sends it what the OpenAPI file allows and what it does
# not. Fails on status 500, on answers that the file does not describe, and on hung requests.
# EXAMPLES is the number of requests for each route.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
tools=$PWD/.bastion/tools/schemathesis
if [ ! -x "$tools/bin/schemathesis" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet "schemathesis==4.*"
fi
"$cargo" build --release --locked -p bastion-node --example api
work=$(mktemp -d)
log=$work/url
target/release/examples/api 127.0.0.1:0 >"$log" &
node=$!
trap 'kill "$node" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
  [ -s "$log" ] && break
  sleep 0.1
done
url=$(head -n 1 "$log")
# The stream of events has no end: the tests read it. The tool leaves its files in the working folder.
cd "$work"
"$tools/bin/schemathesis" run "$url/v1/openapi.json" --url "$url" \
  --exclude-path /v1/events \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --max-examples "${EXAMPLES:-100}" --request-timeout 30 --seed 1
kill -0 "$node"
