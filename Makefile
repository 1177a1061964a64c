# The commands that CONTRIBUTING.md explains. "make setup" makes .venv; PYTHON=... uses another.
PYTHON = .venv/bin/python

.PHONY: help setup howto test lint format bench grammars facts readme

help:
	@sed -n 's/^\([a-z]*\):.*## /make \1 - /p' $(MAKEFILE_LIST)

setup: ## .venv with everything that the tests need
	.ci/setup dev

howto: ## check the tutorial's configuration
	-$(PYTHON) -m postlint check corpus/openbsd-tls-howto

test: ## all tests
	$(PYTHON) -m pytest -n 2

lint: ## what CI says before the tests
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy --strict postlint rules tools
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as run; run()'

format: ## format and fix what can be fixed
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

bench: ## the figures of README.md
	$(PYTHON) -m tests.bench

grammars: ## the parser tables, after a change of a grammar
	$(PYTHON) tools/build_grammars.py

facts: ## the facts about Postfix, after a change of the measurements (FACTS=folder)
	$(PYTHON) tools/generate_facts.py $(FACTS)
	$(PYTHON) -m ruff format postlint/postfix

readme: ## the output that README.md shows
	$(PYTHON) tools/update_readme.py
