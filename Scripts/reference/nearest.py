"""Compares `lm-topk --nearest` with torch: nearest.py LM_TOPK MODEL...

A MODEL is a folder with weights and a tokenizer, or a GGUF file. The cosine similarities and scalar products of the input
embeddings of 20 random tokens to all others. The exit status is 1 if a number differs by more than 1e-5 (scalar products:
relative to the greatest), or if one of the ten nearest is missing although it is nearer than the last by more than that.
"""
import json
import os
import random
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
TOLERANCE = 1e-5


def compare(program, path):
    """Returns the greatest differences, and the number of missing tokens."""
    is_file = path.endswith(".gguf")
    folder, source = (os.path.dirname(path), {"gguf_file": os.path.basename(path)}) if is_file else (path, {})
    model = AutoModelForCausalLM.from_pretrained(folder, **source, dtype=torch.float32)
    embedding = model.get_input_embeddings().weight.detach().double()
    generator = random.Random(1)
    ids = [generator.randrange(len(embedding)) for _ in range(20)]
    result = subprocess.run(
        [program, "-m", path, "--nearest", f"-k{len(embedding)}"], input="".join(f"[{id}]\n" for id in ids),
        capture_output=True, text=True, check=True)
    worst, missing = [0.0, 0.0], 0
    for id, line in zip(ids, result.stdout.splitlines(), strict=True):
        dots = embedding @ embedding[id]
        cosines = torch.nn.functional.cosine_similarity(embedding, embedding[id][None], dim=1)
        nearest = json.loads(line)["nearest"]
        found = [token["id"] for token in nearest]
        for token in nearest:
            worst[0] = max(worst[0], abs(token["cosine"] - cosines[token["id"]].item()))
            worst[1] = max(worst[1], abs(token["dot"] - dots[token["id"]].item()) / max(1, dots.abs().max().item()))
        limit = min(cosines[other] for other in found[:10])
        for other in found[10:] + sorted(set(range(len(embedding))) - set(found) - {id}):
            missing += (cosines[other] > limit + TOLERANCE).item()
    return worst, missing


failed = False
for path in sys.argv[2:]:
    worst, missing = compare(sys.argv[1], path)
    print(f"{path.rstrip('/').rsplit('/', 1)[-1]}: greatest differences {worst[0]:.1e}, {worst[1]:.1e}, {missing} missing")
    failed |= missing > 0 or max(worst) > TOLERANCE
sys.exit(failed)
