# Everything runs in .venv, which is made when it is missing, with exactly what requirements/dev.txt names:
# Python 3.11 and pip are enough. `make lock` makes the lock anew from pyproject.toml.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKFLOWS := $(wildcard .github/workflows/*.yml) examples/fleet-10k/spaces-fleet.yml

.PHONY: demo test lint workflows slow lock lock-apps newest prices clean

demo: $(VENV)/.installed
	$(BIN)/hfspace demo

test: lint
	$(BIN)/pytest -n 2 --dist loadgroup

lint: $(VENV)/.installed workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

workflows: $(VENV)/.installed
	$(BIN)/zizmor --offline --no-progress --quiet --persona=pedantic --config .github/zizmor.yml \
		$(WORKFLOWS) .github/dependabot.yml action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

slow: $(VENV)/.installed tests/browser/node_modules
	$(BIN)/pytest -m slow

$(VENV)/.installed: pyproject.toml requirements/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The newest of everything that pyproject.toml allows, in place of the lock: what the weekly job tests.
newest:
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --upgrade --requirement requirements/build.in --editable . --group dev
	touch $(VENV)/.installed

LOCK := .venvs/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
PROJECT := pyproject.toml requirements/build.in

lock:
	$(PYTHON) -m venv .venvs/lock
	.venvs/lock/bin/pip install --quiet --upgrade uv
	$(LOCK) $(PROJECT) --output-file requirements/run.txt
	$(LOCK) $(PROJECT) --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	for tool in sbom coverage; do $(LOCK) requirements/$$tool.in --output-file requirements/$$tool.txt || exit 1; done

# What the environments of the real apps install (tests/apps).
lock-apps:
	$(PYTHON) -m venv .venvs/lock
	.venvs/lock/bin/pip install --quiet --upgrade uv
	for app in tests/apps/requirements/*.in; do $(LOCK) $$app --output-file $${app%.in}.txt || exit 1; done

# axe-core, which judges the pages in a browser; the browser itself is Chromium or Chrome from PATH.
tests/browser/node_modules: tests/browser/package-lock.json
	npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund
	touch $@

# The prices that hfspace ships, from the Hub's listing of today.
prices: $(VENV)/.installed
	$(BIN)/python tools/prices.py

clean:
	rm -rf $(VENV) .venvs
