# `make lab` opens the workbook, `make test` checks it. `make` alone lists the rest.

VENV   := .venv
PYTHON := $(VENV)/bin/python
PORT   ?= 8888

# JupyterLab refuses to run as root unless told, and can open a browser only where there is one.
LAB_OPTIONS := --port=$(PORT) --ServerApp.root_dir=notebooks \
	--LabApp.default_url=/lab/tree/00_start_here.ipynb
ifeq ($(shell id -u),0)
LAB_OPTIONS += --allow-root
endif
ifeq ($(shell uname)$(DISPLAY)$(WAYLAND_DISPLAY),Linux)
LAB_OPTIONS += --no-browser
endif

# Bytecode is written when a module is first used; compiling every file of every package at
# installation would double its time.
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help lab shop test lint format notebooks bench lock clean

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

lab: shop $(VENV)/trusted  ## open the workbook in JupyterLab (PORT=8888)
	@$(PYTHON) -m jupyterlab $(LAB_OPTIONS)

shop: $(VENV)/learner  ## make the environment and fill the shop, if they are not there yet
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py seed --if-empty

test: $(VENV)/developer  ## run the whole suite
	@$(PYTHON) -m pytest -n auto

lint: $(VENV)/developer  ## check style and format, notebooks included
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

format: $(VENV)/developer  ## mend what `lint` can mend
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

notebooks: $(VENV)/developer  ## execute every chapter and rewrite its outputs and the index
	@$(PYTHON) -m tests.notebooks

bench: $(VENV)/developer  ## measure the figures the workbook promises
	@$(PYTHON) -m tests.benchmarks

lock: $(VENV)/developer  ## resolve constraints.txt anew, for Python 3.12+ on every system
	@: > constraints.txt  # requirements.txt includes it: yesterday's pins must not hold back today's
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.12 --no-annotate --no-header \
		--no-emit-package django-orm-workbook --output-file constraints.txt requirements-dev.txt \
		|| { git checkout -- constraints.txt; exit 1; }

clean:  ## remove the environment (the shop and your progress stay)
	rm -rf $(VENV)

# The first Python that is new enough makes the environment.
$(PYTHON):
	@for python in python3 python3.13 python3.14 python3.12 python /usr/bin/python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
			exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo 'The workbook needs Python 3.12 or newer, and none was found. Install Python 3.13' \
		'(python.org, or your package manager), then run make again.' >&2; \
	exit 1

# Stamps: what was installed or done, and since when.
$(VENV)/learner: requirements.txt constraints.txt pyproject.toml | $(PYTHON)
	@echo 'Installing what the workbook needs (about a minute, once) ...'
	@$(PIP_INSTALL) -r requirements.txt
	@# JupyterLab asks every newcomer whether it may fetch news: not here.
	@$(PYTHON) -m jupyter labextension disable --level=sys_prefix \
		@jupyterlab/apputils-extension:announcements >/dev/null 2>&1
	@touch $@

# JupyterLab shows styles only in outputs it trusts: the chapters' own are worth it.
$(VENV)/trusted: $(wildcard notebooks/*.ipynb) | $(VENV)/learner
	@$(PYTHON) -m jupyter trust $^ >/dev/null
	@touch $@

$(VENV)/developer: requirements-dev.txt $(VENV)/learner
	@echo 'Installing what its tests need ...'
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
