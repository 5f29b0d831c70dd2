#!/bin/sh
# The reader of JSON on Nicolas Seriot's JSON Test Suite: json_suite.sh JSON_CHECK DIR. A DIR that is not there is cloned.
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
echo "JSON Test Suite: $files files, $wrong read in another way than the suite wants"
[ "$wrong" = 0 ] && [ "$files" -gt 300 ]
