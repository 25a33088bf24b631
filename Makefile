# What a developer does every day. `make check` is what a change must pass.

UV_LINT = uv run --group lint

.PHONY: help check lint format test soak lock

help:
	@echo "make check    ruff, mypy, the import contract, then every test"
	@echo "make lint     the same without the tests"
	@echo "make format   put the code in order"
	@echo "make test     the tests alone"
	@echo "make soak     the long forms of the tests, then two hours under load"
	@echo "make lock     write requirements.txt anew, with the newest versions allowed"

check: lint test

lint:
	$(UV_LINT) ruff check
	$(UV_LINT) ruff format --check
	$(UV_LINT) mypy
	$(UV_LINT) lint-imports

format:
	$(UV_LINT) ruff check --fix
	$(UV_LINT) ruff format

test:
	uv run pytest

# What is promised is a matter of hours and of a machine that does nothing else meanwhile.
SOAK_MINUTES ?= 120

soak:
	LONG=1 uv run pytest tests/faults tests/hostile tests/journeys/test_stopped_servers.py
	uv run python benchmarks/soak.py --minutes $(SOAK_MINUTES)

lock:
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url pyproject.toml --output-file requirements.txt
