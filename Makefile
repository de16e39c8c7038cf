# `make` alone lists what there is. Every target uses the Python environment that is active.
.DEFAULT_GOAL := help
.PHONY: help setup fmt check test cover demo soak bench record-golden
ARGS ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the checkout for development
	pip install -qq --editable '.[dev]'

fmt: ## format the code and apply the safe fixes
	ruff format .
	ruff check --fix .

check: ## format, lint, types, layers, tests: what must hold before a commit
	ruff format --check .
	ruff check .
	mypy
	pytest

test: ## run tests; ARGS='tests/unit -n 0' picks some
	pytest $(ARGS)

cover: ## run the tests and show the lines that none of them reach
	coverage run --source syncd -m pytest -n 0 $(ARGS)
	coverage report --show-missing --skip-covered

demo: ## the whole job on invented shops, on a temporary database
	syncd demo

soak: ## every case and every moment of the promises, and the property tests with many more examples
	pytest tests/property --hypothesis-profile=soak $(ARGS)
	pytest --every-case -m "soak or not soak" tests/promises $(ARGS)

bench: ## measure the resolver; ARGS='RECORDS.csv PREDICTION.csv'
	python bench/identity_dev.py $(ARGS)

record-golden: ## rewrite the reviewed mapping results; read the difference before committing it
	pytest tests/golden --record-golden $(ARGS)
