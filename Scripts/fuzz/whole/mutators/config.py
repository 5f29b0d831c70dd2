"""config.json and generation_config.json."""
import models
import tree
import values
from mutators import common, json_tree
from tree import Members, Raw

NAMES = ["model_type", "vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon",
         "activation_function", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "tie_word_embeddings", "eos_token_id",
         "add_cross_attention", "quantization_config", "max_position_embeddings", "hidden_size", "intermediate_size",
         "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta",
         "rope_scaling", "rope_parameters", "hidden_act", "attention_bias", "mlp_bias", "sliding_window", "use_sliding_window",
         "max_window_layers", "layer_types", "partial_rotary_factor", "original_max_position_embeddings", "attention_dropout",
         "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "clip_qkv", "embedding_multiplier",
         "residual_multiplier", "attention_multiplier", "logits_scaling", "logit_scale", "no_rope_layers", "no_rope_layer_interval",
         "sliding_window_pattern", "attention_types", "window_size", "rotary_dim", "rotary_pct", "ffn_dim", "ffn_hidden_size", "seq_length",
         "use_parallel_residual", "parallel_attn", "new_decoder_architecture", "multi_query", "use_qk_norm", "qk_layernorm", "use_bias",
         "layer_norm_eps", "norm_epsilon", "rope_local_base_freq", "bos_token_id", "torch_dtype", "architectures"]
CHOICES = {"model_type": ["gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gpt_neox", "phi3", "olmo2", "granite", "bloom", "opt",
                          "cohere", "smollm3", "mamba"],
           "activation_function": ["gelu_new", "gelu", "relu", "gelu_pytorch_tanh"], "hidden_act": ["silu", "swish", "gelu"],
           "attention_types": [[[["local"], 2]], [[["global"], 1], [["local"], 1]], []], "no_rope_layers": [[0, 1], [1, 1, 1], [0]],
           "layer_types": [["full_attention"] * 2, ["sliding_attention", "full_attention"], ["chunked"], []]}
SCALING = ["rope_type", "type", "factor", "rope_theta", "low_freq_factor", "high_freq_factor",
           "original_max_position_embeddings", "partial_rotary_factor", "attention_factor", "beta_fast", "beta_slow"]


def often(rng, name):
    if name in CHOICES:
        return tree.build(rng.choice(CHOICES[name]))
    if name in ("rope_scaling", "rope_parameters"):
        return scaling(rng)
    if name and ("eps" in name or "theta" in name or "factor" in name):
        return values.positive_number(rng) if rng.random() < 0.6 else values.number(rng)
    if name and (name.startswith(("n_", "num_")) or name.endswith(("_size", "_dim", "_embeddings", "window"))):
        return Raw(rng.choice((0, 1, 2, 3, 4, 6, 8, 12, 16, 64, 1024, values.integer(rng))))
    return values.number(rng) if rng.random() < 0.5 else rng.choice((True, False, None))


def scaling(rng):
    kind = rng.choice(("linear", "llama3", "default", "dynamic", "yarn", "longrope", "none"))
    members = Members([[rng.choice(("rope_type", "type")), kind]])
    for name, usual in (("factor", "8.0"), ("low_freq_factor", "1.0"), ("high_freq_factor", "4.0"),
                        ("original_max_position_embeddings", "16"), ("rope_theta", "10000.0")):
        members.append([name, Raw(usual) if rng.random() < 0.6 else often(rng, name)])
    return members


def case(rng):
    is_fixture = rng.random() < 0.3
    files = rng.choice(models.FIXTURES if is_fixture else models.FOLDERS)
    root = tree.parse(files["model/config.json"])
    if "llama" in str(root.get("model_type")) and rng.random() < 0.3:
        root.put(rng.choice(("rope_scaling", "rope_parameters")), scaling(rng))
    json_tree.mutate(rng, root, NAMES if rng.random() < 0.8 else SCALING, often)
    changed = {"model/config.json": json_tree.document(rng, root)}
    if rng.random() < 0.1:
        generation = tree.build({"eos_token_id": [0, 5], "bos_token_id": 1})
        json_tree.mutate(rng, generation, ["eos_token_id", "bos_token_id"])
        changed["model/generation_config.json"] = json_tree.document(rng, generation)
    size = models.FIXTURE_VOCABULARY_SIZE if is_fixture else models.VOCABULARY_SIZE
    return common.model_case(rng, files | changed, size=size)
