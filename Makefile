# The words a Unix user tries first. What `make demo` and `make test` need is in the README, and checked before they build.
PREFIX ?= /usr/local
SWIFT ?= swift
MODEL = wren
RELEASE = .build/release

all: build

build:
	$(SWIFT) build -c release

demo:
	@SWIFT='$(SWIFT)' Scripts/check-requirements demo
	$(SWIFT) build -c release
	@PATH="$(CURDIR)/$(RELEASE):$$PATH" sh Demo/demo.sh

test:
	@SWIFT='$(SWIFT)' Scripts/check-requirements test
	$(SWIFT) build --build-tests
	$(SWIFT) test

# Looks for input that the readers of untrusted files do not stand, SECONDS for each target; see Tests/Fuzz/README.md.
# For some of them: make fuzz SECONDS=60 TARGETS='json records'
SECONDS ?= 10
fuzz:
	LMPIPE_FUZZ=1 $(SWIFT) build -c release --scratch-path .build-fuzz --product fuzz
	Tests/Fuzz/fuzz.sh $(SECONDS) $(TARGETS)

# Fuzzes the built tools as wholes; the same runs for the same SEED. See Tests/Fuzz/README.md.
SEED ?= 1
RUNS ?= 20000
fuzz-whole: build
	python3 Tests/Fuzz/whole/run.py --seed $(SEED) --runs $(RUNS) --jobs $$(getconf _NPROCESSORS_ONLN)

# Makes system calls fail, and kills stages of sealed pipelines. See Tests/Faults/README.md.
check-faults: build
	python3 Tests/Faults/syscalls.py
	python3 Tests/Faults/kills.py

# The test suite under the address sanitizer and under the thread sanitizer, where the toolchain has them.
sanitize: sanitize-address sanitize-thread
sanitize-%:
	LMPIPE_SANITIZE=$* $(SWIFT) build --build-tests --sanitize $* --scratch-path .build-$*
	LMPIPE_SANITIZE=$* Tests/sanitize.sh $* $(SWIFT)

# Puts load on the release build, checks that nothing is lost, and writes the README's table: some minutes.
# For a look: make load RECORDS=20000
RECORDS ?= 1000000
load: build
	python3 Benchmarks/load.py --records $(RECORDS) $(if $(filter 1000000,$(RECORDS)),--readme)

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks

check-format:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Benchmarks

# man/man1 and completions/ come from the option tables in Sources/CommandLineTool/Tools.
generate:
	$(SWIFT) run -c release generate-pages

check-generated:
	$(SWIFT) run -c release generate-pages --check

# Types at bash, zsh and fish, those that are there, and looks at what they complete. Needs tmux and python3.
check-shells: build
	@prefix=$$(mktemp -d) && trap 'rm -rf "$$prefix"' EXIT && \
	  $(MAKE) -s install PREFIX="$$prefix" > /dev/null && python3 Tests/Shells/check.py "$$prefix"

# Renews the outputs in the shell sessions of the README and of Tests/PipelineTests/Sessions. Read the difference!
renew-sessions:
	LMPIPE_RENEW_SESSIONS=1 $(SWIFT) test --filter Sessions

# After a change of the model: its golden logits, by transformers, and all sessions. REFERENCE as below.
golden:
	"$(REFERENCE)/venv/bin/python" Tests/Reference/golden.py Models/$(MODEL) > Tests/PipelineTests/Fixtures/golden-logits.jsonl
	$(MAKE) renew-sessions

# How fifty everyday beginnings go on, with the words that were accepted beforehand; MODEL_DIR for another model.
beginnings: build
	@python3 Training/beginnings.py $(MODEL_DIR)

# The whole recipe of the default model with a budget of MINUTES, into a scratch folder: about a quarter of an hour.
MINUTES ?= 2
try-training: build
	Training/try.sh $(MINUTES)

# Loops of lm-step by every route, and with processes killed at random instants; some minutes. See Tests/Loops/README.md.
check-loops: build
	PATH="$(CURDIR)/$(RELEASE):$$PATH" python3 Tests/Loops/routes.py
	PATH="$(CURDIR)/$(RELEASE):$$PATH" python3 Tests/Loops/kills.py

# REFERENCE=DIR: a folder with venv (transformers, tokenizers, tiktoken) and models; see Tests/Reference/README.md.
compare: build
	sh Tests/Reference/compare.sh "$(REFERENCE)"

# Measures the release build beside its peers and writes the README's table: REFERENCE as above, and see
# Benchmarks/README.md. For a look at some rows: make bench ROWS='start,step-*' ROUNDS=1
bench: build
	python3 Benchmarks/bench.py $(if $(REFERENCE),--reference "$(REFERENCE)") $(if $(ROWS),--rows '$(ROWS)') \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(WORK),--work "$(WORK)")

install: build
	Packaging/install "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

uninstall:
	Packaging/install --remove "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

# A build for any processor of the level x86-64-v3; elsewhere builds are for any processor anyway.
PORTABLE = .build-portable
portable:
	$(if $(filter x86_64,$(shell uname -m)),LMPIPE_CPU=x86-64-v3) $(SWIFT) build -c release --scratch-path $(PORTABLE)

# A Debian package, which depends on nothing.
deb: portable
	@Packaging/deb $(PORTABLE)/release $(PORTABLE)

# Installs it into a root of its own, uses it there, and removes it.
check-deb: portable
	@Packaging/check-deb "$$(Packaging/deb $(PORTABLE)/release $(PORTABLE))"

clean:
	rm -rf .build .build-portable

.PHONY: all build demo test fuzz fuzz-whole check-faults sanitize load format check-format generate check-generated check-shells renew-sessions golden beginnings try-training check-loops compare bench install uninstall portable deb check-deb clean
