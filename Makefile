# Everything runs in .venv, which is made when it is missing: Python 3.11 and pip are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKFLOWS := $(wildcard .github/workflows/*.yml) examples/fleet-10k/spaces-fleet.yml

.PHONY: demo test lint workflows slow clean

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
	$(BIN)/zizmor --offline --no-progress --quiet --persona=pedantic --config .github/zizmor.yml $(WORKFLOWS) action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml

slow: $(VENV)/.installed
	$(BIN)/pytest -m slow

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@

clean:
	rm -rf $(VENV) .venvs
