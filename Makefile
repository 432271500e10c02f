# Every target does its own set-up; doing it again takes a second. `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
ARGS ?=
PRESET ?= dev
LOAD_HOSTS ?= 2
CPP_FILES = $(shell find native benchmarks/confusion -name '*.cpp' -o -name '*.h')
PYTHON_FILES = cluster tests benchmarks scripts deploy
SHELL_FILES = $(shell find cluster deploy scripts -name '*.sh')
SLOWEST = --durations=10 --durations-min=1

##@ Use
.PHONY: help setup quickstart lab lab-down
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "SYSTEM_PACKAGES=no forbids installing system packages; PYTHON= and CXX= choose others."

quickstart: run-environment ## load the reference engine on this machine, profile it, say what holds it back
	@status=0; $(BIN)/loadcluster run configs/quickstart.yaml $(ARGS) || status=$$?; \
	if [ $$status -eq 3 ]; then \
	  echo "Measured, but not valid (exit status 3 of loadcluster): the findings above say why."; \
	else exit $$status; fi

lab: run-environment ## several hosts on this machine, to try configs/lab.yaml with (root; LOAD_HOSTS=2)
	@$(BIN)/python deploy/lab up --load-hosts $(LOAD_HOSTS)

lab-down: ## take the lab down; nothing is left of it
	@$(BIN)/python deploy/lab down

setup: environment ## make .venv/ ready for use and development

##@ Change
.PHONY: test check fix native plans stub bench confusion-matrix fuzz clean
test: native-dev-tests unit integration ## every test that one host can run (lab-tests: several)

check: lint native-dev-tests unit native-asan-tests native-tsan-tests fuzz-briefly ## what a change must pass

fix: environment ## apply formatters and safe lint fixes, write the tables of docs/ anew
	$(BIN)/ruff check --fix $(PYTHON_FILES)
	$(BIN)/ruff format $(PYTHON_FILES)
	$(BIN)/clang-format -i $(CPP_FILES)
	$(BIN)/python scripts/configuration_tables.py

native: environment ## configure, build and test native/ alone (PRESET=dev, asan or tsan)
	scripts/native_tests.sh $(PRESET)

plans: environment ## compile the golden plans of native/protocol/plans/ anew
	$(BIN)/python scripts/golden_plans.py

stub: environment ## write cluster/_native.pyi anew from the build
	$(BIN)/python -m nanobind.stubgen -q -m cluster._native -o cluster/_native.pyi

##@ Parts of them
.PHONY: lint unit integration lab-tests
lint: environment ## format, lint (shell, too), types, import contracts and spelling
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/clang-format --dry-run -Werror $(CPP_FILES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck $(SHELL_FILES)
	$(BIN)/codespell

unit: environment ## Python tests without sockets or processes (ARGS= goes to pytest)
	$(BIN)/pytest tests/unit -n 2 --dist loadfile $(SLOWEST) $(ARGS)

integration: environment ## loopback sockets, real processes, Ray on one node, sshd (ARGS= goes to pytest)
	$(BIN)/pytest tests/integration $(SLOWEST) $(ARGS)

lab-tests: environment ## several hosts in network namespaces: whole runs and faults (root, else skipped)
	$(BIN)/pytest tests/lab $(SLOWEST) $(ARGS)

bench: environment ## measure loadcluster itself: native/bench/, then every program of benchmarks/
	cd native && PATH="$(CURDIR)/$(BIN):$$PATH" cmake --preset dev --log-level=WARNING
	$(BIN)/cmake --build build/dev
	@for program in $$(find build/dev/bench -maxdepth 1 -type f -perm -u+x); do \
	  echo "== $$program"; $$program || exit 1; done
	@for program in $$(grep -l __main__ benchmarks/*.py | grep -v confusion_matrix); do \
	  echo "== $$program"; $(BIN)/python $$program || exit 1; done

confusion-matrix: environment ## plant causes, see which the verdict names, write docs/confusion-matrix.md (25 min, root)
	$(BIN)/python benchmarks/confusion_matrix.py $(ARGS)

fuzz: environment ## feed bad bytes to the native code, ten minutes for each target (ARGS="--seconds 60")
	scripts/fuzz.sh --keep $(ARGS)

clean: ## remove what was built and cached; runs/ and .venv/ stay
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# The set-up, each once in a call.
.PHONY: environment run-environment native-dev-tests native-asan-tests native-tsan-tests
environment:
	@deploy/setup.sh develop

run-environment:
	@deploy/setup.sh run

native-dev-tests native-asan-tests native-tsan-tests: native-%-tests: environment
	scripts/native_tests.sh $*

.PHONY: fuzz-briefly
fuzz-briefly: environment
	scripts/fuzz.sh --seconds 10
