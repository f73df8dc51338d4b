# `make lab` opens the workbook, `make test` checks it. `make` alone lists the rest.

VENV   := .venv
PYTHON := $(VENV)/bin/python

# uv, where it is, installs several times as fast as pip.
#
# What is installed is what `make lock` wrote down in locks/: every package of every package, and
# the hash of each file, so that a file that is not the one that was tested is refused. The lists
# are complete (--no-deps). The project itself is this folder, which has no hash: it is installed
# after them, built by the hatchling in them. (`pip install -r requirements.txt` gives the same
# versions, from constraints.txt, without comparing hashes.)
# Bytecode is written when a module is first used: compiling every file of every package at
# installation would double its time.
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
INSTALL := $(UV) pip install --quiet --python $(PYTHON) --no-deps
else
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
endif
INSTALL_LOCKED := $(INSTALL) --require-hashes --requirement
INSTALL_PROJECT := $(INSTALL) --no-build-isolation --editable .
unexport PYTHONDONTWRITEBYTECODE

LOCK := $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.12 --no-annotate \
	--no-header --no-emit-package django-orm-workbook
LOCK_HASHES := $(LOCK) --generate-hashes --constraints constraints.txt

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
.PHONY: help lab shop update serve site site-test test lint format notebooks bench \
	django-suite lock clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

lab: $(VENV)/learner  ## open the workbook in JupyterLab (PORT=8888)
	@$(PYTHON) manage.py lab --port $(or $(PORT),8888)

shop: $(VENV)/learner  ## get everything ready, without JupyterLab: environment, shop, chapters
	@$(PYTHON) manage.py prepare

update:  ## fetch the newest version; your cells, your progress and your shop stay
	@git pull --quiet --ff-only || { echo 'Nothing was updated, for the reason above. If it names' \
		'files that you have changed, `git stash` sets your changes aside. my_notebooks/ is yours:' \
		'git leaves it alone.' >&2; exit 1; }
	@$(MAKE) --no-print-directory shop

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

# SITE_URL and REPOSITORY_URL: see website/__main__.py.
site: $(VENV)/website  ## build the website of the chapters into site/
	@$(PYTHON) -m website

site-test: $(VENV)/website $(VENV)/developer  ## build the website, follow its links, look for requests
	@$(PYTHON) -m pytest tests/website

test: $(VENV)/developer  ## run the whole suite
	@$(PYTHON) -m pytest -n auto

lint: $(VENV)/developer  ## check style and format, notebooks included, and the workflows
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(VENV)/bin/zizmor --offline --quiet .github

format: $(VENV)/developer  ## fix what `lint` can fix
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

notebooks: $(VENV)/developer  ## execute every chapter and rewrite its outputs and the index
	@$(PYTHON) -m tests.notebooks

bench: $(VENV)/developer  ## measure the figures the workbook promises
	@$(PYTHON) -m tests.benchmarks

django-suite: $(VENV)/developer  ## run Django's own tests under the recorder (LABELS="queries")
	@$(PYTHON) -m tests.benchmarks.django_suite $(LABELS)

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
	@$(LOCK_HASHES) --output-file locks/website.txt pyproject.toml --extra website

clean:  ## remove the environment (the shop and your notebooks stay)
	rm -rf $(VENV)

# Stamps: what was installed, and since when. The first Python that is new enough makes the
# environment; two makes at once take turns, and the second finds everything done.
$(VENV)/learner: locks/learner.txt pyproject.toml
	@while ! mkdir .installing 2>/dev/null; do \
		[ -w . ] || { echo 'Nothing can be written to this folder.' >&2; exit 1; }; \
		sleep 1; find .installing -mmin +10 -delete 2>/dev/null; \
	done; \
	trap 'rmdir .installing' EXIT; trap 'exit 1' INT TERM; \
	if [ $@ -nt locks/learner.txt ] && [ $@ -nt pyproject.toml ]; then \
		exit; \
	fi; \
	echo 'Installing what the workbook needs (once) ...'; \
	$(PYTHON) -c '' 2>/dev/null || { $(MAKE_VENV); } && \
	$(INSTALL_LOCKED) $< && $(INSTALL_PROJECT) && touch $@

$(VENV)/production: locks/production.txt pyproject.toml
	@echo 'Installing what a server needs ...'; \
	$(PYTHON) -c '' 2>/dev/null || { $(MAKE_VENV); } && \
	$(INSTALL_LOCKED) $< && $(INSTALL_PROJECT) && touch $@

# MariaDB's driver is compiled: it needs a C compiler, pkg-config and the client's headers.
$(VENV)/mariadb: locks/mariadb.txt $(VENV)/learner
	@$(INSTALL_LOCKED) $<
	@touch $@

# The website reads the chapters and runs none of them: it needs nothing of what they need.
$(VENV)/website: locks/website.txt
	@echo 'Installing what the website needs ...'; \
	$(PYTHON) -c '' 2>/dev/null || { $(MAKE_VENV); } && \
	$(INSTALL_LOCKED) $< && touch $@

$(VENV)/developer: locks/developer.txt $(VENV)/learner
	@echo 'Installing what its tests need ...'
	@$(INSTALL_LOCKED) $<
	@touch $@
