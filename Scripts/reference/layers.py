"""Compares `lm-logits --layers` with transformers' hidden states: layers.py LM_LOGITS MODEL

MODEL is a folder, or a GGUF file. The final norm and the output head are applied to each of `output_hidden_states`, for random
prompts of 1, 7 and 64 tokens. The exit status is 1 if a logit differs by more than 2e-4 (GGUF: 1e-3), relative to the greatest.
"""
import json
import os
import random
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM

program, path = sys.argv[1:3]
is_file = path.endswith(".gguf")
TOLERANCE = 1e-3 if is_file else 2e-4
folder, source = (os.path.dirname(path), {"gguf_file": os.path.basename(path)}) if is_file else (path, {})
torch.set_num_threads(1)
model = AutoModelForCausalLM.from_pretrained(folder, **source, dtype=torch.float32, attn_implementation="eager").eval()
norm = model.base_model.ln_f if hasattr(model.base_model, "ln_f") else model.base_model.norm
generator = random.Random(1)
prompts = [[generator.randrange(model.config.vocab_size) for _ in range(length)] for length in (1, 7, 64)]
lines = "".join(json.dumps({"ids": ids}) + "\n" for ids in prompts)
result = subprocess.run(
    [program, "-m", path, "--layers", "--all"], input=lines, capture_output=True, text=True, check=True)
records = iter(map(json.loads, result.stdout.splitlines()))
worst = 0.0
for ids in prompts:
    with torch.inference_mode():
        states = model(torch.tensor([ids]), output_hidden_states=True, use_cache=False).hidden_states
        for layer, state in enumerate(states):
            # transformers has applied the final norm to the last state already.
            expected = model.lm_head(state if layer == len(states) - 1 else norm(state))[0]
            for position in range(len(ids)):
                record = next(records)
                assert (record["layer"], record["position"]) == (layer, position)
                difference = (torch.tensor(record["logits"]) - expected[position]).abs().max()
                worst = max(worst, (difference / max(1, expected[position].abs().max())).item())
print(f"{path.rstrip('/').rsplit('/', 1)[-1]}: {len(states)} layers, greatest difference {worst:.1e}")
sys.exit(worst > TOLERANCE)
