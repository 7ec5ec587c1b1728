# Every command that people and CI type. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ENV ?= prod dr
INVENTORIES = $(ENV:%=-i inventories/%)
# Names of branches and tags come from elsewhere: only the shell sees them, as variables, and never as text.
export BASE ?= origin/main
SECURITY := $(VENV)/security
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

# ---- Delivery: what the workflows of .github call, see docs/github.md ----

# A deployment is of what somebody has named.
.PHONY: named
named:
	@test "$(origin ENV)" != file || { echo 'Say which environment: make $(MAKECMDGOALS) ENV=dev' >&2; exit 2; }

.PHONY: plan
plan: $(STAMP) named ## What a run would change on AWS (ENV=dev); build/plans has it as Markdown and JSON
	@PIPEOPS_PLAN_JSON=build/plans/$(firstword $(ENV)).json PIPEOPS_PLAN_MARKDOWN=build/plans/$(firstword $(ENV)).md \
		ansible-playbook site.yml $(INVENTORIES) --check --diff

.PHONY: deploy
deploy: $(STAMP) named ## Deploy one environment, prove that nothing is left to do, keep its outputs (ENV=dev)
	@$(BIN)/python scripts/deploy.py $(ENV)

.PHONY: drift
drift: $(STAMP) named ## What is not as the inventories say (ENV="dev prod"); fails if something is not
	@ansible-playbook playbooks/drift.yml $(INVENTORIES)

.PHONY: dr-status dr-drill
dr-status: $(STAMP) ## Whether a failover from prod to dr would work now
	@ansible-playbook playbooks/dr_status.yml -i inventories/prod -i inventories/dr

dr-drill: $(STAMP) ## Restore the backups of prod in the region of dr, on AWS, and remove them again
	@ansible-playbook playbooks/dr_drill.yml -i inventories/prod -i inventories/dr

.PHONY: cost
cost: ALL = $(wildcard inventories/*)
cost: $(STAMP) ## What all environments cost, beside a base (BASE=origin/main)
	@ansible-playbook playbooks/cost.yml $(ALL:%=-i %) -e "cost_base=$$BASE" -e cost_details=false

.PHONY: pr-plan pr-report pr-comment job-summary
pr-plan: $(STAMP) ## What this branch changes, against its base on a sandbox: no AWS (BASE=origin/main)
	@$(BIN)/python scripts/pr_plan.py --base "$$BASE"

pr-report: $(STAMP) ## The comment of a pull request, of the plan and the cost
	@$(BIN)/python scripts/pr_report.py

# It has a token that may write, so it runs nothing that was installed.
pr-comment: ## Keep that comment on the pull request (GITHUB_TOKEN, GITHUB_REPOSITORY, PULL_REQUEST)
	@$(PYTHON) scripts/pr_comment.py

job-summary: $(STAMP) ## Tell reports in the summary of a job (FILES=build/pr-report.md)
	@$(BIN)/python scripts/job_summary.py $(FILES)

.PHONY: secrets workflows security
secrets: $(STAMP) ## Look for secrets in all that git tracks
	@$(BIN)/python scripts/scan_secrets.py

workflows: $(STAMP) ## Check the workflows by actionlint and zizmor
	@# 3: actionlint cannot be had here, which it has said.
	@$(BIN)/python scripts/actionlint.py || test $$? -eq 3
	zizmor --offline --quiet --no-progress .github

$(SECURITY)/.installed: requirements-security.txt $(STAMP)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SECURITY)
	@$(BIN)/uv pip install --quiet --python $(SECURITY)/bin/python -r requirements-security.txt
	@touch $@

security: $(SECURITY)/.installed ## Hold playbooks, roles and manifests against the rules of checkov
	@$(BIN)/python -m tests.security $(SECURITY)/bin/checkov

.PHONY: release-check publish
release-check: $(STAMP) ## Insist that a tag is the version of galaxy.yml (TAG=v1.0.0)
	@$(BIN)/python scripts/release.py check "$${TAG:-}"

publish: $(STAMP) ## Build the collection and give it to Galaxy (GALAXY_API_KEY)
	@$(BIN)/python scripts/release.py publish

.PHONY: delivery-test
delivery-test: $(STAMP) ## Jobs of the workflows and of AWX run here, and the tarball in an environment of its own: a quarter of an hour
	pytest tests/delivery --junitxml build/junit/delivery.xml -q

# ---- Tests ----

# All drifts would take a quarter of an hour more.
.PHONY: test
test: EVERY = 16
test: lint workflows unit ee kubernetes sandbox-test integration drill-test molecule-sample plan-exactness demo sanity ## Everything CI needs, the fast tests first
	@$(BIN)/python scripts/test_report.py

.PHONY: lint
lint: $(STAMP) ## Format, types and style of everything
	ruff check .
	ruff format --check .
	yamllint --strict .
	antsibull-changelog lint
	mypy -p ansible_collections.pipeops.platform.plugins
	mypy sandbox/pipeops_sandbox scripts tests/drill tests/performance tests/resilience extensions/write_guard/write_guard
	ansible-lint --offline
	$(BIN)/python scripts/role_docs.py --check
	$(BIN)/python scripts/cost_docs.py --check
	$(BIN)/python scripts/ci_policies.py --check >/dev/null
	ansible-playbook site.yml $(addprefix -i inventories/,dev staging prod dr) --syntax-check >/dev/null

.PHONY: unit
unit: $(STAMP) ## Plan tables and other tests without AWS
	pytest tests/unit -n 2 --junitxml build/junit/unit.xml -q

.PHONY: sandbox-test
sandbox-test: $(STAMP) ## The sandbox against AWS's rules
	pytest sandbox/tests -n 2 --dist loadfile --junitxml build/junit/sandbox.xml -q

.PHONY: integration
integration: $(STAMP) ## Modules, roles, inventories and playbooks on the sandbox
	@# The longest files first, so that both workers end at about the same time.
	pytest tests/recovery tests/playbooks tests/destroy tests/sandbox tests/delivery tests/awx tests/inventories -m "not thorough" \
		-n 2 --dist loadfile --no-loadscope-reorder --junitxml build/junit/integration.xml -q

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

.PHONY: resilience resilience-full
resilience: $(STAMP) ## A sample of crashes, storms, bad input and leaks (PROOFS="crashes" for some; OPTIONS="--seed 2")
	@$(BIN)/python -m tests.resilience $(PROOFS) $(OPTIONS)

resilience-full: $(STAMP) ## All of them: hours
	@$(BIN)/python -m tests.resilience --full $(PROOFS) $(OPTIONS)

.PHONY: bench
bench: $(STAMP) ## How fast everything is: half an hour (PARTS="converged delivery" for some; OPTIONS="--rounds 3")
	@$(BIN)/python -m tests.performance $(PARTS) $(OPTIONS)

.PHONY: plan-exactness
plan-exactness: $(STAMP) ## What --check says is what the run does (EVERY=16 for a sample of the drifts)
	$(BIN)/python -m tests.plan_exactness $(if $(EVERY),--every $(EVERY))

# Scenarios with most options changed. CI takes one of them, another with each commit.
OPTIONS_SCENARIOS := $(notdir $(wildcard extensions/molecule/*_options))
COMMITS := $(shell git rev-list --count HEAD 2>/dev/null || echo 0)
SPARED = $(filter-out $(word $(shell expr $(COMMITS) % $(words $(OPTIONS_SCENARIOS)) + 1),$(OPTIONS_SCENARIOS)),$(OPTIONS_SCENARIOS))

.PHONY: molecule molecule-sample
molecule: $(STAMP) ## Roles one by one: check, converge, idempotence, verify, destroy (ROLE=vpc for one)
	@# What a run that failed left behind: without this, molecule takes its sandbox and its account for new.
	molecule destroy -s default >/dev/null
	molecule test $(if $(ROLE),$(addprefix -s ,$(ROLE) $(filter $(ROLE)_options,$(OPTIONS_SCENARIOS))),--all --workers cpus)

molecule-sample: $(STAMP) ## The same, but of the scenarios with most options changed only one
	molecule destroy -s default >/dev/null
	molecule test --all --workers cpus $(addprefix --exclude ,$(SPARED))

.PHONY: build
build: $(STAMP) ## The tarball of the collection, into build/, its content checked
	@$(BIN)/python scripts/build_collection.py

.PHONY: ee
ee: build ## What the execution environment's image is built from, into build/ee
	@$(BIN)/python scripts/execution_environment.py

.PHONY: docs
docs: $(STAMP) ## The documentation as a site, into build/docs; links that lead nowhere fail
	@$(BIN)/python scripts/docs_site.py

.PHONY: sanity
sanity: $(STAMP) ## ansible-test sanity, without an ignore file
	scripts/sanity

.PHONY: clean
clean: ## Remove what was built; .venv stays
	-@test -x $(BIN)/python && $(SANDBOX) down
	rm -rf build .cache .ansible .mypy_cache .ruff_cache .pytest_cache
