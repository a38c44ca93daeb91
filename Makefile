# make run: the page. make test: every check. Both set up what they need in .venv.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?= --local

.PHONY: run test check browser-test format examples clean

run: $(VENV)/.installed
	$(BIN)/python app.py $(ARGS)

test: check browser-test

# Everything but the browser.
check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not browser" --numprocesses auto --maxprocesses 4 --dist worksteal

browser-test: $(VENV)/.installed-dev
	CHROMIUM="$$(scripts/find-chromium $(BIN)/python)" && export CHROMIUM && $(BIN)/pytest -m browser

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

examples: $(VENV)/.installed
	$(BIN)/python scripts/make_examples.py

$(VENV)/.installed: requirements.txt pyproject.toml
	scripts/make-venv $(VENV) "$(PYTHON)"
	@echo "Installing audioclf and what it needs into $(VENV): a few minutes, once."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
