.DEFAULT_GOAL := help
PY := .venv/bin/python

.PHONY: help env lock
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

env: .venv/.ready ## create the environment from the lock file

.venv/.ready: requirements.lock $(wildcard shared/pyproject.toml services/*/pyproject.toml deploy/standalone/pyproject.toml)
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements-bootstrap.lock
	.venv/bin/uv pip install --python .venv/bin/python --quiet --require-hashes --no-deps -r requirements.lock
	.venv/bin/uv pip install --python .venv/bin/python --quiet --no-deps --no-build-isolation \
	  -e shared $(patsubst %,-e %,$(wildcard services/*-service)) -e deploy/standalone
	touch $@

lock: ## resolve the lock files anew
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-package redress --no-emit-package redress-shared $(patsubst services/%-service,--no-emit-package redress-%-service,$(wildcard services/*-service)) \
	  --group pyproject.toml:dev --group pyproject.toml:build deploy/standalone/pyproject.toml -o requirements.lock
