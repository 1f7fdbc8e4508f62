# What one runs by hand; `make` alone lists it. CI runs `make test` and nothing else.
# Extra arguments for the server or the benchmark: make run ARGS="--port 9001".

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build test soak lambda bench fuzz lint format clean
# The targets are steps of one build: side by side they would only wait for its lock.
.NOTPARALLEL:

ARGS ?=
ARCH ?=
# On Linux the binary carries the Swift runtime: one file to copy, and a quicker start. Apple's systems bring it.
RELEASE_FLAGS := -c release --product streams $(if $(filter Linux,$(shell uname -s)),--static-swift-stdlib)
FUZZ_SECONDS ?= 300
MINUTES ?= 60

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run:  ## build the server and run it on port 9000, data in ./data/streams.sqlite (ARGS="--port 9001 ...")
	@scripts/setup
	@swift build $(RELEASE_FLAGS)
	@exec .build/release/streams serve $(ARGS)

build:  ## build everything for debugging
	@scripts/setup
	swift build

# Optimised, as what is shipped, and since the simulation lives tens of thousands of worlds through.
test: export STREAMS_OPTIMIZED_TESTS = 1
test:  ## everything that CI checks: lint, build, all tests
	@scripts/setup --test
	@$(MAKE) --no-print-directory lint
	swift build --build-tests
	swift build --product streams
	swift build --product bootstrap
	scripts/swift-test --skip StreamsAWSTests --skip SimulationTests
	scripts/swift-test --filter SimulationTests
	scripts/swift-test --filter StreamsAWSTests
	.venv/bin/python -m pytest Tests/Integration
	infra/.venv/bin/python -m pytest infra/tests

soak:  ## look for broken promises for long: simulated worlds, and real processes that die (MINUTES=60)
	@scripts/setup --test
	@MINUTES=$(MINUTES) scripts/soak

lambda:  ## build bootstrap.zip for a Lambda function, into .build/lambda (ARCH=arm64 or x86_64)
	@ARCH="$(ARCH)" scripts/lambda

bench:  ## measure the release build against the peers found here (ARGS="...")
	@scripts/setup
	@swift build $(RELEASE_FLAGS)
	@Benchmarks/run $(ARGS)

fuzz:  ## feed the parsers random input for long (FUZZ_SECONDS=300 for each)
	@scripts/setup --test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz

lint:  ## check the style of all Swift code
	@swift format lint --strict --parallel --recursive Sources Tests Fuzzing Package.swift

format:  ## rewrite all Swift code in that style
	@swift format --in-place --parallel --recursive Sources Tests Fuzzing Package.swift

clean:  ## remove what was built; data and fetched packages stay
	swift package clean
