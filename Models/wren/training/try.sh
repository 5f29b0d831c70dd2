#!/bin/bash
# try.sh [MINUTES] [WORK_DIR]: tests the whole recipe: trains for a few minutes in a scratch folder, then compares the logits
# of the tools in .build/release with transformers. PYTHON: as for run.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
minutes=${1:-2}
work=${2:-$(mktemp -d)}
python=${PYTHON:-$work/venv/bin/python}
"$here/run.sh" "$minutes" "$work"
export PATH=$here/../../../.build/release:$PATH LM_MODEL=$work/wren
echo "== logits of the tools and of transformers" >&2
cut -f 1 "$here/beginnings.tsv" > "$work/beginnings.txt"
"$python" "$here/../../../Scripts/reference/logits.py" lm-logits "$LM_MODEL" "$work/beginnings.txt"
echo "== a sentence" >&2
echo 'Once upon a time' | bpe-encode | lm-step -n 30 | bpe-decode
echo "passed; the files are in $work" >&2
