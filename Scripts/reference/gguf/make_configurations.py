"""Reads many variants of config.json with transformers: make_configurations.py > configurations.jsonl

Each line has a configuration, the hyperparameters that transformers reads in it, and the shapes of the model's tensors
(on the device "meta", without memory). The output is a fixture of LanguageModelTests.
"""
import copy
import json
import os

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

LLAMA3 = {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 64}
small = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 4, "max_position_embeddings": 128}
configurations = [
    # As published, with fewer layers
    {"model_type": "gpt2", "activation_function": "gelu_new", "bos_token_id": 50256, "eos_token_id": 50256,
     "layer_norm_epsilon": 1e-05, "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 2, "n_positions": 1024,
     "vocab_size": 50257},
    {"model_type": "llama", "attention_bias": False, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
     "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 8192,
     "max_position_embeddings": 131072, "mlp_bias": False, "num_attention_heads": 32, "num_hidden_layers": 2,
     "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
     "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                      "original_max_position_embeddings": 8192, "rope_type": "llama3"},
     "rope_theta": 500000.0, "tie_word_embeddings": True, "vocab_size": 128256},
    {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "max_position_embeddings": 8192,
     "num_attention_heads": 9, "num_hidden_layers": 2, "num_key_value_heads": 3, "rms_norm_eps": 1e-05,
     "rope_interleaved": False, "rope_scaling": None, "rope_theta": 100000, "tie_word_embeddings": True,
     "vocab_size": 49152, "bos_token_id": 1, "eos_token_id": 2},
    {"model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "max_position_embeddings": 32768,
     "num_attention_heads": 32, "num_hidden_layers": 2, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
     "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": False, "vocab_size": 32000},
    {"model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "max_position_embeddings": 32768,
     "num_attention_heads": 32, "num_hidden_layers": 2, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
     "rope_theta": 1000000.0, "sliding_window": None, "tie_word_embeddings": False, "vocab_size": 32768},
    {"model_type": "qwen2", "eos_token_id": 151645, "hidden_size": 896, "intermediate_size": 4864,
     "max_position_embeddings": 32768, "max_window_layers": 21, "num_attention_heads": 14, "num_hidden_layers": 2,
     "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768,
     "tie_word_embeddings": True, "use_sliding_window": False, "vocab_size": 151936},
    {"model_type": "qwen3", "attention_bias": False, "eos_token_id": 151645, "head_dim": 128, "hidden_size": 1024,
     "intermediate_size": 3072, "max_position_embeddings": 40960, "max_window_layers": 28, "num_attention_heads": 16,
     "num_hidden_layers": 2, "num_key_value_heads": 8, "rms_norm_eps": 1e-06, "rope_scaling": None,
     "rope_theta": 1000000, "sliding_window": None, "tie_word_embeddings": True, "use_sliding_window": False,
     "vocab_size": 151936},
    # Missing and null members
    {"model_type": "gpt2", "n_layer": 1, "n_inner": None},
    {"model_type": "gpt2", "n_layer": 1, "n_embd": 24, "n_head": 2, "n_inner": 40, "tie_word_embeddings": False},
    {"model_type": "llama", "num_hidden_layers": 1},
    {"model_type": "mistral", "num_hidden_layers": 1},
    {"model_type": "qwen2", "num_hidden_layers": 1},
    {"model_type": "qwen3", "num_hidden_layers": 1},
    *({"model_type": kind, **small, "num_key_value_heads": None} for kind in ("llama", "qwen2", "qwen3")),
    {"model_type": "llama", **small, "eos_token_id": None},
    # Biases, heads, windows, scaling
    {"model_type": "llama", **small, "attention_bias": True, "mlp_bias": True, "head_dim": 6},
    {"model_type": "mistral", **small, "num_key_value_heads": 2, "head_dim": 8, "attention_bias": True},
    {"model_type": "qwen2", **small, "num_key_value_heads": 2, "head_dim": 8},
    {"model_type": "qwen3", **small, "num_key_value_heads": 1, "attention_bias": True, "head_dim": 10},
    {"model_type": "qwen2", **small, "use_sliding_window": True, "sliding_window": 32,
     "max_window_layers": 1},
    {"model_type": "qwen2", **small, "use_sliding_window": True, "sliding_window": 32,
     "max_window_layers": 2},
    {"model_type": "qwen3", **small, "use_sliding_window": True, "sliding_window": 32,
     "layer_types": ["full_attention", "sliding_attention"]},
    {"model_type": "llama", **small, "rope_scaling": {"type": "linear", "factor": 2.0}},
    {"model_type": "llama", **small, "rope_theta": 500.5, "rope_scaling": {"rope_type": "llama3", **LLAMA3}},
    {"model_type": "llama", **small, "rope_scaling": {"type": "llama3", **LLAMA3}},
    {"model_type": "qwen3", **small, "rope_parameters": {"rope_type": "linear", "factor": 4, "rope_theta": 5000.0}},
    {"model_type": "qwen2", **small, "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}},
    {"model_type": "mistral", **small, "rope_theta": 777.0, "rope_parameters": {"rope_type": "default"}},
    {"model_type": "llama", **small,
     "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0}},
]


def windows(c):
    """Returns the size of the attention window of each layer; None for a layer with full attention."""
    count = c.num_hidden_layers
    if c.model_type == "mistral":
        return [c.sliding_window] * count
    types = getattr(c, "layer_types", None) or ["full_attention"] * count
    return [c.sliding_window if kind == "sliding_attention" else None for kind in types]


def reading(values):
    c = CONFIG_MAPPING[values["model_type"]].from_dict(copy.deepcopy(values))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(c)
    shapes = {name.removeprefix("model.").removeprefix("transformer."): list(value.shape)
              for name, value in model.named_parameters(remove_duplicate=False)}
    end = c.eos_token_id
    facts = {"vocab_size": c.vocab_size, "end_of_text": end if isinstance(end, list) else [] if end is None else [end],
             "tied": c.tie_word_embeddings, "context": c.max_position_embeddings, "windows": windows(c)}
    if c.model_type == "gpt2":
        facts |= {"epsilon": c.layer_norm_epsilon, "heads": c.n_head, "heads_kv": c.n_head, "head_width": c.n_embd // c.n_head}
    else:
        head = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
        facts |= {"epsilon": c.rms_norm_eps, "heads": c.num_attention_heads, "heads_kv": c.num_key_value_heads,
                  "head_width": head, "rope": c.rope_parameters}
    return {"config": values, "facts": facts, "shapes": shapes}


for values in configurations:
    print(json.dumps(reading(values), separators=(",", ":")))
