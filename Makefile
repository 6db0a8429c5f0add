# `make setup` installs what a new Debian 12 machine with Rust, node and npm lacks.
# `make demo` runs the main job; `make test` passes the tests. Each starts from nothing.

CARGO ?= cargo
SHAPE ?= small
L1    ?=
NODE_SHAPE ?= tiny
LIMIT ?= 200
AUCTION_SHAPE ?= market

.PHONY: setup build demo auction-demo node-demo sentinel-demo sentinel-page test chaos soundness lint artifacts

setup: .bastion/setup-done

# RocksDB is Debian's: compiling its C++ takes longer than all the rest. clang is for its bindings.
.bastion/setup-done: verifier-contract/package-lock.json scripts/tools.sh
	@mkdir -p .bastion
	@if ! ls /usr/include/rocksdb/c.h /usr/lib/llvm-*/lib/libclang*.so* /usr/bin/chromium >/dev/null 2>&1 \
	  || ! python3 -c "import ensurepip" >/dev/null 2>&1; then \
	  SUDO=$$(if [ "$$(id -u)" = 0 ]; then echo; else echo sudo; fi); \
	  $$SUDO apt-get update -q && $$SUDO apt-get install -y -q librocksdb-dev clang libclang-dev pkg-config make python3-pip python3-venv chromium; fi
	CARGO="$(CARGO)" ./scripts/tools.sh
	cd verifier-contract && npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

build: setup
	$(CARGO) build --release --locked --workspace

# L1=anvil starts a local anvil; L1=http://... uses a node that runs.
demo: build
	./scripts/demo.sh "$(SHAPE)" "$(L1)"

# An auction of 200 orders, proved and settled on the embedded L1.
auction-demo: build
	target/release/bastion demo auction --shape "$(AUCTION_SHAPE)"

# A rollup as an operator runs it: anvil, NATS, the node, two workers, a page. LIMIT is the number of transfers.
node-demo: build
	./scripts/node-demo.sh "$(NODE_SHAPE)" "$(LIMIT)"

# The sentinel at work: a theft that is held back, on two chains.
sentinel-demo: build
	./scripts/sentinel-demo.sh "$(NODE_SHAPE)"

# The page of findings over a planted theft, in chromium. BASTION_KEEP=1 leaves it up.
sentinel-page: build
	./scripts/sentinel-page.sh

test: setup lint
	CARGO="$(CARGO)" ./scripts/test.sh

# Kills and cuts everything for a quarter of an hour; figures in target/chaos.json.
chaos: setup
	BASTION_CHAOS_SECONDS=$${BASTION_CHAOS_SECONDS:-900} $(CARGO) test --release --locked --test chaos -- --nocapture

# The soundness harness at full length; figures in target/soundness.json.
soundness: setup
	CARGO="$(CARGO)" ./scripts/soundness.sh

lint: setup
	./scripts/deploy.sh
	CARGO="$(CARGO)" ./scripts/deny.sh
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --quiet

# Writes the committed contract artifacts again; the tests compare them.
artifacts: setup
	cd verifier-contract && node compile.mjs
