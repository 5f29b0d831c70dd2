#!/bin/bash
# From packages to a model, in one command. Started again with the same folder, it goes on where it stopped.
#   Models/wren/training/run.sh [MINUTES] [WORK_DIR] [MODEL_DIR]     MINUTES of writing and as many of training; the rest takes a few
# WRITING names other minutes for the writing. PYTHON names an interpreter that has requirements.txt installed; without
# it, one is made in WORK_DIR/venv.
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
# What was cleaned, split and counted once stays: the checkpoints beside it mean nothing with another.
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
