#!/bin/sh
# fuzz.sh SECONDS [TARGET]...: runs each target with libFuzzer for SECONDS and prints a table of the results. Starts from the
# seeds, the findings, and the corpus that earlier runs collected in .build-fuzz/corpus.
# New findings are in .build-fuzz/found/TARGET: fix the bug, and commit the input to Scripts/fuzz/Findings/TARGET.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
build=.build-fuzz
fuzz=$build/release/fuzz
[ $# -gt 0 ] || set -- $("$fuzz" | cut -d' ' -f1)

# Swift's crash reporter would fork in the crashed process.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
statistic() { sed -n "s/^stat::$1: *//p" "$build/log.$target"; }
printf '| target | executions | per second | peak memory, MB | corpus | found |\n| --- | ---: | ---: | ---: | ---: | --- |\n'
status=0
total=0
for target; do
  longest=$("$fuzz" | sed -n "s/^$target //p")
  mkdir -p "$build/corpus/$target" "$build/found/$target"
  folders="$build/corpus/$target Scripts/fuzz/Seeds/$target"
  [ ! -d "Scripts/fuzz/Findings/$target" ] || folders="$folders Scripts/fuzz/Findings/$target"
  [ ! -f "Scripts/fuzz/$target.dict" ] || folders="-dict=Scripts/fuzz/$target.dict $folders"
  # shellcheck disable=SC2086
  "$fuzz" "$target" -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$build/found/$target/" -print_final_stats=1 $folders > "$build/log.$target" 2>&1 &
  process=$!
  if wait $process; then
    result=nothing
  else
    result=$(grep -E 'Fatal error|ERROR: ' "$build/log.$target" | head -n 1 | tr '|' '/')
    status=1
  fi
  rm -rf "/dev/shm/lmpipe-fuzz-$process-"*  # left by a process that libFuzzer ended
  executions=$(statistic number_of_executed_units)
  total=$((total + ${executions:-0}))
  echo "| $target | $executions | $(statistic average_exec_per_sec) | $(statistic peak_rss_mb) |" \
    "$(find "$build/corpus/$target" -type f | wc -l) | $result |"
done
echo "| total | $total | | | | |"
exit $status
