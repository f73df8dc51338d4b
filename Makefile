# `make lab` opens the workbook, `make test` checks it. `make` alone lists the rest.

VENV   := .venv
PYTHON := $(VENV)/bin/python

# JupyterLab refuses to run as root unless told, and can open a browser only where there is one.
LAB_OPTIONS := --port=$(or $(PORT),8888) --ServerApp.root_dir=notebooks \
	--LabApp.default_url=/lab/tree/00_start_here.ipynb
ifeq ($(shell id -u),0)
LAB_OPTIONS += --allow-root
endif
ifeq ($(shell uname)$(DISPLAY)$(WAYLAND_DISPLAY),Linux)
LAB_OPTIONS += --no-browser
endif

# What is installed is what `make lock` wrote down in locks/: every package of every package, and
# the hash of each file, so that pip refuses a file that is not the one that was tested. The lists
# are complete (--no-deps). The project itself is this folder, which has no hash: it is installed
# after them, built by the hatchling in them. (`pip install -r requirements.txt` gives the same
# versions, from constraints.txt, without comparing hashes.)
# Bytecode is written when a module is first used; compiling every file of every package at
# installation would double its time.
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
INSTALL_LOCKED := $(INSTALL) --require-hashes --requirement
INSTALL_PROJECT := $(INSTALL) --no-build-isolation --editable .
unexport PYTHONDONTWRITEBYTECODE

LOCK := $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.12 --no-annotate \
	--no-header --no-emit-package django-orm-workbook
LOCK_HASHES := $(LOCK) --generate-hashes --constraints constraints.txt

.DEFAULT_GOAL := help
.PHONY: help lab shop serve test lint format notebooks bench lock clean

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

lab: shop $(VENV)/trusted  ## open the workbook in JupyterLab (PORT=8888)
	@$(PYTHON) -m jupyterlab $(LAB_OPTIONS)

shop: $(VENV)/learner  ## make the environment and fill the shop, if they are not there yet
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py seed --if-empty

# With nothing set, this is production for this machine alone: HTTP, and a key that lasts until it
# stops. With ALLOWED_HOSTS set it is the real thing, and asks for HTTPS and your SECRET_KEY.
serve: $(VENV)/production  ## serve the shop with gunicorn (PORT=8000; README: In production)
	@export DEBUG=$${DEBUG:-0}; \
	if [ -z "$$ALLOWED_HOSTS" ]; then \
		export ALLOWED_HOSTS=localhost,127.0.0.1 HTTPS=$${HTTPS:-0}; \
		random=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))'); \
		export SECRET_KEY=$${SECRET_KEY:-$$random}; \
	fi; \
	$(PYTHON) manage.py migrate --verbosity 0 && exec $(PYTHON) -m gunicorn

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

lock: $(VENV)/developer  ## resolve constraints.txt and locks/ again, for every system
	@: > constraints.txt  # requirements.txt includes it: yesterday's pins must not hold back today's
	@$(LOCK) --output-file constraints.txt requirements-dev.txt pyproject.toml --all-extras \
		|| { git checkout -- constraints.txt; exit 1; }
	@$(LOCK_HASHES) --output-file locks/learner.txt requirements.txt pyproject.toml --extra build
	@$(LOCK_HASHES) --output-file locks/developer.txt requirements-dev.txt pyproject.toml \
		--extra build
	@$(LOCK_HASHES) --output-file locks/production.txt pyproject.toml --extra build \
		--extra production --extra postgres
	@$(LOCK_HASHES) --output-file locks/mariadb.txt pyproject.toml --extra mariadb

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
$(VENV)/learner: locks/learner.txt pyproject.toml | $(PYTHON)
	@echo 'Installing what the workbook needs (about a minute, once) ...'
	@$(INSTALL_LOCKED) $<
	@$(INSTALL_PROJECT)
	@# JupyterLab asks every newcomer whether it may fetch news: not here.
	@$(PYTHON) -m jupyter labextension disable --level=sys_prefix \
		@jupyterlab/apputils-extension:announcements >/dev/null 2>&1
	@touch $@

$(VENV)/production: locks/production.txt pyproject.toml | $(PYTHON)
	@echo 'Installing what a server needs ...'
	@$(INSTALL_LOCKED) $<
	@$(INSTALL_PROJECT)
	@touch $@

# MariaDB's driver is compiled: it needs a C compiler, pkg-config and the client's headers.
$(VENV)/mariadb: locks/mariadb.txt | $(PYTHON)
	@$(INSTALL_LOCKED) $<
	@touch $@

# JupyterLab shows styles only in outputs it trusts: the chapters' own are worth it.
$(VENV)/trusted: $(wildcard notebooks/*.ipynb) | $(VENV)/learner
	@$(PYTHON) -m jupyter trust $^ >/dev/null
	@touch $@

$(VENV)/developer: locks/developer.txt $(VENV)/learner
	@echo 'Installing what its tests need ...'
	@$(INSTALL_LOCKED) $<
	@touch $@
