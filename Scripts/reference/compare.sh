#!/bin/sh
# compare.sh REFERENCE_DIR: compares the release build with the reference implementations (see README.md here).
set -eu
reference=${1:?usage: compare.sh REFERENCE_DIR}
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
programs=$checkout/.build/release
python=$reference/venv/bin/python
sentences=$(mktemp)
trap 'rm -f "$sentences"' EXIT

jq -r .text "$checkout/Tests/PipelineTests/Fixtures/golden-logits.jsonl" > "$sentences"
"$python" "$here/logits.py" "$programs/lm-logits" "$checkout/Models/wren" "$sentences"
for model in "$reference"/models/*gpt2-rand "$reference"/models/smollm2/*.gguf; do
  "$python" "$here/logits.py" "$programs/lm-logits" "$model"
done
for model in "$checkout/Models/wren" "$reference"/models/smollm2/*.gguf; do
  "$python" "$here/layers.py" "$programs/lm-logits" "$model"
  "$python" "$here/attention.py" "$programs/lm-logits" "$model"
  "$python" "$here/nearest.py" "$programs/lm-topk" "$model"
  ! "$python" -c 'import minicons' 2> /dev/null || "$python" "$here/scores.py" "$programs" "$model" --count 500 "$sentences"
done
llama=$reference/llama.cpp
[ -e "$llama/convert_hf_to_gguf.py" ] || llama=
LLAMA_CPP=$llama "$python" "$here/small_models.py" "$programs/lm-logits"
for model in "$reference"/models/gemma3-270m/*.gguf; do
  [ ! -e "$model" ] || "$python" "$here/gemma.py" "$model" --compare "$programs/lm-logits"
done
"$python" "$here/gguf/facts.py" "$programs/lm-info" "$reference"/models/*.gguf "$reference"/models/smollm2/*.gguf
"$python" "$here/hub.py" "$programs"
templates="$reference/llama.cpp/models/templates"
if [ -e "$templates" ]; then
  "$python" "$here/chat_templates.py" "$programs/template-check" 50 1 "$templates"/*.jinja "$reference"/models/smollm2/*.gguf
fi
"$python" -W ignore "$here/template_cases.py" --check "$programs/template-check"
sh "$here/json_suite.sh" "$programs/json-check" "$reference/JSONTestSuite"
sh "$here/tokenizer/compare.sh" "$reference" "$programs/bpe-encode"
