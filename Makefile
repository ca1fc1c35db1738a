# The commands of the house. Each makes its own virtual environment first; nothing else is needed but Python >= 3.11.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed
PAGE = src/resorb/web/page
VIEWER = $(PAGE)/static/vendor

.PHONY: help demo test check bench docs page pictures words clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /: /'

$(INSTALLED): pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit("resorb needs Python >= 3.11, found " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,test,check]'
	@touch $@

demo: $(INSTALLED) ## show the main job on real input, and say where the report is
	$(BIN)/resorb demo

test: $(INSTALLED) ## run all tests
	$(BIN)/python -m pytest -n 2

check: $(INSTALLED) ## lint, types, room contract, evidence, docs
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/resorb evidence check
	$(BIN)/python -m pytest tests/docs

bench: $(INSTALLED) ## measure speed and accuracy
	$(BIN)/python -m bench

docs: $(INSTALLED) ## rewrite the generated reference pages
	$(BIN)/python docs/generate.py

page: ## add the three-plane viewer to the page (needs Node)
	npm ci --silent
	mkdir -p $(VIEWER)
	cp node_modules/@niivue/niivue/dist/index.js $(VIEWER)/niivue.js
	cp node_modules/@niivue/niivue/package.json $(VIEWER)/niivue.package.json

pictures: $(INSTALLED) ## retake the pictures of the page (needs Chromium)
	$(BIN)/python docs/photograph.py

words: $(INSTALLED) ## gather the texts of the page for translation
	cd $(PAGE) && $(abspath $(BIN))/pybabel -q extract -F babel.cfg --no-wrap --sort-by-file --add-location=file --omit-header -o interface.pot .
	cd $(PAGE) && for language in locale/*/; do $(abspath $(BIN))/pybabel -q update -i interface.pot -o $${language}interface.po \
	  -l $$(basename $$language) --omit-header --no-wrap --no-fuzzy-matching --ignore-obsolete; done; rm interface.pot

clean: ## remove what was made
	rm -rf $(VENV) out build dist node_modules $(VIEWER) src/resorb/evidence/compiled.json
