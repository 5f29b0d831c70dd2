"""Compares the output of lm-info with the reference implementations: facts.py LM_INFO FILE.gguf…

The given files are compared with the gguf package. Small random models of each model_type, which transformers creates
and saves in one file and in shards, are compared with transformers. Exits with 1 if there is a difference.
"""
import json
import os
import subprocess
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import gguf
import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

program, files = sys.argv[1], sys.argv[2:]
bad = 0


def compare(path, expected):
    global bad
    run = subprocess.run([program, "--json", "-m", path], capture_output=True, text=True)
    found = json.loads(run.stdout) if run.returncode == 0 else {}
    wrong = {name: (found.get(name), value) for name, value in expected.items() if found.get(name) != value}
    bad += bool(wrong)
    print(f"{os.path.basename(path)}: {len(expected)} facts, {wrong or 'no difference'} {run.stderr.strip()}")


def of_file(path):
    reader = gguf.GGUFReader(path)
    get = lambda key, default=None: reader.fields[key].contents() if key in reader.fields else default
    architecture = get("general.architecture")
    of = lambda key, default=None: get(f"{architecture}.{key}", default)
    heads, width = of("attention.head_count"), of("embedding_length")
    counts = {}
    for tensor in reader.tensors:
        if tensor.name != "rope_freqs.weight":
            name = tensor.tensor_type.name
            counts[name] = counts.get(name, 0) + int(tensor.n_elements)
    facts = {
        "architecture": architecture, "n_layer": of("block_count"), "n_head": heads, "n_embd": width,
        "n_head_kv": of("attention.head_count_kv", heads), "head_dim": of("attention.key_length", width // heads),
        "n_inner": of("feed_forward_length"), "n_positions": of("context_length"),
        "vocab_size": len(reader.fields["tokenizer.ggml.tokens"].data), "bytes": os.path.getsize(path),
        "parameters": sum(counts.values()),
        "precision": ", ".join(sorted(counts, key=lambda name: (-counts[name], name))),
    }
    return facts if architecture == "gpt2" else facts | {"rope_theta": of("rope.freq_base", 10000.0)}


def of_config(c, model):
    get = lambda *names: next(getattr(c, name) for name in names if getattr(c, name, None) is not None)
    heads, width = get("num_attention_heads"), get("hidden_size")
    facts = {
        "architecture": c.model_type, "n_layer": get("num_hidden_layers"), "n_head": heads, "n_embd": width,
        "n_head_kv": getattr(c, "num_key_value_heads", heads), "head_dim": getattr(c, "head_dim", None) or width // heads,
        "n_positions": get("max_position_embeddings"), "vocab_size": c.vocab_size,
        "n_inner": getattr(c, "intermediate_size", 4 * width), "parameters": model.num_parameters(), "precision": "F32",
    }
    if c.model_type == "gpt2":
        return facts
    return facts | {"rope_theta": c.rope_parameters["rope_theta"], "rope_type": c.rope_parameters["rope_type"]}


for path in files:
    compare(path, of_file(path))

tokenizer = {"version": "1.0", "added_tokens": [], "normalizer": None, "post_processor": None,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
             "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {chr(33 + index): index for index in range(64)}, "merges": []}}
small = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "max_position_embeddings": 96}
llama = small | {"intermediate_size": 56, "num_key_value_heads": 2}
rope = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
        "original_max_position_embeddings": 32}
for name, model_type, values in [
    ("gpt2", "gpt2", small), ("llama", "llama", llama), ("llama-tied", "llama", llama | {"tie_word_embeddings": True}),
    ("llama-biased", "llama", llama | {"attention_bias": True, "mlp_bias": True, "head_dim": 16}),
    ("llama-3", "llama", llama | {"rope_parameters": rope}),
    ("llama-linear", "llama", llama | {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}),
    ("mistral", "mistral", llama | {"sliding_window": None}), ("qwen2", "qwen2", llama),
    ("qwen3", "qwen3", llama | {"head_dim": 16}), ("qwen3-biased", "qwen3", llama | {"attention_bias": True}),
]:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[model_type](**values))
    for size in ("1GB", "20KB"):
        with tempfile.TemporaryDirectory(prefix=f"{name}-{size}-") as folder:
            model.save_pretrained(folder, max_shard_size=size)
            with open(f"{folder}/tokenizer.json", "w", encoding="utf-8") as output:
                json.dump(tokenizer, output)
            shards = len([file for file in os.listdir(folder) if file.endswith(".safetensors")])
            assert (shards > 1) == (size == "20KB"), shards
            compare(folder, of_config(model.config, model))
sys.exit(bad > 0)
