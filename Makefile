# make demo    train, test and watch a small JDE on generated data (CPU, about ten minutes)
# make test    lint, type-check and run all tests
# make test-slow    long trainings, long scenes and speeds, for a quiet machine
# make lint    lint and type-check only
# make clean   remove what make and Python left behind (not .venv, data or work_dirs)
#
# All of them set up the environment first: an active one that holds a suitable torch, else .venv
# (tools/setup_environment.py says how it is chosen and what is installed).

PYTHON3 ?= python3
PYTHON = $(shell $(PYTHON3) tools/setup_environment.py --print)
DEMO = work_dirs/demo
CONFIG = configs/jde/jde_r18_synthmot.py
STREET = data/synthmot/v1-small/test/SynthMOT-test-001

.PHONY: demo test test-slow lint clean environment

demo: environment
	$(PYTHON) tools/train.py $(CONFIG) --work-dir $(DEMO) --amp
	$(PYTHON) tools/test.py $(CONFIG) --work-dir $(DEMO) --eval track detection embedding --out $(DEMO)/results
	$(PYTHON) tools/demo.py $(STREET) $(CONFIG) --out $(DEMO)/demo.mp4
	@echo "Watch $(DEMO)/demo.mp4; the table above is in $(DEMO)/results/scores.json."

test: lint
	$(PYTHON) -m pytest -n auto --maxprocesses 8 --dist worksteal

test-slow: environment
	$(PYTHON) -m pytest -m slow

lint: environment
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy mmdeepmot tools

environment:
	@$(PYTHON3) tools/setup_environment.py >/dev/null

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .coverage .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
