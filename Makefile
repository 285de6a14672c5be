# Every target sets up what it needs: `make book` and `make test` work on a fresh clone.

PYTHON ?= python3
# Passed to pip when the environment is made, for example PIP_ARGS="--index-url …" for a mirror.
PIP_ARGS ?=
# Anything but 0: a test that cannot be run here is a failure.
STRICT ?=
export STRICT
BIN := .venv/bin
READY := .venv/.ready
DEMO := _build/grade-demo
# Where the peers live that the benchmarks compare with, and the benchmarks that write a table.
PEERS := _build/peers
BENCHMARKS = $(basename $(notdir $(shell grep -l __main__ benchmarks/*.py)))

# Said before pip starts, where its default build of torch would bring the libraries of a GPU that is not there.
CPU_BUILDS := https://download.pytorch.org/whl/cpu
SMALL_TORCH = if [ "$$(uname)" = Linux ] && [ -z '$(PIP_ARGS)' ] && ! command -v nvidia-smi > /dev/null; then \
	echo 'No GPU here. For the small CPU build of torch instead of several gigabytes, press Ctrl-C and run: make $(or $(MAKECMDGOALS),book) PIP_ARGS="--extra-index-url $(CPU_BUILDS)"'; fi

# On two threads these small tensors are many times slower, and the last digits differ.
export OMP_NUM_THREADS := 1
# The debugger's warning about frozen modules would fail a cell.
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: help book test check system notebooks student grade-demo serve pdf bench doctor clean

help: ## Show this list
	@echo "Stable Nets. Every target installs what it needs into .venv first."
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

book: $(READY) ## Build the book in _build/html, executing only what changed
	$(BIN)/python -m stablenets.book.build
	@echo "Open _build/html/index.html, or run: make serve"

test: $(READY) ## Run every test: code, docstrings, notebooks, and the built book (STRICT=1: nothing may be skipped)
	@$(BIN)/python tests/not_run.py forget
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --nbval -n 2 --dist loadfile --ignore=tests/site
	@$(MAKE) --no-print-directory book
	$(BIN)/python -m pytest tests/site -n 2 --dist loadgroup
	@$(BIN)/python tests/not_run.py

check: $(READY) ## The two minutes before a commit: lint, format, normal form of notebooks, and the fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --ignore=tests/site --ignore=chapters --ignore=solutions

system: ## Install bubblewrap and Chromium, which no Python package brings (Debian, Ubuntu; else say what to do)
	@PYTHONPATH=src $(PYTHON) -m stablenets.book.system

notebooks: $(READY) ## Execute all notebooks and write them back as they are committed (NOTEBOOK=path for one)
	$(BIN)/python -m stablenets.book.notebooks refresh $(NOTEBOOK)

student: $(READY) ## Write the student notebooks, without solutions, to _build/student
	$(BIN)/stablenets student

grade-demo: $(READY) ## Grade an invented class of some thirty submissions, hostile ones among them, and report
	rm -rf $(DEMO)
	$(BIN)/python examples/classroom.py $(DEMO)/handed-in
	$(BIN)/stablenets grade $(DEMO)/handed-in --out $(DEMO)/results --minutes 0.3
	$(BIN)/stablenets report $(DEMO)/results > /dev/null
	@echo "Now the instructor marks the open questions in manual.csv:"
	$(BIN)/python examples/classroom.py --mark $(DEMO)/results/manual.csv
	$(BIN)/stablenets report $(DEMO)/results

pdf: book ## Build the book as one page to print, and as a PDF where Chromium is installed
	$(BIN)/python -m stablenets.book.build pdf

serve: book ## Build the book and show it at http://localhost:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

bench: $(PEERS)/.ready ## Measure side by side with the peers, into benchmarks/results (NAME=lars_speed for one)
	for name in $(or $(NAME),$(BENCHMARKS)); do \
		$(PEERS)/bin/python benchmarks/$$name.py > $(PEERS)/$$name.md || exit 1; \
		mv $(PEERS)/$$name.md benchmarks/results/$$name.md; cat benchmarks/results/$$name.md; done

# Whatever Python there is: a broken environment can be told as well.
doctor: ## Say what this machine lacks, and what to do about it
	@if [ -x $(BIN)/python ]; then python=$(BIN)/python; else python="$(PYTHON)"; fi; PYTHONPATH=src $$python -m stablenets.book.doctor

clean: ## Delete everything that was built, the environment included
	rm -rf _build .venv

# An installation that was interrupted is begun anew, for what it left may look whole to pip.
$(READY): requirements.txt pyproject.toml
	@$(SMALL_TORCH)
	@if [ -e $@ ]; then rm $@; else rm -rf .venv; fi
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -r requirements.txt
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --no-deps --no-build-isolation --editable .
	@touch $@

$(PEERS)/.ready: requirements.txt pyproject.toml benchmarks/requirements.txt
	@$(SMALL_TORCH)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet $(PIP_ARGS) -r requirements.txt
	$(PEERS)/bin/python -m pip install --quiet $(PIP_ARGS) --no-deps --no-build-isolation --editable .
	$(PEERS)/bin/python -m pip install --quiet $(PIP_ARGS) --no-deps -r benchmarks/requirements.txt
	@touch $@
