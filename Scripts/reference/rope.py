"""Computes the frequencies of RoPE with transformers: rope.py > Tests/LanguageModelTests/Fixtures/rope.jsonl

A line for each configuration: its `config.json`, the head dimension, the names of its parameters, the rotary module's
attention factor, and for sequences of some lengths its frequencies (float32) and its cosines and sines at the last
position.
"""
import importlib
import json
import os

os.environ.update(TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoConfig

# The rotary module of each model_type, and the keys of tests for its names (RoPEConfiguration.Spelling).
MODULES = {"llama": ("llama.LlamaRotaryEmbedding", "standard"), "gpt_neox": ("gpt_neox.GPTNeoXRotaryEmbedding", "gpt_neox"),
           "phi": ("phi.PhiRotaryEmbedding", "half"), "phi3": ("phi3.Phi3RotaryEmbedding", "phi3"),
           "stablelm": ("stablelm.StableLmRotaryEmbedding", "quarter"),
           "gemma3_text": ("gemma3.Gemma3RotaryEmbedding", "gemma3"), "olmo3": ("olmo3.Olmo3RotaryEmbedding", "standard")}


def numbers(tensor):
    """Returns float32 numbers in as many digits as they need."""
    return [float(f"{number:.9g}") for number in tensor.tolist()]


def short(pairs):
    return [1 + 0.02 * i for i in range(pairs)]


def long(pairs):
    return [1 + 1.7 * i for i in range(pairs)]


CASES = [
    # type, top-level members, layer type, head dimension
    ("llama", {}, None, 64),
    ("llama", {"rope_theta": 5e5}, None, 20),
    ("llama", {"rope_scaling": {"type": "linear", "factor": 4.0}}, None, 128),
    ("llama", {"rope_theta": 5e5, "max_position_embeddings": 131072, "rope_scaling": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192}}, None, 128),
    ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768,
                                   "rope_theta": 1e6}, "max_position_embeddings": 131072}, None, 128),
    ("llama", {"rope_scaling": {"type": "yarn", "factor": 16.0, "original_max_position_embeddings": 4096}}, None, 64),
    ("llama", {"rope_theta": 150000, "rope_scaling": {  # GPT-OSS
        "rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
        "original_max_position_embeddings": 4096}}, None, 64),
    ("llama", {"rope_scaling": {  # DeepSeek-V2
        "type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 4096}}, None, 64),
    ("llama", {"rope_scaling": {"type": "yarn", "factor": 8.0, "attention_factor": 1.25, "beta_fast": 24, "beta_slow": 3},
               "max_position_embeddings": 2048, "original_max_position_embeddings": 512}, None, 96),
    ("llama", {"rope_scaling": {"type": "yarn", "factor": 2.0, "original_max_position_embeddings": 16}}, None, 32),
    ("llama", {"rope_scaling": {"type": "dynamic", "factor": 2.0}, "max_position_embeddings": 256}, None, 64),
    ("llama", {"rope_scaling": {"type": "dynamic", "factor": 4.5}, "max_position_embeddings": 512, "rope_theta": 5e5},
     None, 80),
    ("llama", {"rope_parameters": {"rope_type": "longrope", "short_factor": short(32), "long_factor": long(32),
                                   "factor": 16.0, "original_max_position_embeddings": 300}}, None, 64),
    ("phi3", {"max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "rope_scaling": {
        "type": "longrope", "short_factor": short(48), "long_factor": long(48)}}, None, 96),
    ("phi3", {"max_position_embeddings": 131072, "partial_rotary_factor": 0.75, "rope_scaling": {
        "type": "longrope", "short_factor": short(48), "long_factor": long(48)}}, None, 128),
    ("gpt_neox", {"rotary_pct": 0.25, "rotary_emb_base": 10000}, None, 96),
    ("gpt_neox", {}, None, 80),
    ("gpt_neox", {"rotary_pct": 1.0, "rotary_emb_base": 50000}, None, 64),
    ("gpt_neox", {"rope_parameters": {"rope_theta": 2e4, "partial_rotary_factor": 0.5, "rope_type": "default"}}, None, 64),
    ("gpt_neox", {}, None, 20),  # 5 elements: transformers rotates 6
    ("gpt_neox", {"max_position_embeddings": 256, "rope_parameters": {
        "rope_type": "dynamic", "factor": 3.0, "rope_theta": 2e4, "partial_rotary_factor": 0.3}}, None, 24),
    ("phi3", {"partial_rotary_factor": 0.25}, None, 28),
    ("llama", {"rope_parameters": {"rope_type": "proportional", "factor": 2.5, "partial_rotary_factor": 0.3,
                                   "rope_theta": 5e4}}, None, 64),
    ("llama", {"rope_parameters": {"rope_type": "proportional", "rope_theta": 1e4}}, None, 20),
    ("phi", {"partial_rotary_factor": 0.4}, None, 80),
    ("phi", {"rope_scaling": {"type": "linear", "factor": 2.0}}, None, 64),
    ("stablelm", {"rope_theta": 10000, "partial_rotary_factor": 0.3}, None, 80),
    ("gemma3_text", {"rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
     "full_attention", 256),
    ("gemma3_text", {"rope_theta": 1e6, "rope_local_base_freq": 2e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
     "sliding_attention", 256),
    ("gemma3_text", {"rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5},
                                         "sliding_attention": {"rope_type": "default", "rope_theta": 3e4}}},
     "sliding_attention", 64),
    ("olmo3", {"rope_parameters": {  # truncate has no effect here
        "full_attention": {"rope_type": "yarn", "factor": 8.0, "rope_theta": 5e5, "truncate": False,
                           "original_max_position_embeddings": 512},
        "sliding_attention": {"rope_type": "default", "rope_theta": 5e5}}}, "full_attention", 64),
    ("olmo3", {"rope_theta": 5e5, "max_position_embeddings": 65536, "rope_scaling": {
        "rope_type": "yarn", "factor": 8.0, "attention_factor": 1.2079441541679836, "beta_fast": 32, "beta_slow": 1,
        "original_max_position_embeddings": 8192}}, "full_attention", 128),
    ("olmo3", {"rope_theta": 5e5, "max_position_embeddings": 65536, "rope_scaling": {
        "rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192}}, "sliding_attention", 128),
]

for model_type, members, layer_type, head_dim in CASES:
    name, spelling = MODULES[model_type]
    module, name = name.split(".")
    sizes = {"hidden_size": 2 * head_dim, "num_attention_heads": 2, "num_hidden_layers": 2, "num_key_value_heads": 2,
             "head_dim": head_dim, "max_position_embeddings": 4096}
    given = sizes | json.loads(json.dumps(members))
    extra = {"layer_types": ["sliding_attention", "full_attention"]} if layer_type else {}
    if model_type in ("gpt_neox", "phi", "phi3", "stablelm"):
        del given["head_dim"]
    config = AutoConfig.for_model(model_type, **json.loads(json.dumps(given)), **extra)
    rotary = getattr(importlib.import_module(f"transformers.models.{module}.modeling_{module}"), name)
    context = given["max_position_embeddings"]
    lengths = []
    kwargs = {"layer_type": layer_type} if layer_type else {}
    prefix = f"{layer_type}_" if layer_type else ""
    for length in (211, 300, 301, 700, 4096, 4097):
        embedding = rotary(config)  # a new module, because dynamic scaling has a state
        cos, sin = embedding(torch.zeros(1), torch.tensor([[length - 1]]), **kwargs)
        frequencies = getattr(embedding, f"{prefix}inv_freq")
        entry = {"length": length, "frequencies": numbers(frequencies)}
        if not lengths or entry["frequencies"] != lengths[-1]["frequencies"]:
            pairs = len(entry["frequencies"])
            entry["cosines"], entry["sines"] = numbers(cos[0, 0, :pairs]), numbers(sin[0, 0, :pairs])
            lengths.append(entry)
    print(json.dumps({
        "config": given, "headDim": head_dim, "contextLength": context, "spelling": spelling, "layerType": layer_type,
        "attentionFactor": float(getattr(embedding, f"{prefix}attention_scaling")), "lengths": lengths}))
