"""The small random models of each family: names, settings, and the form of the folder and of the GGUF file.

Each family has at least five models. Together they set every member of config.json that changes the forward pass to a
value that is not its default, with odd sizes, grouped heads, windows shorter than the text and each scaling of RoPE.
"""
from dataclasses import dataclass, field

LENGTHS = (1, 2, 7, 33, 64, 65, 120, 300)  # of the prompts
SMALL_LENGTHS = (1, 5, 40)


@dataclass
class Model:
    name: str
    model_type: str
    settings: dict
    hub: bool = False  # config.json has just the settings, by the names of the hub's files
    bare: bool = False  # tensor names without the prefix of the whole model, as in files of the base model
    extras: bool = False  # the file has the buffers that old versions saved, and a tied lm_head.weight
    dtype: str = "bfloat16"  # of the file; the weights are exact in bfloat16 and float16
    gguf: str | None = None  # the type of the matrices in the GGUF file; None if the format cannot hold the model
    lengths: tuple = field(default=LENGTHS)


def sizes(hidden, intermediate, layers, heads, key_value_heads=None, context=320, vocabulary=96, **others):
    return dict(vocab_size=vocabulary, hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers,
                num_attention_heads=heads, max_position_embeddings=context) | (
                    {} if key_value_heads is None else {"num_key_value_heads": key_value_heads}) | others


A = sizes(32, 56, 2, 4, 2)
B = sizes(36, 52, 3, 6, 2, vocabulary=97)  # heads of 6
C = sizes(40, 45, 2, 5, 1, vocabulary=95)  # one key-value head
D = sizes(48, 64, 4, 3, 3)
BLOCKS = sizes(64, 96, 2, 4, 2)  # rows are whole blocks of Q8_0
SMALL = sizes(16, 24, 2, 4, 2, context=64, vocabulary=40)


def without_groups(settings, **others):
    return {name: value for name, value in settings.items() if name != "num_key_value_heads"} | others


def scaling(kind, rotated, **others):
    """Returns rope_parameters without the base. The original context is shorter than the text.

    rotated: the width of the rotated part of a head.
    """
    half = rotated // 2
    return {
        "linear": {"rope_type": "linear", "factor": 2.5},
        "dynamic": {"rope_type": "dynamic", "factor": 3.0},
        "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 80},
        "longrope": {"rope_type": "longrope", "original_max_position_embeddings": 64,
                     "short_factor": [1 + i / (2 * half) for i in range(half)],
                     "long_factor": [1.5 + 3 * i / half for i in range(half)]},
        "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                   "original_max_position_embeddings": 60},
    }[kind] | others


def scalings(model_type, settings, rotated, gguf=(), partial=None, name=None):
    """Returns a model for each scaling of RoPE; linear and dynamic by the hub's names."""
    name = name or model_type
    models = []
    for kind in ("linear", "dynamic", "yarn", "longrope", "llama3"):
        parameters = scaling(kind, rotated)
        own = dict(settings)
        if kind == "dynamic":
            own["max_position_embeddings"] = 100  # the text is longer
        part = {} if partial is None else {"partial_rotary_factor": partial}
        hub = kind in ("linear", "dynamic")
        if hub:
            parameters["type"] = parameters.pop("rope_type")
            own |= {"rope_theta": 10000.0, "rope_scaling": parameters} | part
        else:
            own["rope_parameters"] = parameters | {"rope_theta": 10000.0} | part
        models.append(Model(f"{name}-{kind}", model_type, own, hub=hub, gguf="bf16" if kind in gguf else None))
    return models


ACTIVATIONS = ("gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "gelu_accurate",
    "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu", "relu2", "relu6", "sigmoid", "silu",
    "swish", "tanh")


def opt():
    def own(settings, **others):
        names = without_groups(settings, ffn_dim=settings["intermediate_size"], **others)
        del names["intermediate_size"]
        return names

    odd = sizes(35, 45, 3, 5)
    return [
        Model("opt-small", "opt", own(SMALL), lengths=SMALL_LENGTHS),
        Model("opt-hub", "opt", own(A, word_embed_proj_dim=32, do_layer_norm_before=True, activation_function="relu"),
              hub=True, extras=True, dtype="float16"),
        Model("opt-bare", "opt", own(D, activation_function="gelu"), hub=True, bare=True),
        Model("opt-odd", "opt", own(odd, activation_function="gelu_new"), dtype="float32"),
        Model("opt-no-bias", "opt", own(A, enable_bias=False, activation_function="silu")),
        Model("opt-no-affine", "opt", own(D, layer_norm_elementwise_affine=False, activation_function="relu2")),
        Model("opt-no-final-norm", "opt", own(odd, _remove_final_layer_norm=True), hub=True),
        Model("opt-untied", "opt", own(A, tie_word_embeddings=False, enable_bias=False,
            layer_norm_elementwise_affine=False)),
    ]


def gpt_neo():
    def own(hidden, layers, heads, types, vocabulary=96, context=320, **others):
        return dict(vocab_size=vocabulary, hidden_size=hidden, num_layers=layers, num_heads=heads,
                    attention_types=types, max_position_embeddings=context) | others

    both = [[["global", "local"], 1]]
    return [
        Model("gpt_neo-small", "gpt_neo", own(16, 2, 2, both, 40, 64, window_size=7), lengths=SMALL_LENGTHS),
        Model("gpt_neo-hub", "gpt_neo", own(32, 2, 4, both), hub=True, extras=True, dtype="float32"),  # a window of 256
        Model("gpt_neo-local", "gpt_neo", own(36, 3, 6, [[["local"], 3]], window_size=16, activation_function="gelu")),
        Model("gpt_neo-window-1", "gpt_neo", own(32, 2, 2, both, window_size=1, intermediate_size=44)),
        Model("gpt_neo-groups", "gpt_neo", own(35, 4, 5, [[["local"], 1], [["global", "local", "local"], 1]],
            window_size=33, intermediate_size=57, activation_function="relu"), hub=True, dtype="float16"),
        Model("gpt_neo-untied", "gpt_neo", own(48, 2, 3, [[["global"], 2]], tie_word_embeddings=False,
                                               layer_norm_epsilon=1e-2, activation_function="silu"), bare=True),
    ]


def gpt_neox():
    def own(settings, **others):
        return without_groups(settings, **others)

    def rope(pct, **others):
        parameters = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": pct}
        return {"rope_parameters": parameters | others}

    return [
        Model("gpt_neox-small", "gpt_neox", own(SMALL, **rope(0.5)), lengths=SMALL_LENGTHS),
        Model("gpt_neox-pythia", "gpt_neox", own(D, rotary_pct=0.25, rotary_emb_base=10000, hidden_act="gelu",
            use_parallel_residual=True), hub=True, extras=True, dtype="float16", gguf="f16"),
        Model("gpt_neox-defaults", "gpt_neox", own(A), hub=True, gguf="bf16"),
        Model("gpt_neox-sequential", "gpt_neox", own(B, rotary_pct=1.0, use_parallel_residual=False), hub=True,
            gguf="f32"),
        Model("gpt_neox-blocks", "gpt_neox", own(BLOCKS, use_parallel_residual=False, **rope(0.5)), gguf="q8_0"),
        Model("gpt_neox-no-bias", "gpt_neox", own(C, attention_bias=False, **rope(1.0, rope_theta=500.0))),
        Model("gpt_neox-fast", "gpt_neox", own(D, hidden_act="gelu_fast", rotary_emb_base=25000, rotary_pct=0.75),
            hub=True),
        Model("gpt_neox-tied", "gpt_neox", own(A, hidden_act="relu", tie_word_embeddings=True, layer_norm_eps=1e-2,
            **rope(0.75))),
        Model("gpt_neox-odd-part", "gpt_neox", own(sizes(40, 50, 2, 2)), gguf="f32"),  # 5 of 20 elements
        *scalings("gpt_neox", own(D), 8, partial=0.5),
    ]


def gptj():
    def own(width, layers, heads, rotary, inner=None, vocabulary=96, context=320, **others):
        return dict(vocab_size=vocabulary, n_embd=width, n_layer=layers, n_head=heads, rotary_dim=rotary, n_inner=inner,
                    n_positions=context) | others

    return [
        Model("gptj-small", "gptj", own(16, 2, 2, 4, 24, 40, 64), lengths=SMALL_LENGTHS),
        Model("gptj-hub", "gptj", own(32, 2, 4, 4), hub=True, extras=True, dtype="float16"),
        Model("gptj-whole", "gptj", own(36, 3, 3, 12, 50, activation_function="gelu")),
        Model("gptj-odd", "gptj", own(55, 2, 5, 6, 61, vocabulary=97, activation_function="relu"), dtype="float32"),
        Model("gptj-tied", "gptj", own(48, 4, 3, 2, 70, tie_word_embeddings=True, layer_norm_epsilon=1e-2)),
        Model("gptj-one-head", "gptj", own(24, 1, 1, 16, 40, activation_function="silu"), hub=True, bare=True),
    ]


def gemma():
    def own(settings, **others):
        return dict(settings) | others

    plain = {"rope_type": "default", "rope_theta": 10000.0}
    return [
        Model("gemma-small", "gemma", own(SMALL, head_dim=6, rope_parameters=plain), lengths=SMALL_LENGTHS),
        Model("gemma-hub", "gemma", own(C, head_dim=16, hidden_act="gelu", hidden_activation=None, rope_theta=10000.0),
            hub=True, gguf="bf16"),
        Model("gemma-groups", "gemma", own(B, head_dim=10, hidden_act="gelu_pytorch_tanh", rope_parameters=plain),
            gguf="f32"),
        Model("gemma-blocks", "gemma", own(BLOCKS, head_dim=24, rope_parameters=plain), gguf="q8_0"),
        Model("gemma-bias", "gemma", own(A, head_dim=12, attention_bias=True, rms_norm_eps=1e-2,
                                         rope_parameters=plain | {"rope_theta": 300.0})),
        Model("gemma-act", "gemma", own(D, head_dim=8, hidden_act="silu", tie_word_embeddings=False,
            rope_parameters=plain)),
        *scalings("gemma", own(A, head_dim=12), 12),
    ]


def gemma2():
    def own(settings, head, scalar=None, **others):
        return settings | {"head_dim": head, "query_pre_attn_scalar": scalar or head} | others

    plain = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}
    return [
        Model("gemma2-small", "gemma2", own(SMALL, 6, sliding_window=9, **plain), lengths=SMALL_LENGTHS),
        Model("gemma2-hub", "gemma2", own(A, 12, sliding_window=16, attn_logit_softcapping=2.0,
            final_logit_softcapping=4.0, hidden_act="gelu_pytorch_tanh", rope_theta=10000.0), hub=True, gguf="bf16"),
        Model("gemma2-groups", "gemma2", own(B, 10, sliding_window=50, attn_logit_softcapping=5.0, **plain),
            gguf="f32"),
        Model("gemma2-blocks", "gemma2", own(BLOCKS, 24, sliding_window=33, **plain), gguf="q8_0"),
        Model("gemma2-scalar", "gemma2", own(C, 8, 20, sliding_window=1, attention_bias=True, **plain)),
        Model("gemma2-types", "gemma2", own(D, 16, 9, sliding_window=20, attn_logit_softcapping=None,
            final_logit_softcapping=None, layer_types=["full_attention", "sliding_attention", "sliding_attention",
            "full_attention"], **plain)),
        Model("gemma2-act", "gemma2", own(D, 8, sliding_window=300, hidden_activation="relu", rms_norm_eps=1e-2,
                                          rope_theta=400.0), hub=True),
        *scalings("gemma2", own(A, 12, sliding_window=40), 12),
    ]


def gemma3():
    def own(settings, head, scalar=None, **others):
        return settings | {"head_dim": head, "query_pre_attn_scalar": scalar or head} | others

    def bases(full, sliding=10000.0, **others):
        return {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": full} | others,
                                    "sliding_attention": {"rope_type": "default", "rope_theta": sliding}}}

    seven = {"num_hidden_layers": 7}
    text = own(C | seven, 8, sliding_window=12, rope_theta=1000000.0, rope_local_base_freq=10000.0,
        sliding_window_pattern=6, rope_scaling={"rope_type": "linear", "factor": 8.0})
    vision = dict(model_type="siglip_vision_model", hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=1, image_size=16, patch_size=8)
    models = [
        Model("gemma3-small", "gemma3_text", own(SMALL, 6, sliding_window=9, sliding_window_pattern=2), hub=True,
              lengths=SMALL_LENGTHS),
        Model("gemma3-hub", "gemma3_text", own(C | seven, 8, sliding_window=24, rope_theta=1000000.0,
            rope_local_base_freq=10000.0, sliding_window_pattern=6, rope_scaling=None), hub=True, gguf="bf16"),
        Model("gemma3-linear", "gemma3_text", text, hub=True, gguf="f32"),
        Model("gemma3-blocks", "gemma3_text", own(BLOCKS | seven, 24, sliding_window=33), gguf="q8_0"),
        Model("gemma3-softcaps", "gemma3_text", own(A | seven, 12, sliding_window=50, final_logit_softcapping=3.0,
            rms_norm_eps=1e-2, **bases(20000.0, 300.0)), gguf="bf16"),
        Model("gemma3-scalar", "gemma3_text", own(B, 10, 33, sliding_window=7, attn_logit_softcapping=2.0,
            sliding_window_pattern=3, rope_theta=50000.0, rope_local_base_freq=500.0), hub=True),
        Model("gemma3-types", "gemma3_text", own(D, 16, sliding_window=20, attention_bias=True,
            hidden_activation="silu", layer_types=["full_attention", "sliding_attention", "sliding_attention",
            "full_attention"], **bases(1000.0))),
        Model("gemma3-text-config", "gemma3", dict(text_config=text | {"model_type": "gemma3_text"},
            vision_config=vision, mm_tokens_per_image=4, boi_token_index=90, eoi_token_index=91, image_token_index=92),
            hub=True),
    ]
    for kind in ("dynamic", "yarn", "longrope", "llama3"):
        settings = own(A, 12, sliding_window=40, sliding_window_pattern=2)
        if kind == "dynamic":
            settings["max_position_embeddings"] = 100
        models.append(Model(f"gemma3-{kind}", "gemma3_text", settings | bases(1000000.0, **scaling(kind, 12))))
    return models


def phi():
    def plain(factor, theta=10000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, "partial_rotary_factor": factor}}

    four_times = {"intermediate_size": 128}
    return [
        Model("phi-small", "phi", SMALL | plain(0.5), lengths=SMALL_LENGTHS),
        Model("phi-hub", "phi", without_groups(A, **four_times, partial_rotary_factor=0.5, rope_theta=10000.0,
            rope_scaling=None, num_key_value_heads=None, qk_layernorm=False, hidden_act="gelu_new"), hub=True,
            dtype="float16", gguf="f16"),
        Model("phi-defaults", "phi", without_groups(A, **four_times), hub=True, gguf="bf16"),
        Model("phi-blocks", "phi", without_groups(BLOCKS, intermediate_size=256, **plain(0.25)), gguf="q8_0"),
        Model("phi-groups", "phi", B | {"hidden_act": "gelu"} | plain(1.0, 700.0)),
        Model("phi-norms", "phi", A | {"qk_layernorm": True, "layer_norm_eps": 1e-2} | plain(0.5)),
        Model("phi-one-head", "phi", C | {"tie_word_embeddings": True, "hidden_act": "relu"} | plain(0.75)),
        *scalings("phi", D, 8, partial=0.5),
    ]


def phi3():
    def long(rotated, original, partial=None, **others):
        part = {} if partial is None else {"partial_rotary_factor": partial}
        own = scaling("longrope", rotated, original_max_position_embeddings=original, rope_theta=10000.0, **others)
        return {"rope_parameters": own | part, "original_max_position_embeddings": original}

    def hub_long(rotated, original):
        own = scaling("longrope", rotated)
        return {"original_max_position_embeddings": original, "rope_theta": 10000.0, "rope_scaling": {
            "type": "longrope", "short_factor": own["short_factor"], "long_factor": own["long_factor"]}}

    ids = dict(pad_token_id=None, bos_token_id=1, eos_token_id=2)
    plain = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}
    small = ids | {"original_max_position_embeddings": 320}
    return [
        Model("phi3-small", "phi3", SMALL | small | plain, lengths=SMALL_LENGTHS),
        Model("phi3-hub", "phi3", without_groups(A, **ids, num_key_value_heads=4, original_max_position_embeddings=320,
            rope_theta=10000.0, rope_scaling=None, sliding_window=None), hub=True, gguf="bf16"),
        Model("phi3-window", "phi3", B | small | {"sliding_window": 30} | plain),
        Model("phi3-blocks", "phi3", BLOCKS | small | plain, gguf="q8_0"),
        Model("phi3-longrope", "phi3", A | ids | hub_long(8, 64), hub=True),
        Model("phi3-longrope-short", "phi3", D | ids | {"max_position_embeddings": 2000} | hub_long(16, 600), hub=True,
            gguf="f32"),
        Model("phi3-longrope-factor", "phi3", C | ids | long(8, 100, attention_factor=1.3)),
        Model("phi3-partial", "phi3", D | ids | {"partial_rotary_factor": 0.75, "tie_word_embeddings": True,
            "sliding_window": 400} | hub_long(12, 64), hub=True),
        Model("phi3-partial-short", "phi3", D | ids | {"max_position_embeddings": 1000, "tie_word_embeddings": True}
              | long(12, 600, 0.75), gguf="bf16"),
        Model("phi3-act", "phi3", C | small | {"hidden_act": "gelu", "rms_norm_eps": 1e-2} | plain),
    ]


def llama_like(model_type, gguf_scalings=(), biases=("attention_bias",), theta=10000.0, width_of_head=None, **common):
    """Returns models of a family with the settings of Llama."""
    def plain(base=theta):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": base}}

    def head(width):
        return {} if width_of_head is None else {"head_dim": width}

    stated = {} if width_of_head is None else {"head_dim": 8}
    return [
        Model(f"{model_type}-small", model_type, SMALL | common | head(6) | plain(), lengths=SMALL_LENGTHS),
        Model(f"{model_type}-hub", model_type, A | common | stated | {"rope_theta": theta, "rope_scaling": None,
            "tie_word_embeddings": False}, hub=True, gguf="bf16"),
        Model(f"{model_type}-groups", model_type, B | common | head(10) | {"tie_word_embeddings": True}
            | plain(20000.0), dtype="float16", gguf="f16"),
        Model(f"{model_type}-one-head", model_type, C | common | head(16) | plain(), dtype="float32", gguf="f32"),
        Model(f"{model_type}-blocks", model_type, BLOCKS | common | head(32) | plain(), gguf="q8_0"),
        *[Model(f"{model_type}-biases", model_type, D | common | head(12) | dict.fromkeys(own, True) | plain(400.0))
          for own in [biases] if own],
        Model(f"{model_type}-act", model_type, A | common | head(6) | {"hidden_act": "gelu"} | plain()),
        *scalings(model_type, A | common | stated, 8, gguf_scalings),
    ]


def olmo():
    norm = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}
    return llama_like("olmo", ("linear",)) + [
        Model("olmo-clip", "olmo", B | norm | {"clip_qkv": 0.7}, gguf="bf16"),
        Model("olmo-clip-hub", "olmo", without_groups(D, clip_qkv=0.4, attention_bias=False, rope_theta=10000.0),
            hub=True, gguf="f32"),
    ]


def olmo2():
    return llama_like("olmo2", ("linear", "yarn"), theta=500000.0) + [
        Model("olmo2-epsilon", "olmo2", without_groups(D, rms_norm_eps=1e-2, rope_theta=500000.0), hub=True,
            gguf="bf16"),
    ]


def olmo3():
    kinds = ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"]

    def bases(full=500000.0, sliding=500000.0, **others):
        return {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": full} | others,
                                    "sliding_attention": {"rope_type": "default", "rope_theta": sliding}}}

    yarn = scaling("yarn", 16, factor=8.0, beta_fast=32.0, beta_slow=1.0, attention_factor=1.2079441541679836)
    models = [
        Model("olmo3-small", "olmo3", SMALL | {"sliding_window": 9, "layer_types": kinds[1:3]} | bases(),
            lengths=SMALL_LENGTHS),
        Model("olmo3-hub", "olmo3", D | {"sliding_window": 20, "layer_types": kinds, "rope_theta": 500000,
            "rope_scaling": yarn}, hub=True, gguf="bf16"),
        Model("olmo3-defaults", "olmo3", without_groups(D, sliding_window=33), hub=True, gguf="f32"),
        Model("olmo3-groups", "olmo3", B | {"sliding_window": 50, "layer_types": kinds[1:]} | bases(), gguf="f16"),
        Model("olmo3-blocks", "olmo3", BLOCKS | {"sliding_window": 33, "layer_types": kinds[1:3]} | bases(),
            gguf="q8_0"),
        Model("olmo3-bases", "olmo3", C | {"sliding_window": 5, "layer_types": kinds[:2], "attention_bias": True,
                                           "tie_word_embeddings": True} | bases(1000.0, 300.0)),
        Model("olmo3-act", "olmo3", A | {"sliding_window": 1, "hidden_act": "relu", "rms_norm_eps": 1e-2} | bases()),
    ]
    for kind in ("linear", "dynamic", "yarn", "longrope", "llama3"):
        settings = A | {"sliding_window": 40, "layer_types": kinds[1:3]}
        if kind == "dynamic":
            settings["max_position_embeddings"] = 100
        models.append(Model(f"olmo3-{kind}", "olmo3", settings | bases(**scaling(kind, 8))))
    return models


def stablelm():
    def plain(factor, theta=10000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, "partial_rotary_factor": factor}}

    return [
        Model("stablelm-small", "stablelm", SMALL | plain(0.5), lengths=SMALL_LENGTHS),
        Model("stablelm-hub", "stablelm", D | dict(partial_rotary_factor=0.25, rope_theta=10000, use_qkv_bias=True,
            use_parallel_residual=False, qk_layernorm=False), hub=True, dtype="float16", gguf="f16"),
        Model("stablelm-defaults", "stablelm", A | {}, hub=True, gguf="bf16"),
        Model("stablelm-parallel", "stablelm", B | {"use_parallel_residual": True, "qk_layernorm": True} | plain(0.34),
            gguf="f32"),
        Model("stablelm-blocks", "stablelm", BLOCKS | {"use_qkv_bias": True} | plain(0.5), gguf="q8_0"),
        Model("stablelm-norms", "stablelm", A | {"qk_layernorm": True, "use_qkv_bias": True, "layer_norm_eps": 1e-2}
            | plain(1.0)),
        Model("stablelm-tied", "stablelm", C | {"tie_word_embeddings": True, "hidden_act": "gelu",
            "use_parallel_residual": True} | plain(0.75, 500.0)),
        *scalings("stablelm", D, 8, partial=0.5),
    ]


def starcoder2():
    def plain(theta=10000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}

    return [
        Model("starcoder2-small", "starcoder2", SMALL | {"sliding_window": 9} | plain(), lengths=SMALL_LENGTHS),
        Model("starcoder2-hub", "starcoder2", A | {"rope_theta": 99999.4, "sliding_window": 4096, "use_bias": True},
            hub=True, gguf="bf16"),
        Model("starcoder2-window", "starcoder2", B | {"sliding_window": 30, "hidden_act": "gelu"} | plain()),
        Model("starcoder2-no-bias", "starcoder2", C | {"use_bias": False} | plain()),
        Model("starcoder2-untied", "starcoder2", D | {"tie_word_embeddings": False, "norm_epsilon": 1e-2}
            | plain(2000.0), gguf="f16"),
        Model("starcoder2-blocks", "starcoder2", BLOCKS | plain(), gguf="q8_0"),
        *scalings("starcoder2", A, 8),
    ]


def granite():
    factors = dict(embedding_multiplier=6.0, attention_multiplier=0.2, residual_multiplier=0.22, logits_scaling=4.0)
    return llama_like("granite", ("linear",), ("attention_bias", "mlp_bias"), **factors) + [
        Model("granite-ones", "granite", A | {"rope_theta": 10000.0}, hub=True, gguf="bf16"),
        Model("granite-biases-gguf", "granite", D | factors | {"attention_bias": True, "rope_theta": 10000.0,
            "logits_scaling": 0.5}, hub=True, gguf="f32"),
    ]


def smollm3():
    def plain(theta=2000000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}

    ids = dict(pad_token_id=None, bos_token_id=1, eos_token_id=2)
    five = ids | {"num_hidden_layers": 5}
    interval = ids | {"no_rope_layer_interval": 2}
    return [
        Model("smollm3-small", "smollm3", SMALL | interval | plain(), lengths=SMALL_LENGTHS),
        Model("smollm3-hub", "smollm3", A | five | dict(no_rope_layers=[1, 1, 1, 0, 1], no_rope_layer_interval=4,
            rope_theta=5000000.0, rope_scaling=None, layer_types=["full_attention"] * 5, sliding_window=None,
            use_sliding_window=False, attention_bias=False), hub=True, gguf="bf16"),
        Model("smollm3-defaults", "smollm3", A | five, hub=True, gguf="f32"),
        Model("smollm3-untied", "smollm3", B | five | {"tie_word_embeddings": False} | plain(10000.0), gguf="f16"),
        Model("smollm3-blocks", "smollm3", BLOCKS | five | plain(), gguf="q8_0"),
        Model("smollm3-interval", "smollm3", D | ids | {"no_rope_layer_interval": 3} | plain()),
        Model("smollm3-list", "smollm3", C | ids | {"no_rope_layers": [0, 1], "hidden_act": "gelu",
            "rms_norm_eps": 1e-2} | plain(500.0)),
        Model("smollm3-window", "smollm3", D | interval | {"use_sliding_window": True, "sliding_window": 20,
            "attention_bias": True, "mlp_bias": True} | plain()),
        *scalings("smollm3", A | interval, 8),
    ]


def bloom():
    def own(hidden, layers, heads, vocabulary=96, **others):
        return dict(vocab_size=vocabulary, hidden_size=hidden, n_layer=layers, n_head=heads, seq_length=2048) | others

    return [
        Model("bloom-small", "bloom", own(16, 2, 2, 40), lengths=SMALL_LENGTHS),
        Model("bloom-hub", "bloom", dict(vocab_size=96, n_embed=32, n_layer=2, num_attention_heads=4, seq_length=2048,
            apply_residual_connection_post_layernorm=False), hub=True, bare=True, dtype="float16", gguf="f16"),
        Model("bloom-odd-heads", "bloom", own(35, 3, 5, 97), gguf="f32"),
        Model("bloom-twelve-heads", "bloom", own(48, 4, 12), gguf="bf16"),
        Model("bloom-blocks", "bloom", own(64, 2, 4), gguf="q8_0"),
        Model("bloom-post-norm", "bloom", own(42, 3, 6, apply_residual_connection_post_layernorm=True)),
        Model("bloom-untied", "bloom", own(39, 2, 3, tie_word_embeddings=False, layer_norm_epsilon=1e-2),
            dtype="float32"),
        Model("bloom-one-head", "bloom", own(24, 2, 1, hidden_dropout=0.1), hub=True),
    ]


def falcon():
    def own(settings, **others):
        names = without_groups(settings, **others)
        del names["intermediate_size"]
        return names

    def plain(theta=10000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}

    seven = sizes(42, 0, 2, 7)
    return [
        Model("falcon-small", "falcon", own(SMALL, **plain()), lengths=SMALL_LENGTHS),
        Model("falcon-7b", "falcon", own(seven, multi_query=True, parallel_attn=True, alibi=False, bias=False,
                                         new_decoder_architecture=False), hub=True, gguf="bf16"),
        Model("falcon-40b", "falcon", own(A, new_decoder_architecture=True, num_kv_heads=2, multi_query=True,
            parallel_attn=True, alibi=False, bias=False), hub=True, gguf="f32"),
        Model("falcon-11b", "falcon", own(A, new_decoder_architecture=True, num_kv_heads=2, num_ln_in_parallel_attn=1,
                                          ffn_hidden_size=100, rope_theta=500042.0), hub=True),
        Model("falcon-blocks", "falcon", own(BLOCKS, **plain()), gguf="q8_0"),
        Model("falcon-rw", "falcon", own(B, alibi=True, multi_query=False, parallel_attn=False, bias=True), hub=True),
        Model("falcon-alibi-parallel", "falcon", own(seven, alibi=True, multi_query=True, tie_word_embeddings=False)),
        Model("falcon-sequential", "falcon", own(A, multi_query=False, parallel_attn=False, activation="relu",
            **plain(900.0))),
        Model("falcon-bias", "falcon", own(C, bias=True, ffn_hidden_size=71, layer_norm_epsilon=1e-2,
            activation="gelu_new", **plain())),
        *scalings("falcon", own(A), 8),
    ]


def cohere():
    def plain(theta=10000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}

    return [
        Model("cohere-small", "cohere", SMALL | {"logit_scale": 0.5} | plain(), lengths=SMALL_LENGTHS),
        Model("cohere-hub", "cohere", A | {"logit_scale": 0.0625, "rope_theta": 8000000.0, "use_qk_norm": False,
                                           "model_max_length": 320}, hub=True, dtype="float16", gguf="f16"),
        Model("cohere-norms", "cohere", B | {"logit_scale": 0.8333333333333334, "use_qk_norm": True}
            | plain(75000000.0)),
        # llama.cpp has norms of queries and keys in models of 64 layers
        Model("cohere-64-layers", "cohere", SMALL | {"num_hidden_layers": 64, "use_qk_norm": True} | plain(),
            gguf="f32", lengths=SMALL_LENGTHS),
        Model("cohere-one-head", "cohere", C | {"logit_scale": 2.0} | plain(), dtype="float32", gguf="f32"),
        Model("cohere-blocks", "cohere", BLOCKS | plain(), gguf="q8_0"),
        Model("cohere-biases", "cohere", D | {"attention_bias": True, "use_qk_norm": True, "layer_norm_eps": 1e-2}
            | plain(300.0)),
        Model("cohere-untied", "cohere", A | {"tie_word_embeddings": False, "hidden_act": "gelu"} | plain()),
        *scalings("cohere", A, 8),
    ]


def cohere2():
    def plain(theta=10000.0):
        return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}

    five = {"num_hidden_layers": 5}
    return [
        Model("cohere2-small", "cohere2", SMALL | {"sliding_window": 9, "layer_types": ["sliding_attention",
            "full_attention"]} | plain(), lengths=SMALL_LENGTHS),
        Model("cohere2-hub", "cohere2", A | five | {"sliding_window": 20, "sliding_window_pattern": 4,
            "rope_theta": 50000, "logit_scale": 0.25, "rotary_pct": 1.0}, hub=True, gguf="bf16"),
        Model("cohere2-defaults", "cohere2", without_groups(D, num_hidden_layers=5, sliding_window=33), hub=True,
            gguf="f32"),
        Model("cohere2-groups", "cohere2", B | five | {"sliding_window": 50} | plain(), gguf="f16"),
        Model("cohere2-blocks", "cohere2", BLOCKS | five | {"sliding_window": 33} | plain(), gguf="q8_0"),
        Model("cohere2-biases", "cohere2", C | {"attention_bias": True, "sliding_window": 6,
            "sliding_window_pattern": 2, "layer_norm_eps": 1e-2, "rope_theta": 700.0}, hub=True),
        Model("cohere2-untied", "cohere2", D | {"tie_word_embeddings": False, "hidden_act": "gelu",
            "sliding_window": 12, "layer_types": ["full_attention", "sliding_attention"] * 2} | plain()),
        *scalings("cohere2", A | {"sliding_window": 40, "layer_types": ["sliding_attention", "full_attention"]}, 8),
    ]


def gpt2():
    def own(width, layers, heads, inner=None, vocabulary=96, context=320, **others):
        return dict(vocab_size=vocabulary, n_embd=width, n_layer=layers, n_head=heads, n_inner=inner,
                    n_positions=context) | others

    return [
        Model("gpt2-small", "gpt2", own(16, 2, 2, 24, 40, 64), lengths=SMALL_LENGTHS),
        Model("gpt2-hub", "gpt2", own(32, 2, 4, n_ctx=320), hub=True, bare=True, extras=True, dtype="float32",
            gguf="bf16"),
        Model("gpt2-inverse-layer", "gpt2", own(35, 4, 5, 45, 97, scale_attn_by_inverse_layer_idx=True)),
        Model("gpt2-unscaled", "gpt2", own(36, 2, 6, 50, scale_attn_weights=False, reorder_and_upcast_attn=False)),
        Model("gpt2-untied", "gpt2", own(48, 3, 3, tie_word_embeddings=False, layer_norm_epsilon=1e-2), dtype="float16",
            gguf="f16"),
        *[Model(f"gpt2-{name}", "gpt2", own(20, 2, 2, 40, activation_function=name), lengths=(1, 7, 64))
          for name in ACTIVATIONS],
    ]


def llama():
    return llama_like("llama", ("linear", "llama3"), ("attention_bias", "mlp_bias"), width_of_head=True) + [
        Model("llama-yarn-set", "llama", A | {"rope_parameters": scaling(
            "yarn", 8, rope_theta=10000.0, beta_fast=4.0, beta_slow=0.5, attention_factor=0.9, truncate=False)}),
        Model("llama-yarn-mscale", "llama", A | {"rope_parameters": scaling(
            "yarn", 8, rope_theta=10000.0, mscale=0.8, mscale_all_dim=0.4)}),
        Model("llama-proportional", "llama", A | {"rope_parameters": {"rope_type": "proportional", "factor": 2.5,
            "partial_rotary_factor": 0.5, "rope_theta": 10000.0}}),
        Model("llama-part", "llama", A | {"partial_rotary_factor": 0.5, "rope_theta": 500.0}, hub=True),
        Model("llama-longrope-short", "llama", A | {"rope_parameters": scaling(
            "longrope", 8, rope_theta=10000.0, original_max_position_embeddings=310)}),
    ]


def mistral():
    return llama_like("mistral", ("linear",), (), width_of_head=True, sliding_window=None) + [
        Model("mistral-window", "mistral", D | {"sliding_window": 20, "rope_theta": 10000.0}, hub=True),
        Model("mistral-window-1", "mistral", B | {"sliding_window": 1, "rope_theta": 10000.0}, hub=True),
        Model("mistral-window-64", "mistral", C | {"sliding_window": 64, "head_dim": 16, "rope_theta": 10000.0},
            hub=True),
    ]


def qwen2():
    window = {"use_sliding_window": True, "sliding_window": 20, "rope_theta": 10000.0}
    return llama_like("qwen2", ("linear", "yarn"), ()) + [
        Model("qwen2-window", "qwen2", D | window | {"max_window_layers": 2}, hub=True),
        Model("qwen2-no-window", "qwen2", D | window | {"use_sliding_window": False}, hub=True, gguf="bf16"),
        Model("qwen2-types", "qwen2", B | window | {"layer_types": ["sliding_attention", "full_attention",
            "sliding_attention"]}, hub=True),
    ]


def qwen3():
    window = {"use_sliding_window": True, "sliding_window": 33, "rope_theta": 10000.0, "head_dim": 12}
    return llama_like("qwen3", ("linear", "yarn"), width_of_head=True) + [
        Model("qwen3-window", "qwen3", D | window | {"max_window_layers": 1}, hub=True),
        Model("qwen3-types", "qwen3", B | window | {"layer_types": ["sliding_attention", "full_attention",
            "sliding_attention"]}, hub=True),
    ]


# In the order in which small_models.py writes them
FAMILIES = {make.__name__: make() for make in (
    opt, gpt_neo, gpt_neox, gptj, gemma, gemma2, gemma3, phi, phi3, olmo, olmo2, olmo3, stablelm, starcoder2, granite,
    smollm3, bloom, falcon, cohere, cohere2, gpt2, llama, mistral, qwen2, qwen3)}
