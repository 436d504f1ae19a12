# Everything a fresh Debian machine with a Swift toolchain needs. `make demo` and `make test` are the two commands.
SHELL := /bin/bash
SWIFT ?= swift
SCRATCH ?= .build
FLAGS := --scratch-path $(SCRATCH) --explicit-target-dependency-import-check error
BIN := $(SCRATCH)/debug
PACKAGES := librdkafka-dev libsqlite3-dev libssl-dev libzstd-dev zlib1g-dev pkg-config
# Peers the tests compare with; a test whose peer is missing says so and is skipped.
PEERS := prometheus python3
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PORT ?= 8080

.PHONY: setup setup-peers build release demo test kill-test lint format setup-bench bench-build bench bench-gate bench-detection bench-registry setup-mlflow clean prove-decoder fuzz

setup:
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing; fi

setup-peers: setup
	@missing=""; for p in $(PEERS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing || \
	  echo "peers not installed:$$missing; their tests are skipped"; fi

build: setup
	$(SWIFT) build $(FLAGS)
	@git rev-parse --short HEAD > $(BIN)/holdfast.commit 2>/dev/null || true

# The program to run in production: $(SCRATCH)/release/holdfast.
release: setup
	$(SWIFT) build $(FLAGS) -c release --product holdfast
	$(SWIFT) build $(FLAGS) -c release --product TestBroker
	@git rev-parse --short HEAD > $(SCRATCH)/release/holdfast.commit 2>/dev/null || true

demo: build
	$(BIN)/holdfast demo --port $(PORT)

# MLflow's own client, which the test-suite runs against the service; without network its tests are skipped.
setup-mlflow: setup
	@{ [ -x Tests/.venv/bin/python ] || python3 -m venv Tests/.venv; } && \
	{ cmp -s Tests/requirements.txt Tests/.venv/installed.txt || \
	  { Tests/.venv/bin/pip install --quiet --disable-pip-version-check -r Tests/requirements.txt && \
	    cp Tests/requirements.txt Tests/.venv/installed.txt; }; } || \
	  echo "mlflow is not installed (no network?): the tests with its client are skipped"

# The registry beside `mlflow server` in one run, on the release build.
bench-registry: release setup-mlflow
	$(SWIFT) build $(FLAGS) -c release --product RegistryLoad
	python3 Benchmarks/registry.py $(SCRATCH)/release/holdfast --mlflow Tests/.venv/bin/mlflow \
	  --mlflow-runs $(or $(MLFLOW_RUNS),2000) --json Benchmarks/registry.json

test: setup-peers setup-mlflow
	$(SWIFT) build $(FLAGS) --build-tests
	$(SWIFT) test $(FLAGS) --skip-build --disable-xctest
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Benchmarks Package.swift

# The full form of the kill test: 20 times, as the issue asks; CI does fewer.
kill-test: setup
	$(SWIFT) build $(FLAGS) --build-tests
	HOLDFAST_KILLS=20 $(SWIFT) test $(FLAGS) --skip-build --disable-xctest --filter KillTests

lint:
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Benchmarks Package.swift

format:
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Benchmarks Package.swift

# The programs that `make bench` compares with, in a folder of their own; what is missing is left out of the table.
setup-bench: setup
	@{ [ -x Benchmarks/.venv/bin/python ] || python3 -m venv Benchmarks/.venv; } && \
	Benchmarks/.venv/bin/pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt || \
	  echo "peers not installed (no network?): \`make bench\` leaves out what it cannot compare with"

bench-build: release
	$(SWIFT) build $(FLAGS) -c release --product HoldfastBench

# ONLY=engine,kafka runs some of it.
bench: release bench-build setup-bench
	Benchmarks/run.sh $(SCRATCH)/release $(if $(ONLY),--only $(ONLY))

# The short form for CI: instructions per event against Benchmarks/gate.json. UPDATE=--update writes that file.
bench-gate: bench-build
	@command -v valgrind >/dev/null || { $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends valgrind binutils; } || \
	  echo "valgrind is not installed: the gate is skipped"
	python3 Benchmarks/gate.py $(SCRATCH)/release $(UPDATE)

# How well the default rules find what is wrong: injected faults, documented changes, streams without drift. QUICK=--quick takes minutes.
bench-detection: release
	$(SWIFT) build $(FLAGS) -c release --product DetectionBench
	@{ [ -x Benchmarks/.venv/bin/python ] || python3 -m venv Benchmarks/.venv; } && \
	Benchmarks/.venv/bin/pip install --quiet --disable-pip-version-check "$$(grep '^numpy==' Benchmarks/requirements.txt)"
	Benchmarks/.venv/bin/python Benchmarks/Detection/detection.py $(SCRATCH)/release $(QUICK) $(if $(ONLY),--only $(ONLY))

clean:
	rm -rf .build .build-*

# Has MESSAGES made-up messages judged by Python's json; SEED names another corpus.
prove-decoder:
	SWIFT=$(SWIFT) Benchmarks/Decoder/prove.sh $(or $(MESSAGES),1000000) $(or $(SEED),1)

# Fuzzes the decoder under the address sanitizer for SECONDS; KEEP=keep writes the corpus that the tests replay.
fuzz:
	Benchmarks/Decoder/Fuzz/fuzz.sh $(or $(SECONDS),120) $(KEEP)
