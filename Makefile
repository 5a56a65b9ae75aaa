# SPDX-License-Identifier: GPL-3.0-or-later
# Everything that this repository can do, each target setting up what it needs.
# Nothing outside the checkout is changed, except the distribution packages that the ground names before it installs them.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_NOCOWS := 1
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv lint test test-quick harden ground bench down clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(VENV)/.ready ## Create the virtual environment with all development tools

$(VENV)/.ready: pyproject.toml galaxy.yml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Breakwater needs Python 3.11 or newer; name it: make PYTHON=python3.12 ...")'
	@echo "== Virtual environment in $(VENV) (the first time takes a minute)"
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

harden: venv ## Start the example stack and harden it (the main job)
	@# Without an engine (exit code 3) the files are planned and written all the same.
	tests/ground/ground up || test $$? -eq 3
	scripts/harden-example

ground: venv ## Provide Docker Engine, Compose and the container images
	tests/ground/ground up

lint: venv ## Check style and types
	ruff check
	ruff format --check
	mypy
	yamllint --strict .
	ansible-lint --offline

# The comparison with docker compose itself takes minutes and belongs to `make test`.
ORACLE := tests/unit/plugins/plugin_utils/compose/oracle

test-quick: lint ## Check style and types, run the unit tests (under 2 minutes)
	pytest -n 2 tests/unit --ignore $(ORACLE)

test: test-quick ## Test everything: unit, packaging, sanity, versions, integration, molecule
	@# Without an engine (exit code 3) the rest is still tested; what needs one is skipped by name.
	tests/ground/ground up || test $$? -eq 3
	pytest -n 2 $(ORACLE) tests/packaging tests/compat tests/sanity
	@# Two files at a time: most of their time is waiting for containers.
	pytest -n 2 --dist loadfile tests/integration tests/molecule

bench: venv ground ## Measure scan, fix, the playbook, the pool and the guard
	bench/run
	python bench/pool.py
	python bench/guard.py

down: ## Remove all that `make harden` created
	scripts/harden-example --down

clean: down ## Remove the virtual environment and built files too; keep the downloads in .cache
	rm -rf $(VENV) .ansible .cache/ansible .cache/mypy .cache/pytest .cache/ruff dist
