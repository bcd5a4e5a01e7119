# `make help` lists what there is. Everything here runs as root or not; what a machine lacks, `make deps`
# installs, or says what to type.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

GO      ?= go
TOOLS   := bin/tools
RELEASE := -trimpath -ldflags "-s -w"

# What starts whole products as processes; the other packages also run under the race detector.
WHOLE := /(dev/e2e|dev/contract|dev/conformance|internal/app|cmd/steward)(/|$$)
unit   = $$($(GO) list ./... | grep -vE '$(WHOLE)')
whole  = $$($(GO) list ./... | grep -E '$(WHOLE)')
# Modules of their own, with tests.
MODULES := dev/temporal internal/sdkjson
# Packages that declare a function whose name begins so.
having = $$(grep -rlE --include='*_test.go' '^func $(1)[A-Z]' activities api cmd dev internal schema workflows | xargs -r -n 1 dirname | grep -v /dev/temporal | sort -u | sed 's|^|./|')

# Two packages at a time, three tests of each: more starve one another's servers on a small machine, and most tests wait
# for somebody.
GOTEST := $(GO) test -p 2 -parallel 3
TALLY   = | $(TOOLS)/tally

##@ Use

.PHONY: run
run: build ## everything embedded on this machine: PostgreSQL, Temporal, a model that needs no key; Ctrl-C ends it
	@exec bin/steward dev

.PHONY: build
build: bin/steward-temporal ## bin/steward, and the development Temporal server beside it
	@$(GO) build -o bin/steward ./cmd/steward

# A module of its own, because a Temporal server has some 200 dependencies: minutes the first time.
bin/steward-temporal: dev/temporal/go.mod dev/temporal/go.sum $(filter-out %_test.go,$(wildcard dev/temporal/*.go))
	@echo "building $@ (minutes the first time)"
	@$(GO) build -C dev/temporal $(RELEASE) -o $(CURDIR)/$@ .

##@ Test

.PHONY: test
test: lint workflowcheck verify deps build $(TOOLS)/tally ## everything: lint, generated files, unit under -race, end to end, contract
	@{ s=0; \
	  $(GOTEST) -json -race $(unit) || s=1; \
	  for module in $(MODULES); do $(GO) test -C $$module -json ./... || s=1; done; \
	  $(GOTEST) -json -timeout 20m $(whole) || s=1; \
	  exit $$s; } $(TALLY)

.PHONY: check
check: lint workflowcheck verify unit ## what to run before a commit: lint, generated files, unit under -race

.PHONY: unit
unit: deps bin/steward-temporal $(TOOLS)/tally ## tests of single packages, under -race
	@$(GOTEST) -json -race $(unit) $(TALLY)

.PHONY: e2e
e2e: deps build $(TOOLS)/tally ## the product from outside: HTTP, CLI, outages, a short storm of kills, contract
	@$(GOTEST) -json -timeout 20m $(whole) $(TALLY)

.PHONY: test-bigquery
test-bigquery: bin/bigquery-emulator ## the BigQuery connector at an emulator, which is built once: minutes, 3 GB of memory
	@$(GO) test -tags bigquery -count 1 ./dev/counterpart/bigquery

# Pure Go, but its SQL engine is a WebAssembly program that was translated to Go.
bin/bigquery-emulator: dev/bigquery/go.mod dev/bigquery/go.sum
	@echo "building $@ (minutes, once)"
	@CGO_ENABLED=0 $(GO) build -C dev/bigquery $(RELEASE) -o $(CURDIR)/$@ github.com/goccy/bigquery-emulator/cmd/bigquery-emulator

.PHONY: conformance
conformance: deps build $(TOOLS)/tally ## the official MCP conformance suite in both roles, and other people's clients
	@$(GOTEST) -json -timeout 20m ./dev/conformance/... $(TALLY)

.PHONY: chaos
chaos: build ## the long storm: RUNS (100) that each send one mail, KILLS (60) of random processes
	@$(GO) test ./dev/e2e -run '^TestChaos$$' -count 1 -v -timeout 60m -args -chaos.runs=$(or $(RUNS),100) -chaos.kills=$(or $(KILLS),60)

.PHONY: bench
bench: build ## what Steward adds to the bare operation below it, then the benchmarks of single packages
	@$(GO) run ./dev/bench
	@$(GO) test -run '^$$' -bench . -benchmem $(call having,Benchmark)

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (30s)
	@for package in $(call having,Fuzz); do \
	  for target in $$(grep -ohE '^func Fuzz[A-Za-z0-9_]+' $$package/*_test.go | cut -d' ' -f2); do \
	    echo "$$package $$target"; \
	    $(GO) test -C $$package -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(FUZZTIME),30s) | awk '!/^fuzz: elapsed/'; \
	  done; \
	done

##@ Hold true

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## golangci-lint over all modules
	@echo "lint"
	@$(TOOLS)/golangci-lint run
	@for module in $(MODULES); do (cd $$module && $(CURDIR)/$(TOOLS)/golangci-lint run --config $(CURDIR)/.golangci.yml); done

.PHONY: format
format: $(TOOLS)/golangci-lint ## gofumpt and import order
	@$(TOOLS)/golangci-lint fmt
	@for module in $(MODULES); do (cd $$module && $(CURDIR)/$(TOOLS)/golangci-lint fmt --config $(CURDIR)/.golangci.yml); done

.PHONY: workflowcheck
workflowcheck: $(TOOLS)/workflowcheck ## nothing that differs on replay in a workflow
	@$(TOOLS)/workflowcheck ./workflows/...

.PHONY: verify
verify: $(TOOLS)/sqlc ## committed generated files are current: SQL, OpenAPI, settings
	@$(TOOLS)/sqlc diff --file schema/sqlc.yaml
	@$(GO) test ./api -run '^TestOpenAPIIsTheCommittedDocument$$' >/dev/null || { echo "api/openapi.json is not current: run make generate"; exit 1; }
	@$(GO) run ./dev/verify

.PHONY: generate
generate: $(TOOLS)/sqlc ## write generated files: SQL, OpenAPI, settings
	@$(TOOLS)/sqlc generate --file schema/sqlc.yaml
	@$(GO) test ./api -run '^TestOpenAPIIsTheCommittedDocument$$' -update >/dev/null
	@$(GO) run ./dev/verify -write

.PHONY: histories
histories: deps build ## record the workflow histories anew that replay tests read
	@$(GO) test ./dev/e2e -run '^TestHistories$$' -count 1 -record

##@ Care

.PHONY: deps
deps: ## install what the tests need: databases, Node, Python, npm tools, a browser, a C compiler
	@$(GO) run ./dev/deps

.PHONY: clean
clean: ## remove what was built and installed here; data in .steward stays
	@rm -rf bin dev/deps/node_modules dev/deps/venv

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Tools have a module of their own and are built once.
$(TOOLS)/golangci-lint: PACKAGE := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/sqlc:          PACKAGE := github.com/sqlc-dev/sqlc/cmd/sqlc
$(TOOLS)/workflowcheck: PACKAGE := go.temporal.io/sdk/contrib/tools/workflowcheck
$(TOOLS)/golangci-lint $(TOOLS)/sqlc $(TOOLS)/workflowcheck: dev/tools/go.mod dev/tools/go.sum
	@echo "building $@ (minutes the first time)"
	@CGO_ENABLED=0 $(GO) build -C dev/tools $(RELEASE) -o $(CURDIR)/$@ $(PACKAGE)

$(TOOLS)/tally: $(filter-out %_test.go,$(wildcard dev/tally/*.go))
	@$(GO) build -o $@ ./dev/tally
