#!/bin/sh
# demo.sh: runs pipelines on the bundled model. The tools must be on the PATH; `make demo` builds them and runs this.
set -eu

show() { printf '\n$ %s\n' "$1"; }

show 'lm-info'
lm-info

show "echo 'I do not think' | bpe-encode --table"
echo 'I do not think' | bpe-encode --table

show "echo 'I do not think' | bpe-encode | lm-logits | lm-topk -k 5 --table"
echo 'I do not think' | bpe-encode | lm-logits | lm-topk -k 5 --table

show "echo 'I do not think' | bpe-encode > state
> while lm-step --exit-status --stop . < state > next; do
>   mv next state
>   bpe-decode state
> done"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo 'I do not think' | bpe-encode > state
while lm-step --exit-status --stop . < state > next; do
  mv next state
  bpe-decode state
done
