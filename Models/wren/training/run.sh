#!/bin/bash
# run.sh [MINUTES] [WORK_DIR] [MODEL_DIR]: makes the model from packages. An interrupted run continues in the same folder.
# MINUTES: budget for generating texts, and again for training (default: 60); the other steps take a few minutes. Environment:
#   WRITING  another budget for generating texts
#   PYTHON   an interpreter with the packages of requirements.txt (default: a virtual environment in WORK_DIR/venv)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
minutes=${1:-60}
work=${2:-${TMPDIR:-/tmp}/wren}
model=${3:-$work/wren}
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$work" "$model"

python=${PYTHON:-$work/venv/bin/python}
if [ -z "${PYTHON:-}" ] && [ ! -f "$work/venv/ready" ]; then
  python3 -m venv "$work/venv"
  "$python" -m pip -q --disable-pip-version-check install -r "$here/requirements.txt"
  touch "$work/venv/ready"
fi

run() { echo "== $1" >&2; "$python" "$here/$1.py" "$work" "${@:2}"; }

run fetch
# Texts and vocabulary are kept, because checkpoints are valid for this vocabulary only.
if [ ! -f "$work/tokenizer.json" ]; then
  run write "${WRITING:-$minutes}"
  run clean
  run split
  run vocabulary
fi
run train "$minutes"
run export "$model"
run evaluate "$model"
run samples "$model"
run card "$model"
echo "the model is in $model" >&2
