# Set up, open, test. Windows without make: CONTRIBUTING.md gives the plain commands.

VENV := .venv
BIN := $(VENV)/bin

# Once .venv stands it decides the version; PYTHON=python3.12 on the command line changes it.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(firstword $(wildcard $(BIN)/python) python3)
endif
ASK_VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
VERSION := $(shell $(PYTHON) $(ASK_VERSION) 2>/dev/null)
READY := $(VENV)/.ready-$(VERSION)
BENCH_READY := $(VENV)/.ready-bench-$(VERSION)

# Every package in the lock has a wheel where PainLab runs: without one, say so at once rather than compile for an hour.
HASHED := --require-hashes --only-binary :all:
SETTINGS := $(VENV)/share/jupyter/lab/settings
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
export UV_HTTP_TIMEOUT ?= 180

.PHONY: help setup lab test bench bench-ui lint docs gallery instructor calibrate lock clean

help:
	@echo "make setup   build .venv from requirements.lock (lab and test do so themselves)"
	@echo "make lab     open JupyterLab on notebooks/00_welcome.ipynb"
	@echo "make test    run every test; ARGS='tests/test_house.py -x' goes to pytest"
	@echo "make bench   measure the engine beside NumPy, Starsim, Mesa, SimPy and C (a quarter of an hour); ARGS=--quick for a trial"
	@echo "make bench-ui   measure the explorer in a real browser (a quarter of an hour; needs Chromium); ARGS=--quick for a trial"
	@echo "make docs    write the generated pages: docs/validation.md with its plots, docs/mechanisms/"
	@echo "make gallery   make docs/gallery.md and its pictures anew (some minutes; needs Chromium)"
	@echo "make instructor   write notebooks with notes and answers for teachers into out/instructor"
	@echo "make calibrate   find the parameter sets that the trials allow (up to half an hour), then make docs"
	@echo "make lint    tidy with ruff, then check with ruff and mypy"
	@echo "make lock    write requirements.lock from pyproject.toml; OPTIONS=--upgrade for newer versions"
	@echo "make clean   remove .venv, caches and builds"
	@echo "PYTHON=python3.12 chooses another Python (3.11 to 3.13)."

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'PainLab needs Python 3.11 to 3.13, and "$(PYTHON)" is not one: try make setup PYTHON=python3.12'; exit 1; }
	@rm -f $(VENV)/.ready-*
	@test "`$(BIN)/python $(ASK_VERSION) 2>/dev/null`" = "$(VERSION)" || $(PYTHON) -m venv --clear $(VENV) \
		|| $(PYTHON) -m venv --clear --without-pip $(VENV)
	@# pip brings uv, as locked; uv brings the rest (ten seconds instead of eighty). Where uv cannot, pip does it all.
	@set -e; python=$(BIN)/python; uv="$$python -m uv"; pip="$$python -m pip"; \
	$$uv --version >/dev/null 2>&1 || $$pip --version >/dev/null 2>&1 || $$python -m ensurepip >/dev/null 2>&1 \
		|| pip="$(PYTHON) -m pip --python $$python"; \
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock; \
	$$uv --version >/dev/null 2>&1 || $$pip install --quiet $(HASHED) -r $(VENV)/uv.lock || true; \
	if $$uv pip sync --python $$python $(HASHED) requirements.lock && \
		$$uv pip install --quiet --python $$python --no-deps --no-build-isolation -e .; then :; \
	else \
		echo "uv could not install the packages; pip does, in a minute or two."; \
		$$pip install --quiet $(HASHED) -r requirements.lock; \
		$$pip install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@# JupyterLab asks at first whether to fetch news; the answer here is no.
	@mkdir -p $(SETTINGS)
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' > $(SETTINGS)/overrides.json
	@touch $@

# Other simulators, for make test and make bench only; added to what requirements.lock holds, at the same versions.
$(BENCH_READY): $(READY) benchmarks/requirements.lock
	@set -e; python=$(BIN)/python; \
	$$python -m uv pip install --quiet --python $$python $(HASHED) -r benchmarks/requirements.lock \
		|| $$python -m pip install --quiet $(HASHED) -r benchmarks/requirements.lock
	@touch $@

lab: setup
	$(BIN)/python -m jupyterlab $(ROOT) --LabApp.default_url=/lab/tree/notebooks/00_welcome.ipynb --LabApp.news_url=None \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly

# Two workers: browser tests start kernels of their own. A file stays on one worker, so its server starts once.
test: $(BENCH_READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

bench: $(BENCH_READY)
	$(BIN)/python -m benchmarks.engine $(ARGS)

bench-ui: setup
	$(BIN)/python -m benchmarks.ui $(ARGS)

lint: setup
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format
	$(BIN)/python -m mypy

docs: setup
	$(BIN)/painlab docs docs

gallery: setup
	$(BIN)/python -m painlab.talk.gallery docs

instructor: setup
	$(BIN)/painlab lessons --instructor --force -o out/instructor

calibrate: setup
	$(BIN)/painlab calibrate
	$(BIN)/painlab docs docs

COMPILE := -m uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(OPTIONS)
ASK_BENCH := -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"], sep="\n")'

lock: setup
	$(BIN)/python $(COMPILE) --extra dev -o requirements.lock pyproject.toml
	$(BIN)/python $(ASK_BENCH) | $(BIN)/python $(COMPILE) --constraint requirements.lock -o benchmarks/requirements.lock -

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
