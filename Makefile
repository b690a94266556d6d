# What a developer can do here; `make help` lists it. Needs Python 3.10 or newer; the JavaScript
# targets need Node 20 or newer, the browser tests Chromium.

PYTHON ?= python3
VENV ?= .venv
LAB_ARGS ?=
ACCURACY_ARGS ?=
AGAINST_ARGS ?=
SHOTS_ARGS ?=
PYTEST_ARGS ?=
WHEEL_ARGS ?=
NAMES ?=
# What a wheel with compiled kernels is made for; hatch_build.py knows them.
PLATFORMS ?= manylinux_2_17_x86_64 manylinux_2_17_aarch64 macosx_11_0_arm64 win_amd64
DOCS ?= build/docs
SITE ?= build/site
PLAYGROUND ?= build/playground
# Most tests wait for a browser or run in one thread: two files at a time take little more than half.
PYTEST_WORKERS ?= 2
# What has no window takes a quarter less of the processor, where it is installed.
CHROMIUM ?= $(shell command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome)

bin := $(VENV)/bin
static := kan_widgets/widgets/static
first := 01_quickstart.ipynb
root_user := $(filter 0,$(shell id -u))
package := $(shell find kan_widgets -name '*.py' -o -name '*.js' -o -name '*.cpp')
article := build/see_a_kan_learn/facts.json
live_tutorials := $(patsubst notebooks/%,build/tutorials/%,$(wildcard notebooks/*.ipynb))
node_modules := js/node_modules/.package-lock.json
pytest = OMP_NUM_THREADS=1 $(bin)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder
export CHROMIUM
# Hundreds of processes start in the tests: what they import is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lab test test-python test-fast test-oldest test-newest lint format check-js check-bundles chromium bundles kernels playground notebooks claims shots docs site bench bench-accuracy bench-against wheels test-wheel test-cluster clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(VENV)/.lab ## open JupyterLab on the first notebook (LAB_ARGS=... are passed on)
	$(bin)/python -m jupyterlab $(if $(root_user),--allow-root) notebooks/$(first) --LabApp.default_url=/lab/tree/$(first) $(LAB_ARGS)

# What checks Python and what checks JavaScript use a core each, installing included; bundles are
# built where the tests of either look, so after them. Files go out in the order of their folders:
# so a worker starts one JupyterLab, for all browser tests.
test: chromium ## run every check and test: Python, JavaScript, browser
	+$(MAKE) --jobs=2 lint check-js
	+$(MAKE) check-bundles
	$(pytest) $(PYTEST_ARGS)

without_pages = --ignore tests/browser --ignore-glob "tests/notebooks/test_[0-9]*" --ignore tests/docs

test-python: $(VENV)/.dev ## the Python tests without browser, executed notebooks and built pages
	$(pytest) -m "not browser" $(without_pages) $(PYTEST_ARGS)

test-fast: $(VENV)/.dev ## test-python without what takes seconds
	$(pytest) -m "not browser and not slow" $(without_pages) $(PYTEST_ARGS)

test-cluster: $(VENV)/.dev chromium ## four processes, Ray, stores like S3 and GCS, 50 kills, a proxy; some minutes
	$(bin)/python -m pip install --quiet --group cluster
	$(bin)/python -m pytest tests/cluster $(PYTEST_ARGS)

test-oldest: ## test-python with the oldest versions that pyproject.toml takes, in an environment of their own
	$(MAKE) VENV=build/oldest PIP_CONSTRAINT=$(CURDIR)/build/oldest.txt build/oldest.txt test-python

test-newest: ## test-python with the newest versions that there are, in an environment of their own
	rm -rf build/newest
	$(MAKE) VENV=build/newest test-python

# A variable of the command line is exported: pip takes it, and so does the environment it builds in.
build/oldest.txt: pyproject.toml
	@mkdir -p build
	$(PYTHON) tests/oldest.py > $@

lint: $(VENV)/.dev ## ruff and mypy
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

format: $(VENV)/.dev $(node_modules) ## let ruff and biome format the sources
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	npm --prefix js run format

check-js: $(node_modules) ## tsc, biome and the JavaScript tests
	npm --prefix js run check
	npm --prefix js test

bundles: $(node_modules) ## build the browser bundles from js/ into the package
	rm -f $(static)/*
	npm --prefix js run build

kernels: $(VENV)/.dev $(node_modules) ## compile the kernels for web pages, by Zig, and translate them to JavaScript
	$(bin)/python kan_widgets/nn/compiled/compile_options.py

playground: $(VENV)/.dev ## write the page in which a network trains into $(PLAYGROUND)
	mkdir -p $(PLAYGROUND)
	$(bin)/python -c 'import kan_widgets as kw; kw.playground(path="$(PLAYGROUND)/index.html")'

# Builds where the bundles are, compares with a copy, and puts the copy back: the check goes on
# failing until fresh bundles are made on purpose.
check-bundles: $(node_modules) ## fail if the bundles in the package are not those js/ builds
	@before=$$(mktemp -d); \
	trap 'rm -f $(static)/*; cp -Rp "$$before"/. $(static); rm -rf "$$before"' EXIT; \
	trap 'exit 1' INT TERM; \
	cp -Rp $(static)/. "$$before" && rm -f $(static)/* && npm --prefix js run build || exit 1; \
	diff -rq "$$before" $(static) || { \
		echo "$(static) does not hold what js/ builds: run 'make bundles' and commit the result." >&2; \
		exit 1; \
	}

notebooks: $(VENV)/.dev chromium ## execute the tutorials and save them with outputs (NAMES=... for some)
	$(bin)/python -m tests.notebooks.save $(NAMES)

claims: $(VENV)/.dev ## check what the pages claim on recorded networks and other seeds; prints the tables of tests/claims.md
	$(bin)/python -m tests.notebooks.claims

shots: $(VENV)/.dev chromium ## photograph every view in JupyterLab, at three widths in both themes, into build/shots
	$(bin)/python -m tests.browser.shots $(SHOTS_ARGS)

# All pages each time: a page that is not written again keeps its warnings to itself.
sphinx = $(bin)/python -m sphinx --fail-on-warning --fresh-env --write-all --quiet

docs: $(VENV)/.dev $(article) ## build the pages into build/docs: reference, gallery, tutorials as they are saved; a warning fails it
	$(sphinx) docs $(DOCS)
	@echo "$(DOCS)/index.html"

site: $(VENV)/.dev $(article) $(live_tutorials) ## build them into build/site with live tutorials: executes them, about 15 minutes the first time
	$(sphinx) -D live_tutorials=build/tutorials docs $(SITE)
	@echo "$(SITE)/index.html"

# A minute's training, for the page "See a KAN learn".
$(article): docs/see_a_kan_learn.py $(package) | $(VENV)/.dev
	$(bin)/python docs/see_a_kan_learn.py $(@D)

build/tutorials/%.ipynb: notebooks/%.ipynb $(package) | $(VENV)/.dev
	$(bin)/python -m tests.notebooks.site $(<F) $@

bench: $(VENV)/.dev ## print the figures of docs/figures.md
	@set -e; for file in $(filter-out %/bench_accuracy.py %/bench_against.py,$(wildcard tests/benchmarks/*.py)); do \
		echo "== $$file"; $(bin)/python -m tests.benchmarks.$$(basename $$file .py); \
	done

bench-accuracy: $(VENV)/.dev ## train on the full MNIST, about an hour (ACCURACY_ARGS=--help says more)
	$(bin)/python -m tests.benchmarks.bench_accuracy $(ACCURACY_ARGS)

bench-against: $(VENV)/.dev ## this checkout beside COMMIT=..., in turns (AGAINST_ARGS="--rows conv-1" for some; --help says more)
	$(bin)/python -m tests.benchmarks.bench_against $(COMMIT) $(AGAINST_ARGS)

wheels: $(VENV)/.made ## build the wheels of all platforms and the sdist into dist, on any machine
	rm -rf dist
	$(bin)/python -m pip install --quiet "build>=1.2,<2"
	$(bin)/python -m build --sdist
	@set -e; for platform in $(PLATFORMS); do \
		KAN_WIDGETS_WHEEL=$$platform $(bin)/python -m build --wheel; \
	done

test-wheel: ## test the wheel of dist where it is installed alone, without a compiler (WHEEL_ARGS=--suite runs test-python there)
	$(PYTHON) -m tests.installed_wheel dist $(WHEEL_ARGS)

clean: ## remove the virtual environment, node_modules, caches and build products
	rm -rf $(VENV) js/node_modules build dist docs/notebooks .mypy_cache .pytest_cache .ruff_cache
	find kan_widgets tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

# Unbuffered: into a pipe or a log, too, pip's lines come as they are written, not minutes later.
# The stamps are older than pyproject.toml when its dependencies may have changed.
install = PYTHONUNBUFFERED=1 $(bin)/python -m pip install

$(VENV)/.lab: pyproject.toml $(VENV)/.made
	$(install) --editable ".[lab]"
	$(bin)/python -c "from kan_widgets.nn.compiled import native; native.library(3)"
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.made
	$(install) --editable . --group dev
	@touch $@

# Older versions of pip know no groups, and say nothing during the minute in which files are copied.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "$(PYTHON) was not found: install Python 3.10 or newer, or name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "$$($(PYTHON) --version) is too old: name Python 3.10 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) lacks the venv module: on Debian and Ubuntu, run apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV), once: some minutes; on Linux PyTorch brings CUDA, about 3 GB to fetch, elsewhere far less."
	$(PYTHON) -m venv $(VENV)
	$(install) "pip>=25.1"
	@touch $@

$(node_modules): js/package.json js/package-lock.json
	@command -v npm >/dev/null || \
		{ echo "npm was not found: the JavaScript checks need Node 20 or newer with npm (nodejs.org, or your system's packages)." >&2; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || \
		{ echo "Node $$(node --version) is too old: the JavaScript checks need Node 20 or newer." >&2; exit 1; }
	npm --prefix js ci --no-audit --no-fund
	@touch $@

chromium:
	@if [ "$(origin CHROMIUM)" = file ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		! command -v chromium-headless-shell >/dev/null; then \
		timeout 120 apt-get update && { apt-get install --yes chromium-headless-shell || apt-get install --yes chromium; }; \
		CHROMIUM=$$(command -v chromium-headless-shell || command -v chromium) || true; \
	fi; \
	if ! { [ -n "$$CHROMIUM" ] && "$$CHROMIUM" --version; }; then \
		echo "No Chromium that runs was found for the browser tests: install chromium or google-chrome, or name one: make CHROMIUM=/path/to/chromium test" >&2; \
		exit 1; \
	fi
