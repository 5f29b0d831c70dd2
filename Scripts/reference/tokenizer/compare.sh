#!/bin/sh
# compare.sh REFERENCE_DIR [BPE_ENCODE]
# Compares the token ids of bpe-encode with those of the reference implementations, with many tokenizers and options.
# REFERENCE_DIR must contain venv/bin/python with `tokenizers` and `tiktoken`, and models/gpt2-rand with GPT-2's vocab.json,
# merges.txt and tokenizer.json. The tokenizers and texts that it creates (200,000 lines, and 60 MB of real text
# downloaded with apt-get) are kept in REFERENCE_DIR/tokenizer. Prints a line for each comparison; the status is 1 if any
# ids differ.
set -eu
reference=${1:?usage: compare.sh REFERENCE_DIR [BPE_ENCODE]}
here=$(cd "$(dirname "$0")" && pwd)
encode=${2:-$here/../../../.build/release/bpe-encode}
python=$reference/venv/bin/python
work=$reference/tokenizer

mkdir -p "$work"
make_lines() {  # NAME [OPTION]...
  name=$1
  shift
  [ -e "$work/$name.txt" ] && return
  "$python" "$here/make_lines.py" "$@" > "$work/$name.new"
  mv "$work/$name.new" "$work/$name.txt"
}
make_lines lines
make_lines paragraphs --null
make_lines decomposed --null --decomposed
[ -e "$work/corpus.txt" ] || "$python" "$here/make_corpus.py" "$work"
smollm2=$(echo "$reference"/models/smollm2/*.gguf)
"$python" "$here/make_tokenizers.py" "$reference/models/gpt2-rand" "$work" "$smollm2"
mkdir -p "$work/published"
cp "$reference/models/gpt2-rand/tokenizer.json" "$work/published"

status=0
model=
compare() {  # FOLDER TEXT [OPTION]...; encodes with `model` instead of FOLDER if it is set
  folder=$1 text=$2
  shift 2
  printf '%s: ' "$folder $text${*:+ $*}"
  "$encode" -m "${model:-$work/$folder}" "$@" < "$work/$text.txt" |
    "$python" "$here/count_differences.py" "$work/$folder" "$work/$text.txt" "$@" || status=1
}
for folder in files published digits digit-runs prefix digits-prefix ignore-merges llama3 qwen2 added added-composed; do
  compare "$folder" lines
  compare "$folder" lines --special
  compare "$folder" lines --add-prefix-space
done
for folder in added added-composed; do
  compare "$folder" lines --special --add-prefix-space
  compare "$folder" decomposed --null --special
done
for folder in files digits llama3 qwen2; do
  compare "$folder" paragraphs --null
done
compare qwen2 decomposed --null
for folder in files published digits llama3 qwen2; do
  compare "$folder" corpus
done
model=$smollm2  # the tables of the GGUF file, compared with the equal tokenizer.json
compare smollm2 lines --keep-going
compare smollm2 paragraphs --keep-going --null --special
exit $status
