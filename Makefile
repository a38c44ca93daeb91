# make run: the page. make test: every check. make docs: the documents. All set up what they need in .venv.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?= --local

.PHONY: run test check browser-test format examples docs docs-pages screenshots clean

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

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
