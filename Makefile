# What one does with Resthouse, from a fresh clone on.
PYTHON := .venv/bin/python
# The system's pip fills the environment: Debian keeps ensurepip in a package of its own.
# The locks are whole, and a pip that resolves anew asks for the newest release of an extra.
INSTALL := python3 -m pip --python $(PYTHON) --disable-pip-version-check install -q --no-deps --require-hashes -r
# Settings are judged as in a deployment behind a proxy that speaks https.
DEPLOYED := RESTHOUSE_URL=https://resthouse.example RESTHOUSE_DATA=.rig/check
TEMPLATES = $(shell find templates -name '*.html')

.PHONY: help run test check format bench demo image

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

run: .venv/.run ## Start the house on 127.0.0.1:8080 (ENGINE=none: without a container engine)
	@scripts/engine || true
	@exec $(PYTHON) manage.py run $(ARGS)

test: .venv/.test ## Run the tests on real parts (ARGS='...' goes to pytest)
	@$(PYTHON) -m tests.rig $(ARGS)

check: .venv/.test ## Check style, types, templates, imports, migrations and settings
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/djangofmt --check --quiet --line-length 100 --indent-width 2 templates
	.venv/bin/djade --check --target-version 5.2 $(TEMPLATES)
	.venv/bin/lint-imports
	$(DEPLOYED) $(PYTHON) manage.py makemigrations --check --dry-run
	$(DEPLOYED) $(PYTHON) manage.py check --deploy --fail-level WARNING

format: .venv/.test ## Format Python and templates
	.venv/bin/ruff check --fix
	.venv/bin/ruff format
	.venv/bin/djangofmt --quiet --line-length 100 --indent-width 2 templates
	.venv/bin/djade --target-version 5.2 $(TEMPLATES)

bench: .venv/.test ## Measure speed and weight
	@$(PYTHON) -m tests.bench $(ARGS)

demo: .venv/.run ## Show a made-up fleet, in a data folder of its own
	@RESTHOUSE_DATA=$${RESTHOUSE_DATA:-var-demo} exec $(PYTHON) manage.py demo $(ARGS)

image: ## Build the rest-server image from Debian's package
	@scripts/engine
	@scripts/base-image debian:trixie-slim trixie
	docker build --network=host --tag resthouse/rest-server:local images/rest-server

$(PYTHON):
	python3 -m venv --without-pip .venv

.venv/.run: requirements.lock | $(PYTHON)
	$(INSTALL) $<
	@touch $@

# The larger lock holds the smaller one.
.venv/.test: requirements-dev.lock | $(PYTHON)
	$(INSTALL) $<
	@touch .venv/.run $@
