# The whole developer manual: `make help`. Two commands are promised to work on a fresh machine:
# `make demo` (sets up the light set and runs the main job) and `make test` (sets up everything and tests it).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
WORDS  := workbench/locale/zh/LC_MESSAGES/workbench.po

.PHONY: help demo test quick lint setup setup-all lab app lock licenses audit words reference docs cards bench screenshots clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## set up the light set, search the example JDs, calibrate cutoff cards on the demonstration's pairs, rank its documents
	$(BIN)/workbench run notebooks/01_search.ipynb --output reports
	$(BIN)/workbench calibrate labeled_pairs/demo -e use --target-precision 0.80 --out reports/demo_card.json
	$(BIN)/workbench calibrate labeled_pairs/documents -s use+relative --target-precision 0.60 \
	  --out reports/documents_card.json
	$(BIN)/workbench rank labeled_pairs/documents/jds labeled_pairs/documents/resumes \
	  --card reports/documents_card.json --out reports/shortlist.xlsx

lab: $(VENV)/.lab ## set up what the notebooks need, then open them in JupyterLab
	$(BIN)/workbench lab

app: $(VENV)/.demo ## open the pages that need no code: search, rank, label, cutoff (port 8501)
	$(BIN)/workbench app

setup: $(VENV)/.demo ## set up the light CPU set (no torch) in .venv
setup-all: $(VENV)/.all ## set up everything that the tests need, torch and transformers too

test: $(VENV)/.all ## set up everything and run all tests
	$(BIN)/python -m pytest -n auto --dist loadgroup

quick: $(VENV)/.all ## run the fast tests only, without torch and browser (under 5 minutes on 2 cores)
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow and not browser and not models" \
	  --hypothesis-profile quick

lint: $(VENV)/.all ## ruff (style, imports, docstrings) and mypy --strict on the package
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

words: $(VENV)/.all ## gather the sentences of the code, merge them into the Chinese catalogue, compile it
	$(BIN)/python tools/words.py

reference: $(VENV)/.all ## write docs/reference.md, what the package offers, from its docstrings
	$(BIN)/python tools/reference.py

docs: $(VENV)/.all ## build the documentation site (site/index.html), with the notebooks executed as its gallery
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	for notebook in notebooks/*.ipynb; do \
	  $(BIN)/workbench run $$notebook -p language en --output site/gallery || exit 1; done
	chmod -R a+rX site  # demonstration data only, and to be served by anyone
	@echo "Open site/index.html"

cards: $(VENV)/.demo ## measure the cutoff cards that the package brings anew, on the demonstration's everyday pairs
	$(BIN)/python tools/cards.py

bench: $(VENV)/.bench ## measure the speed table beside the strongest peers, in 15 minutes on a quiet machine
	$(BIN)/python benchmarks/run.py

screenshots: $(VENV)/.all ## take the pictures that the README shows, in headless Chromium
	$(BIN)/python -m tests.browser.take_screenshots

licenses: $(VENV)/.all ## write docs/licenses.md, the licence of every pinned package
	$(BIN)/python tools/licenses.py

audit: ## look every pinned package up among known vulnerabilities (asks the database of the package index)
	@sh tools/make_venv.sh "$(PYTHON)" "$(VENV)/audit"
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check install -q pip-audit
	for lock in demo lab qwen test bench; do \
	  $(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements/$$lock.lock || exit 1; done

lock: $(VENV)/.venv ## pin all packages anew with the hashes of their files, without addresses
	$(PIP) install -q uv
	$(COMPILE) --extra cpu --extra app -o requirements/demo.lock
	$(COMPILE) --extra cpu --extra app --extra map -c requirements/demo.lock -o requirements/lab.lock
	$(COMPILE) --extra cpu --extra app --extra qwen -c requirements/lab.lock -c requirements/torch.txt -o requirements/qwen.lock
	$(COMPILE) $(ALL) -c requirements/lab.lock -c requirements/qwen.lock -o requirements/test.lock
	# torch brings what it needs by itself, and a CPU build needs none of the CUDA packages
	awk '/^[^ ]/ { keep = !/^(torch|triton|nvidia-|cuda-)/ } keep' requirements/test.lock > requirements/kept
	mv requirements/kept requirements/test.lock
	# only the peers that benchmarks add to it
	$(COMPILE) $(ALL) --extra bench -c requirements/test.lock -c requirements/torch.txt -o requirements/all
	awk 'NR == FNR { pinned[$$1]; next } /^[^ ]/ { keep = !/^(torch|triton|nvidia-|cuda-)/ && !($$1 in pinned) } keep' \
	  requirements/test.lock requirements/all > requirements/bench.lock
	rm requirements/all
	@echo "Now 'make test' installs them; then 'make licenses' and 'make audit'"

ALL := $(addprefix --extra ,cpu app map qwen ocr serve cluster milvus test)
COMPILE := $(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --upgrade --generate-hashes \
  --no-emit-index-url --no-header --no-annotate

clean: ## remove what was built here (.venv, reports, caches)
	rm -rf $(VENV) reports .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/.venv:
	@sh tools/make_venv.sh "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/.demo: $(VENV)/.venv requirements/demo.lock pyproject.toml setup.py $(WORDS)
	@echo "Installing the light set (no torch) into $(VENV) …"
	$(PIP) install -q --require-hashes -r requirements/demo.lock
	$(PIP) install -q --no-deps --editable .
	@touch $@

$(VENV)/.lab: $(VENV)/.demo requirements/lab.lock
	@echo "Installing what the skill map needs into $(VENV) …"
	$(PIP) install -q --require-hashes -r requirements/lab.lock
	@touch $@

$(VENV)/.all: $(VENV)/.demo requirements/test.lock requirements/torch.txt requirements/tokenizers.lock
	@echo "Installing torch, transformers and the test tools into $(VENV) …"
	$(PIP) install -q --require-hashes --no-deps -r requirements/test.lock
	$(PIP) install -q -r requirements/torch.txt
	$(PIP) install -q --require-hashes --no-deps -r requirements/tokenizers.lock
	@touch $@

$(VENV)/.bench: $(VENV)/.all requirements/bench.lock
	@echo "Installing the peers of the benchmarks into $(VENV) …"
	$(PIP) install -q --require-hashes --no-deps -r requirements/bench.lock
	@touch $@
