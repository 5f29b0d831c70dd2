"""Compares `lm-logits --attention` with transformers' eager attention: attention.py LM_LOGITS MODEL...

A MODEL is a folder, or a GGUF file. All heads of all layers, for random prompts of 1, 7 and 64 tokens, and of 300 if the
context is that long. The exit status is 1 if a weight differs by more than 1e-4.
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


def without_biases(module, arguments, named):
    return arguments, named | {"alibi": torch.zeros_like(named["alibi"])}


def compare(program, path):
    """Returns the number of heads and the greatest difference."""
    is_file = path.endswith(".gguf")
    folder, source = (os.path.dirname(path), {"gguf_file": os.path.basename(path)}) if is_file else (path, {})
    model = AutoModelForCausalLM.from_pretrained(
        folder, **source, dtype=torch.float32, attn_implementation="eager").eval()
    config = model.config.get_text_config()
    if config.model_type == "falcon" and config.alibi:
        # FalconModel adds the biases to the mask, and eager attention of transformers 5.24 adds them once more.
        for block in model.base_model.h:
            block.self_attention.register_forward_pre_hook(without_biases, with_kwargs=True)
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    generator = random.Random(1)
    context = getattr(config, "max_position_embeddings", 320)  # BLOOM has none
    prompts = [[generator.randrange(config.vocab_size) for _ in range(length)]
               for length in (1, 7, 64, 300) if length <= context]
    lines = "".join(json.dumps({"ids": ids}) + "\n" for ids in prompts)
    options = [f"--attention={layer}" for layer in range(1, layers + 1)]
    result = subprocess.run(
        [program, "-m", path, *options], input=lines, capture_output=True, text=True, check=True)
    worst = 0.0
    for ids, line in zip(prompts, result.stdout.splitlines(), strict=True):
        found = json.loads(line)["attentions"]
        places = [(head["layer"], head["head"]) for head in found]
        assert places == [(layer + 1, head + 1) for layer in range(layers) for head in range(heads)]
        with torch.inference_mode():
            expected = model(torch.tensor([ids]), output_attentions=True, use_cache=False).attentions
        for head in found:
            matrix = torch.zeros(len(ids), len(ids))
            for row, weights in enumerate(head["weights"]):
                matrix[row, :row + 1] = torch.tensor(weights)
            assert len(head["weights"]) == len(ids)
            worst = max(worst, (matrix - expected[head["layer"] - 1][0, head["head"] - 1]).abs().max().item())
    return layers * heads, worst


failed = False
for path in sys.argv[2:]:
    count, worst = compare(sys.argv[1], path)
    print(f"{path.rstrip('/').rsplit('/', 1)[-1]}: {count} heads, greatest difference {worst:.1e}", flush=True)
    failed |= worst > 1e-4
sys.exit(failed)
