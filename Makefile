# make demo               run the demo: encoder, corpus, teacher, student, bundle, profile, package
# make demo-page          update docs/demo.md with the tables of the last demo
# make test               run the test suite, without slow tests
# make test-slow          run the test suite, with slow tests
# make benchmark          measure the speed of alignment and training, and the speed and memory of
#                         the runtime. Options: PAIRS=200000 also measures the memory of alignment;
#                         RIVALS="--rival en_core_web_sm" adds a pipeline, FP32="--fp32 FOLDER" a bundle
# make benchmark-profile  check the profiler on pipelines with known differences (some minutes)
# make lint               run ruff and mypy
# make clean              remove the outputs of the demo and the tests
# make clean-all          also remove .venv and the encoder

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo demo-page test test-slow benchmark benchmark-profile lint clean clean-all

demo: $(READY)
	$(BIN)/python -m spacy project run all

demo-page: $(READY)
	$(BIN)/python -m spacy optical summary metrics/profile --bundle bundles/student-int8 --packages packages --markdown docs/demo.md

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(READY)
	$(BIN)/python -m pytest --slow

PAIRS ?= 0
DOCUMENTS ?= 100000
FP32 ?=
RIVALS ?=

benchmark: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m research.benchmarks.alignment_speed --pairs $(PAIRS)
	$(BIN)/python -m research.benchmarks.training_speed
	OMP_NUM_THREADS=1 $(BIN)/python -m research.benchmarks.operator_times
	OMP_NUM_THREADS=1 $(BIN)/python -m research.benchmarks.memory_growth --documents $(DOCUMENTS)
	$(BIN)/python -m research.benchmarks.runtime_speed --teacher training/teacher $(FP32) $(RIVALS)

benchmark-profile: $(READY)
	$(BIN)/python -m research.benchmarks.profile_checks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): setup.cfg constraints.txt spacy_optical/about.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[train,dev]"
	touch $@

clean:
	rm -rf corpus data training bundles packages metrics build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

clean-all: clean
	rm -rf .venv assets/encoder
