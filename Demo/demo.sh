#!/bin/sh
# What the toolset is for, on the model that comes with it: `make demo`.
set -eu

say() { printf '\n$ %s\n' "$1"; }

say 'lm-info'
lm-info

say "echo 'She opened the' | bpe-encode --table"
echo 'She opened the' | bpe-encode --table

say "echo 'She opened the' | bpe-encode | lm-logits | lm-topk -k 5 --table"
echo 'She opened the' | bpe-encode | lm-logits | lm-topk -k 5 --table

say 'record=$(echo "She opened the" | bpe-encode)
> for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
>   record=$(echo "$record" | lm-step)
>   echo "$record" | bpe-decode
> done'
record=$(echo 'She opened the' | bpe-encode)
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
  record=$(echo "$record" | lm-step)
  echo "$record" | bpe-decode
done
