# The commands that CONTRIBUTING.md explains. "make setup" makes .venv; BIN=... uses another.
BIN = .venv/bin

.PHONY: help setup howto test lint format bench ecosystem grammars facts readme docs

help:
	@sed -n 's/^\([a-z]*\):.*## /make \1 - /p' $(MAKEFILE_LIST)

setup: ## .venv with everything that the tests need
	.ci/setup dev

howto: ## check the tutorial's configuration
	-$(BIN)/python -m postlint check corpus/openbsd-tls-howto

test: ## all tests
	$(BIN)/python -m pytest -n 2

lint: ## what CI says before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict postlint rules tools
	$(BIN)/lint-imports

format: ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: ## the figures of README.md
	$(BIN)/python -m tests.bench

ecosystem: ## what changed over hundreds of real configurations (POSTLINT_SHARED=folder)
	$(BIN)/python -m tests.ecosystem

grammars: ## the parser tables, after a change of a grammar
	$(BIN)/python tools/build_grammars.py

facts: ## the facts about Postfix, after a change of the measurements (FACTS=folder)
	$(BIN)/python tools/generate_facts.py $(FACTS)

readme: ## the output that README.md shows
	$(BIN)/python tools/update_readme.py

docs: ## docs/rules.md, after a change of a rule
	$(BIN)/python tools/build_rule_reference.py
