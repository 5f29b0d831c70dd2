# `make help` prints the targets. Everything else that developers run is a script; see CONTRIBUTING.md.
PREFIX ?= /usr/local
SWIFT ?= swift
RELEASE = .build/release

all: build

help:  ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do \
	  printf '  make %-10s %s\n' "$$name" "$$text"; done

build:  ## Build the tools with optimization (default)
	$(SWIFT) build -c release

demo:  ## Build, and run the main pipelines on the bundled model
	@SWIFT='$(SWIFT)' Scripts/check-requirements demo
	$(SWIFT) build -c release
	@PATH="$(CURDIR)/$(RELEASE):$$PATH" sh Scripts/demo.sh

test:  ## Run the tests
	@SWIFT='$(SWIFT)' Scripts/check-requirements test
	$(SWIFT) build --build-tests
	$(SWIFT) test

lint:  ## Check formatting, imports, manual pages and generated files
	@SWIFT='$(SWIFT)' Scripts/ci/lint

format:  ## Format the Swift sources
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks Scripts

generate:  ## Write man/man1 and completions from the option tables
	$(SWIFT) run -c release generate-pages

bench: build  ## Measure speed and memory beside peers; see Benchmarks/README.md
	python3 Benchmarks/bench.py $(if $(REFERENCE),--reference "$(REFERENCE)") $(if $(ROWS),--rows '$(ROWS)') \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(WORK),--work "$(WORK)")

fuzz:  ## Fuzz the parsers, SECONDS for each; see Scripts/fuzz
	LMPIPE_FUZZ=1 $(SWIFT) build -c release --scratch-path .build-fuzz --product fuzz
	Scripts/fuzz/fuzz.sh $${SECONDS:-10} $(TARGETS)

compare: build  ## Compare with transformers in REFERENCE; see Scripts/reference
	sh Scripts/reference/compare.sh "$(REFERENCE)"

install: build  ## Install below PREFIX (/usr/local)
	Scripts/package/install "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

uninstall:  ## Remove what install put there
	Scripts/package/install --remove "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

deb:  ## Make a Debian package that needs no other
	@SWIFT='$(SWIFT)' Scripts/package/build-deb

clean:  ## Remove what was built
	rm -rf .build .build-*

.PHONY: all help build demo test lint format generate bench fuzz compare install uninstall deb clean
