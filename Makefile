# Standard targets; `make help` lists them. Other developer commands are scripts; see CONTRIBUTING.md.
PREFIX ?= /usr/local
SWIFT ?= swift
RELEASE = .build/release

all: build

help:  ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do \
	  printf '  make %-10s %s\n' "$$name" "$$text"; done

build:  ## Build the tools with optimization (default)
	$(SWIFT) build -c release

demo:  ## Build, and run pipelines on the bundled model
	@SWIFT='$(SWIFT)' Scripts/check-requirements demo
	$(SWIFT) build -c release
	@PATH="$(CURDIR)/$(RELEASE):$$PATH" sh Scripts/demo.sh

test:  ## Run the tests
	@SWIFT='$(SWIFT)' Scripts/check-requirements test
	$(SWIFT) build --build-tests
	$(SWIFT) test

lint:  ## Check format, language, imports, manual pages, generated files
	@SWIFT='$(SWIFT)' Scripts/ci/lint

format:  ## Format the Swift sources
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks Scripts

generate:  ## Write man/man1 and completions from the option tables
	$(SWIFT) run -c release generate-pages

bench: build  ## Benchmark against peers; see Benchmarks/README.md
	python3 Benchmarks/bench.py $(if $(REFERENCE),--reference "$(REFERENCE)") $(if $(ROWS),--rows '$(ROWS)') \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(WORK),--work "$(WORK)")

fuzz:  ## Fuzz the parsers of untrusted files, SECONDS each; see Scripts/fuzz
	LMPIPE_FUZZ=1 $(SWIFT) build -c release --scratch-path .build-fuzz --product fuzz
	Scripts/fuzz/fuzz.sh $${SECONDS:-10} $(TARGETS)

compare: build  ## Compare with transformers in REFERENCE; see Scripts/reference
	sh Scripts/reference/compare.sh "$(REFERENCE)"

install: build  ## Install below PREFIX (/usr/local)
	Scripts/package/install "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

uninstall:  ## Remove the installed files
	Scripts/package/install --remove "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

deb:  ## Build a Debian package without dependencies
	@SWIFT='$(SWIFT)' Scripts/package/build-deb

clean:  ## Remove the build folders
	rm -rf .build .build-*

.PHONY: all help build demo test lint format generate bench fuzz compare install uninstall deb clean
