.DEFAULT_GOAL := help
BIN := .venv/bin
PY := $(BIN)/python
SERVICES := intake triage resolution sla feedback insight notify
PACKAGES := shared/shared $(foreach s,$(SERVICES),services/$(s)-service/$(s)_service) deploy/standalone/redress
N ?= 40
# Without its bytecode cache Python compiles 1,700 modules at every start: 4 s instead of none.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env demo up demo-kafka test lint types migrate migration bench docs kafka chaos proofs lock
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

env: .venv/.ready ## create the environment from the lock file

.venv/.ready: requirements.lock requirements-bootstrap.lock $(wildcard shared/pyproject.toml services/*/pyproject.toml deploy/standalone/pyproject.toml)
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements-bootstrap.lock
	.venv/bin/uv pip install --python .venv/bin/python --quiet --require-hashes --no-deps -r requirements.lock
	.venv/bin/uv pip install --python .venv/bin/python --quiet --no-deps --no-build-isolation \
	  -e shared $(patsubst %,-e %,$(wildcard services/*-service)) -e deploy/standalone
	touch $@

demo: env ## play one complaint from receipt to review, in one process on a simulated clock
	@$(BIN)/redress demo

up: env ## run Redress on http://127.0.0.1:8080, its data in .redress; Ctrl-C ends it
	@$(BIN)/redress up

demo-kafka: env ## the same complaint over a real Kafka and seven processes (Java and Maven)
	@$(BIN)/redress demo --kafka

test: env ## run every test; those that need Kafka are skipped where Java or Maven is missing
	@$(PY) -m pytest

lint: env ## ruff and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: env ## mypy, strict
	@$(BIN)/mypy $(PACKAGES) tests $(if $(wildcard benchmarks/*.py),benchmarks)

migrate: env ## create schemas and roles and bring them up to date (DATABASE_URL, else .redress)
	@$(BIN)/redress migrate

migration: env ## write a migration: make migration SERVICE=intake M="Add the region"
	@test -n "$(SERVICE)" -a -n "$(M)" || { echo 'usage: make migration SERVICE=intake M="Add the region"' >&2; exit 2; }
	@$(BIN)/redress revision $(SERVICE) -m "$(M)"

bench: env ## measure against this machine's floor; ONLY=<name> runs one
	@$(PY) -m benchmarks $(ONLY)

docs: env ## regenerate docs/openapi, docs/asyncapi.yaml and the contract snapshots
	@$(PY) -m redress.docs

kafka: env ## run a Kafka broker in the foreground (Java and Maven)
	@$(PY) -m redress.kafka

chaos: env ## kill processes at named points, N times
	@REDRESS_CHAOS_KILLS=$(N) $(PY) -m pytest tests/reliability/test_crash_points.py tests/reliability/test_kills.py -q

proofs: env ## every row of the public histories (REDRESS_PUBLIC_DATA, else ../shared/data), and 5,000 random calendars
	@REDRESS_PROOFS=all REDRESS_CALENDARS=$(or $(CALENDARS),5000) $(PY) -m pytest -q -s tests/unit/sla/test_outside_truth.py \
	  tests/unit/sla/test_calendar_oracle.py tests/component/sla/test_outside_histories.py

OURS := --no-emit-package redress --no-emit-package redress-shared $(patsubst services/%-service,--no-emit-package redress-%-service,$(wildcard services/*-service))
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(OURS)
lock: ## resolve the lock files anew
	@$(COMPILE) --group pyproject.toml:dev --group pyproject.toml:build deploy/standalone/pyproject.toml -o requirements.lock
	@$(COMPILE) --constraint requirements.lock --group pyproject.toml:build deploy/standalone/pyproject.toml -o requirements-runtime.lock
