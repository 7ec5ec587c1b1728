# Every command that people and CI type. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ENV ?= prod dr
export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# The sandbox takes any credentials; real ones have no business in it.
SANDBOX := $(BIN)/python -m pipeops_sandbox

.PHONY: help
help: ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.txt requirements-dev.txt sandbox/requirements.txt sandbox/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing the tools into $(VENV), once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements-dev.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt -e ./sandbox
	@touch $@

.PHONY: env
env: $(STAMP) ## Install everything into .venv

.PHONY: kubernetes
kubernetes: $(STAMP) ## Get the Kubernetes programs and helm for the sandbox, once: prebuilt, or built for some minutes
	@# 3: they cannot be had here, which it has said; everything else works without.
	@$(SANDBOX) kubernetes build || test $$? -eq 3

.PHONY: demo
demo: $(STAMP) ## Stand up prod and dr on the sandbox, twice (ENV="dev" for another)
	@$(BIN)/python scripts/demo.py $(ENV)

.PHONY: drill
drill: $(STAMP) ## Game day: lose a region, fail back, move to and fro, under load (CIRCLES=10)
	@$(BIN)/python -m tests.drill $(if $(CIRCLES),--circles $(CIRCLES)) $(DRILL_OPTIONS)

.PHONY: sandbox-up sandbox-down sandbox-env
sandbox-up: $(STAMP) ## Start the local AWS
	@$(SANDBOX) up

sandbox-down: $(STAMP) ## Stop it; what stands in it is kept
	@$(SANDBOX) down

sandbox-env: $(STAMP) ## Print how to reach it: eval "$$(make -s sandbox-env)"
	@$(SANDBOX) env

# All drifts would take ten minutes more.
.PHONY: test
test: EVERY = 4
test: lint unit kubernetes sandbox-test integration drill-test molecule plan-exactness demo sanity ## Everything CI needs, the fast tests first
	@$(BIN)/python scripts/test_report.py

.PHONY: lint
lint: $(STAMP) ## Format, types and style of everything
	ruff check .
	ruff format --check .
	yamllint --strict .
	mypy -p ansible_collections.pipeops.platform.plugins
	mypy sandbox/pipeops_sandbox scripts tests/drill extensions/write_guard/write_guard
	ansible-lint --offline
	$(BIN)/python scripts/role_docs.py --check
	$(BIN)/python scripts/cost_docs.py --check
	$(BIN)/python scripts/ci_policies.py --check >/dev/null
	for env in dev staging prod dr; do ansible-playbook site.yml -i inventories/$$env --syntax-check >/dev/null; done

.PHONY: unit
unit: $(STAMP) ## Plan tables and other tests without AWS
	pytest tests/unit --junitxml build/junit/unit.xml -q

.PHONY: sandbox-test
sandbox-test: $(STAMP) ## The sandbox against AWS's rules
	pytest sandbox/tests -n 2 --dist loadfile --junitxml build/junit/sandbox.xml -q

.PHONY: integration
integration: $(STAMP) ## Modules, roles, inventories and playbooks on the sandbox
	pytest tests/sandbox tests/inventories tests/playbooks tests/recovery tests/destroy tests/awx -m "not thorough" -n 2 --dist loadfile \
		--junitxml build/junit/integration.xml -q

.PHONY: recovery-test
recovery-test: $(STAMP) ## Every move of the database, and its refusals, on real servers: a quarter of an hour
	pytest tests/recovery -n 2 --dist loadfile --junitxml build/junit/recovery.xml -q

.PHONY: playbooks-test
playbooks-test: $(STAMP) ## Operations as people type them, nights and killed runs among them: half an hour
	pytest tests/playbooks -n 2 --dist loadfile --junitxml build/junit/playbooks.xml -q

.PHONY: destroy-test
destroy-test: $(STAMP) ## Every environment destroyed, and killed on the way: half an hour
	pytest tests/destroy --junitxml build/junit/destroy.xml -q

.PHONY: lease-test
lease-test: $(STAMP) ## The write lease on real servers, and moves of the database with it
	pytest tests/lease --junitxml build/junit/lease.xml -q

.PHONY: iam-test
iam-test: $(STAMP) ## Every playbook under the shipped deploy policies, with IAM enforced (PARTS="dev" for some)
	@$(BIN)/python -m tests.iam $(PARTS) $(IAM_OPTIONS)

.PHONY: awx-check
awx-check: $(STAMP) ## AWX as code, all of it, against a local AWX: minutes
	pytest tests/awx -n 2 --dist load --junitxml build/junit/awx.xml -q

.PHONY: drill-test
drill-test: $(STAMP) ## One disaster and the way back, under load
	pytest tests/drill --junitxml build/junit/drill.xml -q

.PHONY: clusters-test
clusters-test: $(STAMP) ## Node pools, add-ons and applications on Kubernetes API servers: twenty minutes
	pytest tests/clusters --junitxml build/junit/clusters.xml -q

.PHONY: plan-exactness
plan-exactness: $(STAMP) ## What --check says is what the run does (EVERY=4 for every fourth drift)
	$(BIN)/python -m tests.plan_exactness $(if $(EVERY),--every $(EVERY))

.PHONY: molecule
molecule: $(STAMP) ## Roles one by one: check, converge, idempotence, verify, destroy (ROLE=vpc for one)
	@# What a run that failed left behind: without this, molecule takes its sandbox and its account for new.
	molecule destroy -s default >/dev/null
	molecule test $(if $(ROLE),-s $(ROLE),--all)

.PHONY: sanity
sanity: $(STAMP) ## ansible-test sanity, without an ignore file
	scripts/sanity

.PHONY: clean
clean: ## Remove what was built; .venv stays
	-@test -x $(BIN)/python && $(SANDBOX) down
	rm -rf build .cache .ansible .mypy_cache .ruff_cache .pytest_cache
