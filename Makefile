# The commands that CONTRIBUTING.md explains. "make setup" makes .venv; BIN=... uses another.
BIN = .venv/bin
FUZZ_SECONDS = 600
SEED = 1

.PHONY: help setup howto test compare lint format bench ecosystem fuzz grammars facts readme docs \
	proof-tables proof-tls proof-relay proof-values

help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1 - /p' $(MAKEFILE_LIST)

setup: ## .venv with everything that the tests need
	.ci/setup dev

howto: ## check the tutorial's configuration
	-$(BIN)/python -m postlint check corpus/openbsd-tls-howto

test: ## all tests
	$(BIN)/python -m pytest -n 2

proof-values: ## bad values of every parameter, tried on every daemon that reads it (a quarter of an hour)
	POSTLINT_ALL_PARAMETERS=1 $(BIN)/python -m pytest -n 0 -s tests/differential/test_values.py

compare: ## postlint show and postconf on 20,000 generated pairs of files (PAIRS=, SEED=, PROGRAM=)
	$(BIN)/python -m tests.show.compare --pairs $(or $(PAIRS),20000) --seed $(or $(SEED),1) \
	  --program $(or $(PROGRAM),postconf)

lint: ## what CI says before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict postlint rules tools
	$(BIN)/lint-imports

format: ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: ## the figures of README.md, measured and written there
	$(BIN)/python -m tests.bench --write

ecosystem: ## what changed over hundreds of real configurations (POSTLINT_SHARED=folder)
	$(BIN)/python -m tests.ecosystem

fuzz: ## every reader and command on random bytes, guided by coverage (FUZZ_SECONDS=n)
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

grammars: ## the parser tables, after a change of a grammar
	$(BIN)/python tools/build_grammars.py

facts: ## the facts about Postfix, after a change of the measurements (FACTS=folder)
	$(BIN)/python tools/generate_facts.py $(FACTS)

readme: ## the output that README.md shows
	$(BIN)/python tools/update_readme.py

docs: ## docs/rules.md, after a change of a rule
	$(BIN)/python tools/build_rule_reference.py

proof-tables: ## 14,000 sources of lookup tables against postmap, postalias and sendmail (half an hour)
	POSTLINT_TABLE_FILES=1000 $(BIN)/python -m pytest -n 0 tests/differential/test_tables.py \
		tests/differential/test_inline_tables.py tests/differential/test_table_settings.py

proof-tls: ## TLS and AUTH of 520 services made at random, and the client's policies (SEED=n)
	POSTLINT_TLS_SERVICES=520 POSTLINT_TLS_SEED=$(SEED) $(BIN)/python -m pytest -n 0 -q -s \
		tests/differential/test_tls_exposure.py tests/differential/test_tls_client_policies.py \
		tests/differential/test_cipher_suites.py

proof-relay: ## relay verdicts and --explain against 2,400 smtpd services made at random (SEED=n)
	POSTLINT_RELAY_SERVICES=2400 POSTLINT_RELAY_SEED=$(SEED) $(BIN)/python -m pytest -n 0 -q -s \
		tests/differential/test_relay.py
