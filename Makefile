# make demo   compile the bundled model, run it on a simulated STM32H743, show what it sees
# make test   ruff, mypy, pytest
# make sweep  the long random sweeps that `make test` leaves out; SEED=1 makes them repeat themselves
#
# Both need Python 3.11 or newer and PyPI, nothing else; they work in a virtual environment of their own.
# Without make (Windows): see README.md, "Two commands".

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2

BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: help demo test sweep lint format clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: $(VENV)/sim.stamp
	$(BIN)/python examples/demo.py

test: lint
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

sweep: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n $(JOBS) -m slow $(if $(SEED),--hypothesis-seed=$(SEED))

lint: $(VENV)/dev.stamp
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

format: $(VENV)/dev.stamp
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

$(VENV)/sim.stamp: EXTRAS := sim
$(VENV)/dev.stamp: EXTRAS := sim,dev
$(VENV)/%.stamp: pyproject.toml setup.py
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.11 ...')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info out .mypy_cache .ruff_cache .pytest_cache .hypothesis
