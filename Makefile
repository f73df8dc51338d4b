# `make lab` opens the workbook, `make test` checks it. `make` alone lists the rest.

VENV   := .venv
PYTHON := $(VENV)/bin/python
PORT   ?= 8888

# uv, where it is, installs several times as fast as pip. Bytecode is written when a module is
# first used: compiling every file of every package at installation would double its time.
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
INSTALL := $(UV) pip install --quiet --python $(PYTHON)
else
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile
endif
unexport PYTHONDONTWRITEBYTECODE

define MAKE_VENV
for python in python3 python3.13 python3.14 python3.12 python /usr/bin/python3 none; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then break; fi; \
done; \
if [ -n "$(UV)" ]; then \
	[ $$python != none ] || python=3.13; \
	$(UV) venv --quiet --seed --clear --python $$python $(VENV) || exit 1; \
elif [ $$python != none ]; then \
	$$python -m venv --clear $(VENV) || exit 1; \
else \
	echo 'The workbook needs Python 3.12 or newer, and none was found. Install Python 3.13' \
		'(python.org, or your package manager), then run make again.' >&2; \
	exit 1; \
fi
endef

.DEFAULT_GOAL := help
.PHONY: help lab shop update test lint format notebooks bench lock clean

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

lab: $(VENV)/learner  ## open the workbook in JupyterLab (PORT=8888)
	@$(PYTHON) manage.py lab --port $(PORT)

shop: $(VENV)/learner  ## get everything ready, without JupyterLab: environment, shop, chapters
	@$(PYTHON) manage.py prepare

update:  ## fetch the newest version; your cells, your progress and your shop stay
	@git pull --quiet --ff-only || { echo 'Nothing was updated, for the reason above. If it names' \
		'files that you have changed, `git stash` sets your changes aside. my_notebooks/ is yours:' \
		'git leaves it alone.' >&2; exit 1; }
	@$(MAKE) --no-print-directory shop

test: $(VENV)/developer  ## run the whole suite
	@$(PYTHON) -m pytest -n auto

lint: $(VENV)/developer  ## check style and format, notebooks included
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

format: $(VENV)/developer  ## fix what `lint` can fix
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

notebooks: $(VENV)/developer  ## execute every chapter and rewrite its outputs and the index
	@$(PYTHON) -m tests.notebooks

bench: $(VENV)/developer  ## measure the figures the workbook promises
	@$(PYTHON) -m tests.benchmarks

lock: $(VENV)/developer  ## resolve constraints.txt again, for Python 3.12+ on every system
	@: > constraints.txt  # requirements.txt includes it: yesterday's pins must not hold back today's
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.12 --no-annotate --no-header \
		--no-emit-package django-orm-workbook --output-file constraints.txt requirements-dev.txt \
		|| { git checkout -- constraints.txt; exit 1; }

clean:  ## remove the environment (the shop and your notebooks stay)
	rm -rf $(VENV)

# Stamps: what was installed, and since when. The first Python that is new enough makes the
# environment; two makes at once take turns, and the second finds everything done.
$(VENV)/learner: requirements.txt constraints.txt pyproject.toml
	@while ! mkdir .installing 2>/dev/null; do sleep 1; find .installing -mmin +10 -delete; done; \
	trap 'rmdir .installing' EXIT; trap 'exit 1' INT TERM; \
	if [ $@ -nt requirements.txt ] && [ $@ -nt constraints.txt ] && [ $@ -nt pyproject.toml ]; then \
		exit; \
	fi; \
	echo 'Installing what the workbook needs (once) ...'; \
	$(PYTHON) -c '' 2>/dev/null || { $(MAKE_VENV); } && $(INSTALL) -r requirements.txt && touch $@

$(VENV)/developer: requirements-dev.txt $(VENV)/learner
	@echo 'Installing what its tests need ...'
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
