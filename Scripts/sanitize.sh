#!/bin/sh
# sanitize.sh address|thread: runs the test suite under this sanitizer, if the toolchain has it. A finding aborts its
# process, and the test fails.
set -eu
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
export LMPIPE_SANITIZE="$1" SWIFT_BACKTRACE=enable=no
# The tools exit without freeing memory. The fuzz targets check the libraries for leaks.
export ASAN_OPTIONS=detect_leaks=0
$swift build --build-tests --sanitize "$1" --scratch-path ".build-$1"
exec $swift test --skip-build --sanitize "$1" --scratch-path ".build-$1"
