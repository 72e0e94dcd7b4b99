# make help
PYTHON ?= python

.PHONY: help build test sanitize bench lint format docs clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

build:  ## compile the kernels in place, with all extras
	$(PYTHON) -m pip install -e '.[all]'

test:  ## the test suite; the slow ones by `pytest -m slow`
	$(PYTHON) -m pytest

sanitize:  ## the kernel tests under AddressSanitizer and UndefinedBehaviorSanitizer, two trainings under ThreadSanitizer
	$(PYTHON) -m tests.trust.sanitize
	$(PYTHON) -m tests.trust.sanitize --checks thread

bench:  ## every kernel: correct? then compiled against reference; rivals: bench/README.md
	$(PYTHON) -m fastnn bench

lint:  ## what CI checks of style
	ruff check .
	ruff format --check .
	mypy
	pyright --threads 2
	clang-format --dry-run --Werror src_c/*.c src_c/*.h

format:  ## rewrite Python and C in the style of the house
	ruff check --fix .
	ruff format .
	clang-format -i src_c/*.c src_c/*.h

docs:  ## run the examples of the documentation pages
	$(PYTHON) -m pytest -q --doctest-glob='*.md' README.md README.ko.md docs

clean:  ## remove what the build made
	rm -rf build dist *.egg-info
	find fastnn -name '*.so' -delete
