#!/bin/sh
# sanitize.sh address|thread SWIFT: runs the tests that were built with this sanitizer. What it finds ends a process, and
# with it a test.
set -eu
export SWIFT_BACKTRACE=enable=no
# The tools end without giving back their memory, as processes may; the rooms' leaks are the fuzzer's to find.
export ASAN_OPTIONS=detect_leaks=0
exec "$2" test --skip-build --sanitize "$1" --scratch-path ".build-$1"
