# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
TARGET := $(or $(CARGO_TARGET_DIR),target)
VENV := $(TARGET)/venv
CLIENT := $(VENV)/client/bin/python
BINARY := session-kms-lambda
TEMPLATE ?= template.yaml

# The function's code names no folder of the machine that built it.
RELEASE_FLAGS = $(shell $(PYTHON) -c 'from local.paths import release_flags; print(release_flags())')

export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help: ## List the targets
	@echo "session-kms: make ..."
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-9s %s\n", $$1, $$2 }'

.PHONY: demo
demo: ## Deploy, change, break and delete a stack on a local AWS (KEEP=1 leaves it up; SESSION_KMS_LAMBDA=<file> is a build to use)
	@echo "Setting up the local AWS"
ifdef SESSION_KMS_LAMBDA
	@$(PYTHON) -m local client ministack moto
	@exec $(CLIENT) -m demo
else
	@echo "Building the function (as for development, which is quicker than a release build; the first time takes some minutes)"
	@$(PYTHON) -m local client ministack moto & environments=$$!; trap "kill $$environments 2> /dev/null || true" EXIT; \
	  cargo build --locked --no-default-features --bin $(BINARY); wait $$environments
	@SESSION_KMS_LAMBDA="$(TARGET)/debug/$(BINARY)" exec $(CLIENT) -m demo
endif

.PHONY: build
build: ## Build the function as it is deployed (release)
	RUSTFLAGS="$(RELEASE_FLAGS)" cargo build --release --locked --no-default-features --bin $(BINARY)

.PHONY: package
package: ## Build for sam deploy, in some 12 minutes (ARCHITECTURE=arm64 or x86_64, TEMPLATE=template.yaml, template-key-access.yaml or deploy/audit.yaml)
	@exec $(PYTHON) -m local.sam_build $(or $(ARCHITECTURE),arm64) $(TEMPLATE)

.PHONY: release
release: ## Make the files of a release for both architectures (ARCHITECTURE=arm64 or x86_64 makes one, CHECK=1 builds twice and compares)
	@exec $(PYTHON) -m local.release_files $(ARCHITECTURE) $(if $(CHECK),check)

.PHONY: notices
notices: ## Write THIRD_PARTY_NOTICES from the sources of the dependencies
	@exec $(PYTHON) -m local.notices

.PHONY: test
test: ## Run everything: lints, unit, property, component, documentation and end-to-end tests
	@exec $(PYTHON) -m local.suite

.PHONY: soak
soak: ## Run the reliability tests completely (make test runs a bounded part of each), and print their figures
	SOAK=1 cargo test --locked --test it -- fault_matrix kills histories bad_input interleavings long_life
	@$(PYTHON) -m local.reliability
	@$(PYTHON) -m local.reproducible all

.PHONY: lint
lint: ## Check the Rust and Python code, its documentation and the templates
	@exec $(PYTHON) -m local.suite lint

.PHONY: schemas
schemas: ## Write the JSON Schemas of schemas/ from the code
	@UPDATE_SCHEMAS=1 cargo test --locked --test it -- schemas::the_schemas_are_what_the_code_makes

.PHONY: docs
docs: ## Make the parts of the documents that are made from code, templates and reports
	UPDATE_REFERENCE=1 cargo test --locked --test it -- reference::
	@$(PYTHON) -m local client
	@$(CLIENT) -m local.docs

.PHONY: terraform
terraform: ## Write the parts of deploy/terraform that follow from template.yaml
	@$(PYTHON) -m local terraform
	@$(VENV)/terraform/bin/python -m local.terraform_module

.PHONY: bench
bench: ## Measure the function beside Python and Node.js, how checks grow, the report of an audit and the evaluator, into docs/performance (RUNS=3 is a trial)
	@$(PYTHON) -m local client ministack moto peers
# First the benchmarks: for them cargo makes target/release/session-kms-lambda too, but not as it is shipped.
	@cargo bench --locked --no-run
	@RUSTFLAGS="$(RELEASE_FLAGS)" cargo build --release --locked --no-default-features --bin $(BINARY)
	@$(CLIENT) -m local.bench
	@$(CLIENT) -m local.bench.scale
	@$(PYTHON) -m local.browser
	@$(CLIENT) -m local.bench.audit
	cargo bench --locked --bench policy --bench assess --bench evaluate

.PHONY: aws-check
aws-check: ## Try in an AWS account what no documentation says (REGION=, QUESTIONS=, TARGET=, OTHER_ACCOUNT_KEY_ARN=, LIMIT=, YES=1)
	@$(PYTHON) -m local client
	@exec $(CLIENT) -m local.aws_check

.PHONY: clean
clean: ## Remove everything that was built or set up
	cargo clean
	rm -rf $(VENV) $(TARGET)/local .aws-sam
	find local demo tests -name __pycache__ -type d -prune -exec rm -rf {} +
