# Everything a person needs: `make demo` and `make test` build their own virtual environment.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Small networks run up to 40 times slower on shared cores when OpenMP threads spin.
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0
# Set EXTRA_PIP=--index-url=... where pip must be told where packages come from.
# Byte code is written where a module is first imported: most of 20,000 files never are.
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-compile $(EXTRA_PIP) -c constraints.txt

.PHONY: help demo reader test check docs docs-pages bench fuzz train-shipped train-detector localizer transfer verdict verdict-refit explanations explanations-controls picture clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# demo needs only the core; test needs the developer's set. Each has its own stamp.
$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

$(VENV)/.app: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[app,dicom]"
	@touch $@ $(VENV)/.core

$(VENV)/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[dev]"
	@touch $@ $(VENV)/.app $(VENV)/.core

demo: $(VENV)/.core ## grade two real CTs, one of them also bare, and a phantom, and say where the reports are
	$(BIN)/spinexplain demo -o demo-output --force

reader: $(VENV)/.app ## look at, correct and sign the example scans in the browser
	$(BIN)/spinexplain serve reader-data --examples

# Two workers with one thread each; a file's tests stay together, as they share what is costly.
# UTF-8 mode: a library that changes the locale of a worker does not change what later tests read.
test: $(VENV)/.dev check ## lint, types, tests and doctests
	OMP_NUM_THREADS=1 PYTHONUTF8=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

check: $(VENV)/.dev ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs-pages: $(VENV)/.dev ## write the pages of the documentation from docs/results
	cd docs && ../$(BIN)/python -m writers

docs: $(VENV)/.dev ## build the documentation into site/
	$(BIN)/mkdocs build --strict

bench: $(VENV)/.dev ## run the benchmarks and rewrite docs/benchmarks.md from their results
	$(BIN)/python benchmarks/run.py

fuzz: $(VENV)/.dev ## feed a thousand broken inputs to every reader
	$(BIN)/python -m pytest -q tests/test_bad_input.py --fuzz

train-shipped: $(VENV)/.dev ## retrain the shipped model whose prototypes know their part
	$(BIN)/python scripts/train_shipped.py

verdict: $(VENV)/.dev ## fit the verdict to phantom spines again, and rewrite docs/verdict.md
	$(BIN)/spinexplain reproduce verdict --fresh -o docs --work build/reproduce --jobs 2
	$(BIN)/spinexplain reproduce verdict-detector --fresh -o docs --work build/reproduce --jobs 2
	$(BIN)/python -m spinexplain.findings.weighing docs/results/verdict.json docs/results/verdict-detector.json

verdict-refit: $(VENV)/.dev ## the same from the stored table of witnesses, without drawing
	$(BIN)/python -m spinexplain.reproduce.verdict_fit docs/results
	$(BIN)/python -m spinexplain.findings.weighing docs/results/verdict.json docs/results/verdict-detector.json
	$(BIN)/spinexplain reproduce verdict -o docs

transfer: $(VENV)/.dev ## measure the shipped model on other phantoms and real CT, and rewrite docs/transfer.md
	$(BIN)/spinexplain reproduce transfer --fresh -o docs --work build/reproduce --jobs 2

localizer: $(VENV)/.dev ## retrain the networks that find, name and paint vertebrae
	$(BIN)/python scripts/train_localizer.py

train-detector: $(VENV)/.dev ## retrain the 3-D detector that is shipped with the package
	$(BIN)/python scripts/train_detector.py

explanations: $(VENV)/.dev ## score the shipped models' heat maps again, for reports and docs/explanations.md
	$(BIN)/spinexplain score-explanations protoverse-phantom placement --store -o build/explanations/sheets --jobs 2
	$(BIN)/spinexplain score-explanations protoverse-phantom-3 placement --store -o build/explanations/parts --jobs 2
	$(BIN)/spinexplain score-explanations protoverse-phantom-4 placement --store -o build/explanations/default --jobs 2
	$(BIN)/spinexplain score-explanations detector-phantom placement --store -o build/explanations/boxes --jobs 2
	$(BIN)/python scripts/dissect_shipped.py build/explanations --jobs 2
	$(BIN)/spinexplain score-explanations protoverse-phantom-4 placement --explainers dissection --dissection build/explanations/units-sheets -o build/explanations/units --jobs 2
	cp build/explanations/units/leaderboard.json docs/results/explanations-units.json
	cp build/explanations/sheets/leaderboard.json docs/results/explanations.json
	cp build/explanations/parts/leaderboard.json docs/results/explanations-3.json
	cp build/explanations/default/leaderboard.json docs/results/explanations-4.json
	cp build/explanations/boxes/leaderboard.json docs/results/explanations-boxes.json
	cd docs && ../$(BIN)/python -m writers explanations

explanations-controls: $(VENV)/.dev ## train what the default's maps are compared with, and score it
	$(BIN)/python scripts/train_shipped.py --controls plain-classifier protopnet supervised-classifier
	$(BIN)/spinexplain score-explanations build/reproduce/prototypes/plain-classifier placement -o build/explanations/classifier --jobs 2
	$(BIN)/spinexplain score-explanations build/reproduce/prototypes/protopnet placement -o build/explanations/protopnet --explainers prototypes,gradcam,gradcam++,xgradcam --jobs 2
	$(BIN)/spinexplain score-explanations build/reproduce/prototypes/supervised-classifier placement -o build/explanations/supervised --explainers gradcam,gradcam++,xgradcam,integrated_gradients,occlusion --explainer spinexplain.explainers.class_map:explain_class_map --jobs 2
	$(BIN)/spinexplain reproduce mask-places --fresh -o docs --work build/reproduce --jobs 2
	cp build/explanations/classifier/leaderboard.json docs/results/explanations-classifier.json
	cp build/explanations/protopnet/leaderboard.json docs/results/explanations-protopnet.json
	cp build/explanations/supervised/leaderboard.json docs/results/explanations-supervised.json
	$(BIN)/spinexplain score-explanations protoverse-phantom-4 placement --explainers prototypes --steps 0 -o build/explanations/paired --jobs 2
	$(BIN)/python scripts/evidence_paired.py docs/results/explanations-paired.json build/explanations/paired build/explanations/supervised --cohort build/explanations/paired/cohorts/placement-2d
	cd docs && ../$(BIN)/python -m writers explanations

picture: $(VENV)/.dev ## take the README's picture from the demo's report
	$(BIN)/python docs/writers/readme_picture.py

clean: ## remove what the targets made
	rm -rf $(VENV) demo-output reader-data site build dist
