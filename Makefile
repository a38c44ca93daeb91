# make run: the page. make test: all that a change can break. make test-slow: what takes longer (full
# exports and trainings). make docs: the documents. All set up what they need in .venv; the checks of
# the page's scripts (make check-js) need Node.js 20 or newer, and are skipped where it is not.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?= --local

.PHONY: run test test-slow check check-js node-checks browser-test format examples docs docs-pages screenshots clean

run: $(VENV)/.installed
	$(BIN)/python app.py $(ARGS)

test: check check-js browser-test

# Every architecture exported and trained, tables made from all of them, trainings as jobs.
test-slow: $(VENV)/.installed-dev
	$(BIN)/pytest -m "slow and not browser" --numprocesses auto --maxprocesses 4 --dist worksteal

# Everything but the browser, and but what is slow.
check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not browser and not slow" --numprocesses auto --maxprocesses 4 --dist worksteal

# The page's scripts: their types, their style, and tests of what needs no page.
check-js:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory node-checks; \
	else echo "check-js is skipped: there is no Node.js here."; fi

node-checks: node_modules/.installed
	node_modules/.bin/tsc
	node_modules/.bin/biome ci .
	node --test tests/js/*.test.js

browser-test: $(VENV)/.installed-dev
	CHROMIUM="$$(scripts/find-chromium $(BIN)/python)" && export CHROMIUM && $(BIN)/pytest -m browser

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

examples: $(VENV)/.installed
	$(BIN)/python scripts/make_examples.py

# The documents as HTML in build/docs; a warning is an error.
docs: $(VENV)/.installed-docs
	$(BIN)/sphinx-build -W --keep-going -q -c docs . build/docs
	@echo "The documents are in build/docs/docs/index.html."

# The generated parts of README.md and docs/.
docs-pages: $(VENV)/.installed
	$(BIN)/python scripts/make_docs.py

screenshots: $(VENV)/.installed-dev
	CHROMIUM="$$(scripts/find-chromium $(BIN)/python)" && export CHROMIUM && $(BIN)/python scripts/make_screenshots.py

$(VENV)/.installed: requirements.txt pyproject.toml
	scripts/make-venv $(VENV) "$(PYTHON)"
	@echo "Installing audioclf and what it needs into $(VENV): a few minutes, once."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed requirements-docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	touch $@

node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund
	touch $@

clean:
	rm -rf $(VENV) build node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
