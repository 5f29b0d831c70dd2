"""Compares every logit with transformers in float32: logits.py LM_LOGITS MODEL [TEXT_FILE]

MODEL is a folder, or a GGUF file, whose weights transformers dequantizes. Random prompts with a fixed seed: 1, 2, 7 and 64
tokens and the full context; for a GGUF file 50 prompts of 1 to 500 tokens; also the lines of TEXT_FILE. The exit status is 1
if a logit differs by more than 2e-4 (GGUF: 1e-3), or if the order of the ten most likely tokens differs although neighbors
differ by more than that.
"""
import json
import os
import random
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

program, path = sys.argv[1:3]
is_file = path.endswith(".gguf")
TOLERANCE = 1e-3 if is_file else 2e-4
folder, source = (os.path.dirname(path), {"gguf_file": os.path.basename(path)}) if is_file else (path, {})
model = AutoModelForCausalLM.from_pretrained(
    folder, **source, dtype=torch.float32, attn_implementation="eager").eval()
vocabulary, context = model.config.vocab_size, model.config.max_position_embeddings
generator = random.Random(1)
lengths = [1 + 499 * n // 49 for n in range(50)] if is_file else (1, 2, 7, 64, context)
prompts = [[generator.randrange(vocabulary) for _ in range(length)] for length in lengths]
if len(sys.argv) > 3:
    tokenizer = AutoTokenizer.from_pretrained(folder, **source)
    with open(sys.argv[3], encoding="utf-8") as file:
        prompts += [tokenizer(line.rstrip("\n"), add_special_tokens=False)["input_ids"] for line in file]

lines = "".join(json.dumps({"ids": ids}) + "\n" for ids in prompts)
result = subprocess.run([program, "-m", path], input=lines, capture_output=True, text=True, check=True)
bad = 0
worst_of_all = 0.0
for ids, line in zip(prompts, result.stdout.splitlines(), strict=True):
    ours = torch.tensor(json.loads(line)["logits"])
    with torch.inference_mode():
        theirs = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
    worst = (ours - theirs).abs().max().item()
    worst_of_all = max(worst, worst_of_all)
    order, reference = ours.argsort(descending=True)[:10], theirs.argsort(descending=True)[:10]
    swapped = any(a != b and abs(theirs[a] - theirs[b]) > TOLERANCE for a, b in zip(order, reference))
    bad += worst > TOLERANCE or swapped
    if worst > TOLERANCE or swapped or len(ids) in (1, 2, 7, 64, context):
        print(f"{len(ids):5} tokens: greatest difference {worst:.2e}{', different order' if swapped else ''}")
print(f"{path.rstrip('/').rsplit('/', 1)[-1]}: {len(prompts)} prompts, {bad} bad, greatest difference {worst_of_all:.2e}")
sys.exit(bad > 0)
