# Every target sets up what it needs: `make test` on a bare machine wants python3 >= 3.11 and Node >= 20.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
LOCK_VENV := .cache/lock-venv
PLUGIN := grafana/plugins/asterpanel-app
NPM := npm --prefix $(PLUGIN) --no-update-notifier --no-audit --no-fund
UV_VERSION := 0.13.9

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PIP_INSTALL := $(PIP) install --quiet --no-warn-script-location

# The newest interpreter that starts and is new enough; `make PYTHON=/path/to/python …` overrides it.
# The names are tried by running them: pyenv's shims exist for versions that are not selected.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { command -v "$$name"; break; }; done)

COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK_VENV)/bin/uv pip compile \
	--quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-package asterpanel $(LOCK_FLAGS)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.ready ## Two demo switchboards, the exporter on them, and what to open
	$(BIN)/python -m tests.demo

.PHONY: test
test: lint docs-check plugin-check ## Everything CI checks: linters, types, generated files, all tests
	$(BIN)/python -m pytest tests

.PHONY: unit
unit: $(VENV)/.ready ## The unit tests alone (no PBX, two or three minutes)
	$(BIN)/python -m pytest tests/unit

.PHONY: lint
lint: $(VENV)/.ready ## ruff, formatting, mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: plugin
plugin: $(PLUGIN)/dist/module.js $(VENV)/.ready ## Grafana's app plugin, built and packed: dist/asterpanel-app-VERSION.zip
	rm -rf .cache/plugin && mkdir -p .cache/plugin dist
	cp -r $(PLUGIN)/dist .cache/plugin/asterpanel-app
	cd .cache/plugin && ../../$(BIN)/python -m zipfile -c \
		../../dist/asterpanel-app-$$(node -p 'require("../../$(PLUGIN)/package.json").version').zip asterpanel-app/
	@ls -l dist/asterpanel-app-*.zip

.PHONY: plugin-check
plugin-check: $(PLUGIN)/dist/module.js ## The plugin's types, lint and unit tests, and the size of its bundle
	$(NPM) run generate:check
	$(NPM) run typecheck
	$(NPM) run lint
	$(NPM) run test:ci
	$(NPM) run size

.PHONY: bench
bench: $(VENV)/.ready ## Events a second, scrape time and memory, beside bare panoramisk
	$(BIN)/python -m tests.load.bench

.PHONY: docs
docs: $(VENV)/.ready ## Write what is generated: dashboards, rules, METRICS.md, POINTS.md, RIGHTS.md, docs/dashboards
	$(BIN)/asterpanel-grafana dashboards build --defaults
	$(BIN)/asterpanel-grafana rules build --defaults
	$(BIN)/python -m asterpanel_dashboards.reference
	$(BIN)/python -m asterpanel_exporter.metrics_reference
	$(BIN)/python -m asterpanel_exporter.points.reference
	$(BIN)/python -m asterpanel_control_api.rights_reference
	$(BIN)/python -m asterpanel_control_api.plugin_contract

.PHONY: docs-check
docs-check: $(VENV)/.ready
	$(BIN)/asterpanel-grafana dashboards build --defaults --check
	$(BIN)/asterpanel-grafana rules build --defaults --check
	$(BIN)/python -m asterpanel_dashboards.reference --check
	$(BIN)/python -m asterpanel_exporter.metrics_reference --check
	$(BIN)/python -m asterpanel_exporter.points.reference --check
	$(BIN)/python -m asterpanel_control_api.rights_reference --check
	$(BIN)/python -m asterpanel_control_api.plugin_contract --check

.PHONY: lock
lock: $(LOCK_VENV)/.ready ## Resolve the dependencies again (newer versions: make lock LOCK_FLAGS=--upgrade)
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock
	echo setuptools | $(COMPILE) - --constraint requirements-dev.lock --output-file requirements-build.lock

.PHONY: clean
clean: ## Remove the environment, caches and build output
	rm -rf $(PLUGIN)/node_modules $(PLUGIN)/dist $(PLUGIN)/.eslintcache
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find exporter control_api grafana provisioning tests -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +

$(PLUGIN)/node_modules/.ready: $(PLUGIN)/package-lock.json
	@command -v npm >/dev/null || { echo >&2 "No npm found: install Node 20 or newer (Debian: apt-get install nodejs npm)."; exit 1; }
	$(NPM) ci
	@touch $@

$(PLUGIN)/dist/module.js: $(PLUGIN)/node_modules/.ready $(PLUGIN)/package.json $(PLUGIN)/README.md \
		$(shell find $(PLUGIN)/src $(PLUGIN)/.config -type f 2>/dev/null)
	$(NPM) run build

# Made anew whenever the lock changes, so that it holds exactly what the lock says.
$(VENV)/.locked: requirements-dev.lock
	@test -n "$(PYTHON)" || { echo >&2 "No Python >= 3.11 found: install one (Debian: apt-get install python3 python3-venv)," \
		"or name it: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"; exit 1; }
	@$(call ensure-venv,$(PYTHON))
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@

$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(LOCK_VENV)/.ready: Makefile
	@test -n "$(PYTHON)" || { echo >&2 "No Python >= 3.11 found."; exit 1; }
	@$(call ensure-venv,$(PYTHON))
	rm -rf $(LOCK_VENV)
	$(PYTHON) -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# Debian ships python3 without ensurepip. As root there we install it; anywhere else we say what is missing.
define ensure-venv
	"$(1)" -c 'import ensurepip, venv' >/dev/null 2>&1 || { \
		package=$$("$(1)" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
			echo "Installing $$package"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$package" </dev/null; \
		else \
			echo >&2 "$(1) has no venv module: install it first (Debian and Ubuntu: sudo apt-get install $$package)"; \
			exit 1; \
		fi; \
	}
endef
