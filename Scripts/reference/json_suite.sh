#!/bin/sh
# json_suite.sh JSON_CHECK DIR: runs the JSON parser on Nicolas Seriot's JSON Test Suite in DIR, which is cloned if missing.
set -eu
check=${1:?usage: json_suite.sh JSON_CHECK DIR} suite=${2:?usage: json_suite.sh JSON_CHECK DIR}
[ -d "$suite" ] || git clone -q --depth 1 https://github.com/nst/JSONTestSuite "$suite"

files=0 wrong=0
for file in "$suite"/test_parsing/*.json; do
  name=${file##*/} status=0
  timeout 10 "$check" < "$file" 2> /dev/null || status=$?
  files=$((files + 1))
  case $name:$status in
  y_*:0 | n_*:65 | i_*:0 | i_*:65) ;;
  *) wrong=$((wrong + 1)) && echo "$name: status $status" ;;
  esac
done
echo "JSON Test Suite: $files files, $wrong handled differently from what the suite expects"
[ "$wrong" = 0 ] && [ "$files" -gt 300 ]
