"""Compares every logit with transformers in float32: logits.py LM_LOGITS MODEL_FOLDER [TEXT_FILE]

Prompts of 1, 2, 7, 64 and as many tokens as the context holds, drawn with a fixed seed; with TEXT_FILE also its lines.
Exits with 1 where a logit differs by more than 2e-4, or the ten likeliest are in another order although neighbours differ
by more than that.
"""
import json
import os
import random
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 2e-4
program, folder = sys.argv[1:3]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
vocabulary, context = model.config.vocab_size, model.config.n_positions
generator = random.Random(1)
prompts = [[generator.randrange(vocabulary) for _ in range(length)] for length in (1, 2, 7, 64, context)]
if len(sys.argv) > 3:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with open(sys.argv[3], encoding="utf-8") as file:
        prompts += [tokenizer(line.rstrip("\n"), add_special_tokens=False)["input_ids"] for line in file]

lines = "".join(json.dumps({"ids": ids}) + "\n" for ids in prompts)
result = subprocess.run([program, "-m", folder], input=lines, capture_output=True, text=True, check=True)
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
        print(f"{len(ids):5} tokens: greatest difference {worst:.2e}{', other order' if swapped else ''}")
print(f"{folder.rstrip('/').rsplit('/', 1)[-1]}: {len(prompts)} prompts, {bad} bad, greatest difference {worst_of_all:.2e}")
sys.exit(bad > 0)
