# `make` lists what there is. Everything that has to be fetched or built once goes to .cache/ and target/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON := .cache/venv/bin/python
VENV := .cache/venv/requirements.txt
PYTEST := $(PYTHON) -m pytest -q
# How many processes (pytest-xdist) share the tests that mostly wait; who is done takes over from the others. 0: none, one after the
# other.
WORKERS ?= $(shell expr 2 '*' $$(nproc) + 1)
SPREAD = -n $(WORKERS) --dist worksteal
WASM := target/azeotrope.wasm
EDGE := target/azeotrope-edge.wasm
SIMD := target/azeotrope-simd.wasm
PROGRAM := target/release/azeotrope
# The shared corpora and what published templates give, in one folder.
CORPORA := target/corpora
BENCH_ENGINE := target/whole/azeotrope-bench-engine
BENCH_SERVER := target/release/azeotrope-bench-server
BENCH_STEPS := target/release/azeotrope-bench-steps
BENCH_EMPTY := target/wasm32-wasip1/module/azeotrope_bench_empty.wasm
# The largest module we ship: 400 KiB. CDN edges take 5 MiB with its configuration; Envoy compiles it once a worker.
WASM_LIMIT := 409600
# The runner of wasm tests must be of the very version that the lock file has.
WASM_BINDGEN := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p;}' Cargo.lock)
RUNNER := .cache/tools/wasm-bindgen-$(WASM_BINDGEN)
TARGETS := .cache/rust-targets
# Installed once, of these versions.
CARGO_FUZZ := 0.13.2
CARGO_DENY := 0.20.2
CARGO_CYCLONEDX := 0.5.9
# They run for seconds. Not optimised, cargo-deny takes 1 minute to build on 2 cores and 3 seconds to run; optimised it took 5 to
# build (wasm-bindgen-cli: 1 minute and 25 seconds; 4 to build).
QUICKLY := CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_INCREMENTAL=false cargo install --debug
# What finds faults of accessibility in the console's pages.
AXE_VERSION := 4.14.1
AXE := .cache/console/axe-$(AXE_VERSION)
# Where the simulated traffic is: generate.py, score.py, corpora and scenarios.
SHARED ?= ../shared/traffic
SEEDS ?= 2
WORLDS ?= 20
FIRST ?= 1
# How long `make soak` runs, and its requests a second.
MINUTES ?= 20
RATE ?= 200
SOURCES := $(shell find src Cargo.toml Cargo.lock .cargo -type f)

# Every target with a description is a name, not a file.
.PHONY: need need-shared need-load need-valgrind need-redis need-faketime need-deploy need-chromium clean-all $(shell sed -n 's/^\([a-z0-9-]*\):.*\#\# .*/\1/p' Makefile)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

build: $(PROGRAM) ## the program: target/release/azeotrope

wasm: $(WASM) ## the Proxy-Wasm module, optimised: target/azeotrope.wasm

image: $(WASM) $(PROGRAM) ## OCI images of filter and sidecar, without Docker: target/image/ (push: skopeo copy)
	python3 tests/tools/build_image.py filter $(WASM)
	python3 tests/tools/build_image.py sidecar $(PROGRAM)

wasm-edge: $(EDGE) ## the module for CDN edges, which keep nothing between requests: target/azeotrope-edge.wasm

wasm-simd: $(SIMD) ## the module with simd128, for hosts that have it (Envoy's V8): target/azeotrope-simd.wasm

demo: $(PROGRAM) $(WASM) $(VENV) envoy ## watch a real Envoy tell a harvest from ordinary use (STAY=1 keeps it up)
	$(PYTHON) tests/demo/demo.py

ready: $(PROGRAM) unit-tests $(WASM) $(EDGE) $(RUNNER) envoy ## build and fetch what `make test` needs (make -j2 ready)

unit-tests: | need ## build the native tests
	cargo test --quiet --workspace --no-run

test: test-unit test-modules test-e2e test-around ## everything below that checks behaviour

test-unit: need-redis ## engine, program and filter, natively, with the property tests
	cargo test --quiet --workspace

# Each lets a processor wait at times, in places that are not the other's.
test-modules: ## the next two, at once
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-wasm test-host

test-wasm: $(RUNNER) $(TARGETS) ## the engine's tests as wasm in Node
	mkdir -p target
	cargo test -p azeotrope-engine -p azeotrope-text --lib --target wasm32-unknown-unknown 2>&1 | tee target/test-wasm.log
	@grep -Eq '[1-9][0-9]* passed' target/test-wasm.log || { echo 'no test ran as wasm'; exit 1; }

test-host: $(WASM) $(EDGE) ## both modules under a Proxy-Wasm host of our own: every dialect, a host that fails, CDN edges
	@# As a part of the workspace, whose engine is built already: alone it would have an engine of its own.
	cargo test --quiet --workspace --features azeotrope-test-host/run --test suite

host-calls: $(WASM) ## what one LLM call asks of the host, by name
	cargo run --quiet -p azeotrope-test-host --features run --bin host-calls

test-e2e: need-redis $(PROGRAM) $(WASM) $(VENV) envoy ## the module in a real Envoy
	$(PYTEST) $(SPREAD) tests/e2e

test-simd: $(PROGRAM) $(SIMD) $(VENV) envoy ## the module with simd128 in a real Envoy: the same verdicts, every kind of body
	AZEOTROPE_WASM=$(CURDIR)/$(SIMD) $(PYTEST) tests/e2e/test_parity.py tests/e2e/test_bodies.py

test-bypass: $(PROGRAM) $(WASM) $(VENV) envoy ## every trick of the table tests/bypass in the real Envoy
	$(PYTEST) tests/bypass

test-sdk: $(PROGRAM) $(WASM) $(VENV) envoy ## the official SDKs through the real Envoy; the stand-in upstream; the demo
	$(PYTEST) tests/sdk tests/upstream tests/demo tests/detection

test-deploy: need-deploy $(PROGRAM) $(WASM) $(VENV) envoy ## manifests, chart, images, dashboard, alerts and documents of envoy/
	$(PYTEST) tests/deploy

test-console: need-redis need-chromium $(PROGRAM) $(WASM) $(VENV) $(AXE) envoy ## the sidecar's pages in a real Chromium
	$(PYTEST) $(SPREAD) tests/console

# The longest first.
AROUND := test-console test-deploy test-sdk test-bypass
test-around: ## the last four, three at a time: they mostly wait
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target $(AROUND)

console-shots: need-redis need-faketime need-chromium $(PROGRAM) $(WASM) $(VENV) envoy ## the pictures of the console that README shows
	@tests/tools/need.sh console-shots pngquant=pngquant
	$(PYTHON) tests/console/shots.py

test-faults: need-redis need-faketime $(PROGRAM) $(WASM) target/trap.wasm $(VENV) envoy ## traps, restarts, crashes, clocks that are set, a thousand configurations: what has to survive them
	$(PYTEST) -n 2 --dist worksteal tests/faults

test-slow: ## tests of the engine marked #[ignore]: long ones, optimised
	cargo test --quiet --release -p azeotrope-engine --lib -- --ignored

soak: $(WASM) $(VENV) envoy ## a real Envoy under load for MINUTES=20 at RATE=200 a second, rules changing: target/soak/soak.png
	$(PYTHON) -m pip --disable-pip-version-check --quiet install --requirement tests/soak/requirements.txt
	$(PYTHON) tests/soak/soak.py --minutes $(MINUTES) --rate $(RATE)

soak-answers: $(WASM) $(VENV) envoy ## 200,000 streamed exchanges through the real Envoy: memory must become flat
	$(PYTHON) tests/soak/answers.py

soak-requests: need-load $(PROGRAM) $(WASM) $(VENV) envoy $(BENCH_SERVER) ## 5 million requests of a million accounts through the real Envoy: memory must stay flat (11 minutes)
	$(PYTHON) tests/soak/requests.py --program $(PROGRAM) --server $(BENCH_SERVER)

first-event: $(WASM) $(VENV) envoy ## time to the first event of a streamed answer, filter on against off
	$(PYTHON) tests/soak/first_event.py

sidecar-pace: ## what one sidecar joins a second, and the bytes and memory it takes (needs redis-server)
	tests/tools/with_redis.sh cargo test --release -p azeotrope --bin azeotrope -- --ignored --nocapture sidecar_pace

fuzz: .cache/tools/cargo-fuzz-$(CARGO_FUZZ) ## fuzz what reads bytes from outside (SECONDS_EACH=60, TARGET= one of tests/fuzz/lib.rs)
	tests/fuzz/run.sh $(or $(SECONDS_EACH),60) $(TARGET)

fuzz-minimise: .cache/tools/cargo-fuzz-$(CARGO_FUZZ) ## put what fuzzing found into the corpora, as few and small files as possible
	tests/fuzz/run.sh minimise $(TARGET)

check-parity: $(TARGETS) ## the engine natively against wasm: the same to the bit, over all corpora and mutations of them (MUTATIONS=20)
	tests/fuzz/parity.sh $(or $(MUTATIONS),20)

bench: need-load $(PROGRAM) $(WASM) $(VENV) envoy $(BENCH_SERVER) $(BENCH_EMPTY) ## what a request through Envoy costs, beside other filters: target/bench.md (25 minutes; ROUNDS=3: 15, QUICK=1: 7; README=1)
	rm -f target/bench.json
	$(PYTHON) tests/bench/gateway.py --program $(PROGRAM) --server $(BENCH_SERVER) --empty $(BENCH_EMPTY) $(if $(QUICK),--quick,--rounds $(or $(ROUNDS),5)) || failed=1; \
	PYTHONPATH=tests/e2e $(PYTHON) tests/bench/report.py $(if $(README),--readme README.md); exit $${failed:-0}

bench-steps: $(PROGRAM) $(WASM) $(VENV) envoy $(BENCH_SERVER) $(BENCH_EMPTY) $(BENCH_STEPS) ## instructions that Envoy executes for a request, counted one by one: target/bench-steps.md (15 minutes; TIMES=1: 5)
	$(PYTHON) tests/bench/steps.py --program $(PROGRAM) --server $(BENCH_SERVER) --empty $(BENCH_EMPTY) --steps $(BENCH_STEPS) --times $(or $(TIMES),3)

bench-engine: $(TARGETS) $(BENCH_ENGINE) ## what the engine's request path costs: native against wasm, stage by stage (instructions with valgrind)
	cargo build --quiet --profile module -p azeotrope-bench-engine --target wasm32-wasip1 --target-dir target
	cargo build --quiet --profile module -p azeotrope-bench-engine --target wasm32-wasip1 --target-dir target/simd \
	    --config "target.wasm32-wasip1.rustflags = ['-Ctarget-feature=+simd128']"
	python3 tests/bench/engine.py $(BENCH_ENGINE) target/wasm32-wasip1/module/azeotrope-bench-engine.wasm \
	    target/simd/wasm32-wasip1/module/azeotrope-bench-engine.wasm target/bench-engine.json | tee target/bench-engine.md

bench-stages: | need ## the same stages under criterion, natively: target/criterion (STAGE=4096/digests)
	python3 tests/bench/bodies.py target/bench
	AZEOTROPE_BODIES=$(CURDIR)/target/bench cargo bench -p azeotrope-bench-engine --bench stages -- '$(STAGE)'

check-instructions: need-valgrind $(BENCH_ENGINE) ## the engine's request path takes no more instructions than recorded (2% are let pass)
	python3 tests/bench/instructions.py check $(BENCH_ENGINE)

record-instructions: need-valgrind $(BENCH_ENGINE) ## record them: tests/bench/instructions.json, to be committed
	python3 tests/bench/instructions.py record $(BENCH_ENGINE)

demo-fleet: need-redis $(PROGRAM) $(WASM) $(VENV) envoy ## two Envoys, two sidecars, a Redis: one campaign, live rules, a sidecar that dies
	$(PYTHON) tests/demo/fleet.py

detection: $(PROGRAM) ## what is found in simulated traffic, by which families: target/detection.md (SHARED=, SEEDS=2)
	python3 tests/detection/detection.py --program $(PROGRAM) --shared $(SHARED) --seeds $(SEEDS)

detection-varied: $(PROGRAM) $(CORPORA) ## the same on worlds drawn at random, ten seconds each: whom it hits (SHARED=, WORLDS=20, FIRST=1)
	python3 tests/detection/varied.py --program $(PROGRAM) --shared $(SHARED) --corpora $(CORPORA) --worlds $(WORLDS) --first $(FIRST)

detection-heldout: $(PROGRAM) $(CORPORA) ## every source of harvests with a content model that has not seen it: what is served of it (SHARED=)
	python3 tests/detection/heldout.py --program $(PROGRAM) --shared $(SHARED) --corpora $(CORPORA)

model: target/model/content.model ## train the built-in content model anew (SHARED=)
	cp $< src/engine/rules/content.model

check-model: target/model/content.model ## training gives the built-in content model, byte for byte (SHARED=)
	cmp $< src/engine/rules/content.model

lint: $(TARGETS) ## formatting and clippy
	cargo fmt --all -- --check
	cargo fmt --manifest-path tests/fuzz/libfuzzer/Cargo.toml -- --check
	cargo clippy --quiet --workspace --all-targets --features azeotrope-test-host/run -- -D warnings
	cargo clippy --quiet -p azeotrope-filter --target wasm32-wasip1 -- -D warnings
	cargo clippy --quiet -p azeotrope-filter --no-default-features --target wasm32-wasip1 -- -D warnings
	cargo clippy --quiet -p azeotrope-engine -p azeotrope-text --all-targets --target wasm32-unknown-unknown -- -D warnings

deny: .cache/tools/cargo-deny-$(CARGO_DENY) ## licences, sources and bans of all dependencies (.cargo/deny.toml)
	.cache/tools/bin/cargo-deny --locked --config .cargo/deny.toml check --hide-inclusion-graph bans licenses sources

advisories: .cache/tools/cargo-deny-$(CARGO_DENY) ## known vulnerabilities of dependencies (fetches RustSec's database from GitHub)
	.cache/tools/bin/cargo-deny --locked --config .cargo/deny.toml check --hide-inclusion-graph advisories

check-reproducible: $(WASM) ## the module, built in another folder, has the same bytes
	tests/tools/reproducible.sh

release: $(PROGRAM) $(WASM) .cache/tools/cargo-cyclonedx-$(CARGO_CYCLONEDX) ## program, module, SBOMs, sums, signature: target/release-files (KEY=, Ed25519 in PEM)
	@[ -f "$(KEY)" ] || { echo 'make release needs KEY=key.pem (openssl genpkey -algorithm ed25519 -out key.pem)'; exit 2; }
	tests/tools/release.sh $(KEY) target/release-files

check-release: $(PROGRAM) $(WASM) $(VENV) .cache/tools/cargo-cyclonedx-$(CARGO_CYCLONEDX) ## a release can be verified, and one that was changed is refused
	$(PYTEST) tests/tools

check-wasm-size: $(WASM) ## the module is not larger than WASM_LIMIT bytes
	@size=$$(wc -c < $(WASM)); echo "$(WASM): $$size of at most $(WASM_LIMIT) bytes"; [ "$$size" -le $(WASM_LIMIT) ]

envoy: $(VENV) ## fetch the pinned Envoy (ENVOY=/path uses another)
	@$(PYTHON) tests/tools/fetch_envoy.py

clean: ## remove what was built
	rm -rf target

need:
	@for tool in cargo python3 node npm; do \
	    command -v $$tool >/dev/null || { echo "make needs $$tool, which is not installed"; exit 1; }; \
	done

need-load:
	@tests/tools/need.sh 'measuring under load' wrk=wrk taskset=util-linux

need-valgrind:
	@tests/tools/need.sh 'counting instructions' valgrind=valgrind

need-shared:
	@[ -f $(SHARED)/generate.py ] || { echo '$(SHARED) has no generate.py: name the folder with SHARED=...'; exit 2; }

need-redis:
	@tests/tools/need.sh 'the tests of the sidecar' redis-server=redis-server

need-faketime:
	@tests/tools/need.sh 'setting a clock' faketime=faketime

need-deploy:
	@tests/tools/need.sh 'make test-deploy' skopeo=skopeo promtool=prometheus

need-chromium:
	@[ -n "$${CHROMIUM:-}" ] || tests/tools/need.sh 'the tests of the console' chromium=chromium fc-list=fontconfig

clean-all: clean ## remove what was fetched, too
	rm -rf .cache

$(PROGRAM): $(SOURCES) | need
	cargo build --release -p azeotrope --target-dir target
	@touch $@

$(BENCH_ENGINE): $(SOURCES) $(shell find tests/bench/engine -type f) | need
	cargo build --profile whole -p azeotrope-bench-engine --target-dir target
	@touch $@

$(BENCH_SERVER): $(SOURCES) $(shell find tests/bench/server -type f) | need
	cargo build --release -p azeotrope-bench-server --target-dir target
	@touch $@

$(BENCH_STEPS): Cargo.lock $(shell find tests/bench/steps -type f) | need
	cargo build --release -p azeotrope-bench-steps --target-dir target
	@touch $@

$(BENCH_EMPTY): Cargo.lock $(shell find tests/bench/empty -type f) $(TARGETS)
	cargo build --profile module -p azeotrope-bench-empty --target wasm32-wasip1 --target-dir target
	@touch $@

$(CORPORA): tests/detection/published.py tests/detection/sources.tsv $(wildcard tests/detection/templates/*.jsonl) | need-shared
	rm -rf $@
	python3 tests/detection/published.py --shared $(SHARED) --out $@

target/model/content.model: $(PROGRAM) tests/detection/train.json $(CORPORA) | need-shared
	@mkdir -p $(@D)
	python3 $(SHARED)/generate.py tests/detection/train.json --corpora $(CORPORA) \
	    --out $(@D)/train.jsonl --labels $(@D)/train.tsv
	$(PROGRAM) train --raw --sources $(CORPORA)/sources.tsv --out $@ $(@D)/train.jsonl $(@D)/train.tsv \
	    | tee $(@D)/held-out.txt
	rm $(@D)/train.jsonl $(@D)/train.tsv

$(WASM): $(SOURCES) tests/tools/build_wasm.sh $(TARGETS)
	tests/tools/build_wasm.sh

# The module that panics when a test asks for it.
target/trap.wasm: $(SOURCES) tests/tools/build_wasm.sh $(TARGETS) | $(WASM)
	tests/tools/build_wasm.sh trap

# After the first one: all are built in the same place.
$(EDGE): $(SOURCES) tests/tools/build_wasm.sh $(TARGETS) | $(WASM)
	tests/tools/build_wasm.sh edge

$(SIMD): $(SOURCES) tests/tools/build_wasm.sh $(TARGETS)
	tests/tools/build_wasm.sh simd

$(VENV): tests/requirements.txt | need
	tests/tools/venv.sh
	@touch $@

$(AXE): | need
	@mkdir -p $(@D)
	npm install --silent --no-audit --no-fund --no-save --prefix $(@D) axe-core@$(AXE_VERSION)
	@touch $@

$(TARGETS): | need
	@mkdir -p $(@D)
	for target in wasm32-wasip1 wasm32-unknown-unknown; do \
	    [ -d "$$(rustc --print target-libdir --target $$target)" ] || rustup target add $$target; \
	done
	@touch $@

.cache/tools/cargo-fuzz-$(CARGO_FUZZ) .cache/tools/cargo-deny-$(CARGO_DENY) .cache/tools/cargo-cyclonedx-$(CARGO_CYCLONEDX): | need
	name=$(@F); version=$${name##*-}; $(QUICKLY) "$${name%-*}" --version "$$version" --locked --root .cache/tools
	@touch $@

$(RUNNER): | need
	@echo 'wasm tests: building the test runner of wasm-bindgen $(WASM_BINDGEN), once; that can take 2 minutes on 2 cores'
	$(QUICKLY) wasm-bindgen-cli --version $(WASM_BINDGEN) --root .cache/tools \
	    --no-default-features --bin wasm-bindgen-test-runner
	@touch $@
