"""The models that mutations start from: tiny, with random weights and the same byte-level tokenizer.

They are generated, the same each time; a folder takes about 12 KB.
"""
import os
import random
import struct

import formats
import tree
from formats import Value

END_OF_TEXT, START = "<|endoftext|>", "<|start|>"
MERGES = ["Ġ t", "h e", "Ġt he", "Ġ a", "i n", "o n", "e r", "Ġ o", "n d", "Ġa nd", "r e", "Ġo n", "in g", "0 0"]


def _alphabet():
    """Returns the characters of the bytes 0...255 in the byte-level alphabet (GPT-2's `bytes_to_unicode`)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(256))
    return [chr(byte) if byte in printable else chr(256 + next(others)) for byte in range(256)]


TOKENS = [END_OF_TEXT, START] + sorted(_alphabet()) + [merge.replace(" ", "") for merge in MERGES]
VOCABULARY_SIZE = len(TOKENS)
VOCABULARY = {token: number for number, token in enumerate(TOKENS) if number > 1}


def tokenizer_json(**members):
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [{"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for number, content in enumerate((END_OF_TEXT, START))]
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": VOCABULARY,
             "merges": [merge.split(" ") for merge in MERGES]}
    return tree.build({"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
                       "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level, "model": model} | members)


GPT2_CONFIG = {
    "model_type": "gpt2", "vocab_size": VOCABULARY_SIZE, "n_positions": 32, "n_embd": 8, "n_layer": 2, "n_head": 2,
    "n_inner": None, "layer_norm_epsilon": 1e-05, "activation_function": "gelu_new", "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False, "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0}
LLAMA_CONFIG = {
    "model_type": "llama", "vocab_size": VOCABULARY_SIZE, "max_position_embeddings": 64, "hidden_size": 8,
    "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4,
    "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "rope_scaling": None, "hidden_act": "silu", "attention_bias": False,
    "mlp_bias": False, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": [0]}


def _weights(rng, count, dtype, norm=False):
    numbers = [1 + rng.gauss(0, 0.1) if norm else rng.gauss(0, 0.4) for _ in range(count)]
    if dtype == "F32":
        return struct.pack(f"<{count}f", *numbers)
    if dtype == "F16":
        return struct.pack(f"<{count}e", *numbers)
    return b"".join(struct.pack("<f", number)[2:] for number in numbers)


def _tensor(rng, name, dtype, *shape):
    count = 1
    for length in shape:
        count *= length
    return (name, dtype, list(shape), _weights(rng, count, dtype, "norm" in name or "ln_" in name))


def gpt2_tensors():
    rng = random.Random(1)
    width = 8
    tensors = [_tensor(rng, "wte.weight", "BF16", VOCABULARY_SIZE, width), _tensor(rng, "wpe.weight", "BF16", 32, width)]
    for layer in range(2):
        for name, *shape in (("ln_1", 8), ("attn.c_attn", 8, 24), ("attn.c_proj", 8, 8), ("ln_2", 8), ("mlp.c_fc", 8, 32),
                             ("mlp.c_proj", 32, 8)):
            dtype = "F32" if len(shape) == 1 else "F16"
            tensors.append(_tensor(rng, f"h.{layer}.{name}.weight", dtype, *shape))
            tensors.append(_tensor(rng, f"h.{layer}.{name}.bias", dtype, shape[-1]))
    return tensors + [_tensor(rng, "ln_f.weight", "F32", 8), _tensor(rng, "ln_f.bias", "F32", 8)]


LLAMA_MAPS = [("self_attn.q_proj", "attn_q", 8, 8), ("self_attn.k_proj", "attn_k", 4, 8), ("self_attn.v_proj", "attn_v", 4, 8),
              ("self_attn.o_proj", "attn_output", 8, 8), ("mlp.gate_proj", "ffn_gate", 12, 8), ("mlp.up_proj", "ffn_up", 12, 8),
              ("mlp.down_proj", "ffn_down", 8, 12)]


def llama_tensors(qwen3=False):
    rng = random.Random(2)
    tensors = [_tensor(rng, "model.embed_tokens.weight", "BF16", VOCABULARY_SIZE, 8)]
    for layer in range(2):
        prefix = f"model.layers.{layer}."
        tensors.append(_tensor(rng, prefix + "input_layernorm.weight", "F32", 8))
        tensors += [_tensor(rng, f"{prefix}{name}.weight", "F16", *shape) for name, _, *shape in LLAMA_MAPS]
        if qwen3:
            tensors += [_tensor(rng, f"{prefix}self_attn.{name}_norm.weight", "F32", 4) for name in "qk"]
        tensors.append(_tensor(rng, prefix + "post_attention_layernorm.weight", "F32", 8))
    return tensors + [_tensor(rng, "model.norm.weight", "F32", 8)]


# Models of other families, with two heads of the width 4 and two layers: the members of config.json, the tensors of the model, the
# start of the names of a layer's tensors, and the layer's tensors. V is the size of the vocabulary. A name that ends in + has a bias.
_ATTENTION = "self_attn.q_proj 8 8, self_attn.k_proj 4 8, self_attn.v_proj 4 8, self_attn.o_proj 8 8, "
_BIASED = "self_attn.q_proj+ 8 8, self_attn.k_proj+ 4 8, self_attn.v_proj+ 4 8, self_attn.o_proj+ 8 8, "
_MLP = "mlp.gate_proj 12 8, mlp.up_proj 12 8, mlp.down_proj 8 12, "
_NORMS = "input_layernorm 8, post_attention_layernorm 8, "
_ALL = "model.embed_tokens V 8, model.norm 8, "
_SIZES = {"vocab_size": VOCABULARY_SIZE, "max_position_embeddings": 64, "hidden_size": 8, "num_hidden_layers": 2,
          "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 12, "eos_token_id": 0}
_GPT2_SIZES = {"vocab_size": VOCABULARY_SIZE, "n_positions": 32, "n_embd": 8, "n_layer": 2, "n_head": 2, "eos_token_id": 0}
_FAMILIES = [
    (_SIZES | {"model_type": "gemma2", "head_dim": 4, "sliding_window": 5, "query_pre_attn_scalar": 4,
               "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}, _ALL, "model.layers",
     _ATTENTION + _MLP + _NORMS + "pre_feedforward_layernorm 8, post_feedforward_layernorm 8"),
    (_SIZES | {"model_type": "gemma3_text", "head_dim": 4, "sliding_window": 5, "query_pre_attn_scalar": 4,
               "sliding_window_pattern": 2, "rope_local_base_freq": 100.0, "rope_theta": 1e6}, _ALL, "model.layers",
     _ATTENTION + _MLP + _NORMS + "pre_feedforward_layernorm 8, post_feedforward_layernorm 8, self_attn.q_norm 4, self_attn.k_norm 4"),
    (_SIZES | {"model_type": "olmo", "clip_qkv": 0.5, "tie_word_embeddings": True}, "model.embed_tokens V 8", "model.layers",
     _ATTENTION + _MLP),
    (_SIZES | {"model_type": "olmo3", "sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"]},
     _ALL + "lm_head V 8", "model.layers", _ATTENTION + _MLP + "post_attention_layernorm 8, post_feedforward_layernorm 8, "
     "self_attn.q_norm 8, self_attn.k_norm 4"),
    (_SIZES | {"model_type": "granite", "embedding_multiplier": 6.0, "residual_multiplier": 0.5, "attention_multiplier": 0.5,
               "logits_scaling": 4.0, "tie_word_embeddings": True}, _ALL, "model.layers", _ATTENTION + _MLP + _NORMS),
    (_SIZES | {"model_type": "smollm3", "no_rope_layers": [1, 0]}, _ALL, "model.layers", _ATTENTION + _MLP + _NORMS),
    (_SIZES | {"model_type": "phi3", "sliding_window": 5}, _ALL + "lm_head V 8", "model.layers",
     _NORMS + "self_attn.qkv_proj 16 8, self_attn.o_proj 8 8, mlp.gate_up_proj 24 8, mlp.down_proj 8 12"),
    (_SIZES | {"model_type": "phi", "num_key_value_heads": 2}, "model.embed_tokens V 8, model.final_layernorm+ 8, lm_head+ V 8",
     "model.layers", "input_layernorm+ 8, self_attn.q_proj+ 8 8, self_attn.k_proj+ 8 8, self_attn.v_proj+ 8 8, self_attn.dense+ 8 8, "
     "mlp.fc1+ 12 8, mlp.fc2+ 8 12"),
    (_SIZES | {"model_type": "starcoder2", "sliding_window": 5}, "model.embed_tokens V 8, model.norm+ 8", "model.layers",
     "input_layernorm+ 8, post_attention_layernorm+ 8, mlp.c_fc+ 12 8, mlp.c_proj+ 8 12, " + _BIASED),
    (_SIZES | {"model_type": "stablelm", "partial_rotary_factor": 0.5}, "model.embed_tokens V 8, model.norm+ 8, lm_head V 8",
     "model.layers", "input_layernorm+ 8, post_attention_layernorm+ 8, " + _ATTENTION + _MLP),
    (_SIZES | {"model_type": "cohere2", "sliding_window": 5, "sliding_window_pattern": 2, "logit_scale": 0.5}, _ALL, "model.layers",
     "input_layernorm 8, " + _ATTENTION + _MLP),
    (_SIZES | {"model_type": "opt", "ffn_dim": 12}, "decoder.embed_tokens V 8, decoder.embed_positions 66 8, decoder.final_layer_norm+ 8",
     "decoder.layers", "self_attn_layer_norm+ 8, final_layer_norm+ 8, self_attn.q_proj+ 8 8, self_attn.k_proj+ 8 8, "
     "self_attn.v_proj+ 8 8, self_attn.out_proj+ 8 8, fc1+ 12 8, fc2+ 8 12"),
    (_SIZES | {"model_type": "gpt_neo", "num_layers": 2, "num_heads": 2, "attention_types": [[["local", "global"], 1]], "window_size": 5},
     "wte V 8, wpe 64 8, ln_f+ 8", "h", "ln_1+ 8, ln_2+ 8, attn.attention.q_proj 8 8, attn.attention.k_proj 8 8, "
     "attn.attention.v_proj 8 8, attn.attention.out_proj+ 8 8, mlp.c_fc+ 12 8, mlp.c_proj+ 8 12"),
    (_SIZES | {"model_type": "gpt_neox", "rotary_pct": 0.5}, "gpt_neox.embed_in V 8, gpt_neox.final_layer_norm+ 8, embed_out V 8",
     "gpt_neox.layers", "input_layernorm+ 8, post_attention_layernorm+ 8, attention.query_key_value+ 24 8, attention.dense+ 8 8, "
     "mlp.dense_h_to_4h+ 12 8, mlp.dense_4h_to_h+ 8 12"),
    (_GPT2_SIZES | {"model_type": "gptj", "rotary_dim": 2, "n_inner": 12}, "wte V 8, ln_f+ 8, lm_head+ V 8", "h",
     "ln_1+ 8, attn.q_proj 8 8, attn.k_proj 8 8, attn.v_proj 8 8, attn.out_proj 8 8, mlp.fc_in+ 12 8, mlp.fc_out+ 8 12"),
    ({"model_type": "bloom", "vocab_size": VOCABULARY_SIZE, "hidden_size": 8, "n_layer": 2, "n_head": 2, "seq_length": 64},
     "word_embeddings V 8, word_embeddings_layernorm+ 8, ln_f+ 8", "h",
     "input_layernorm+ 8, post_attention_layernorm+ 8, self_attention.query_key_value+ 24 8, self_attention.dense+ 8 8, "
     "mlp.dense_h_to_4h+ 32 8, mlp.dense_4h_to_h+ 8 32"),
    (_SIZES | {"model_type": "falcon", "ffn_hidden_size": 12}, "word_embeddings V 8, ln_f+ 8", "h",
     "input_layernorm+ 8, self_attention.query_key_value 16 8, self_attention.dense 8 8, mlp.dense_h_to_4h 12 8, mlp.dense_4h_to_h 8 12"),
]


def _family_tensors(of_model, prefix, of_layers):
    """Returns the tensors of an element of _FAMILIES."""
    rng = random.Random(5)
    names = of_model.split(",") + [f"{prefix}.{layer}.{name.strip()}" for layer in range(2) for name in of_layers.split(",") if name.strip()]
    tensors = []
    for name, *shape in (name.split() for name in names if name.strip()):
        shape = [VOCABULARY_SIZE if length == "V" else int(length) for length in shape]
        tensors.append(_tensor(rng, name.rstrip("+") + ".weight", "F32" if len(shape) == 1 else rng.choice(("F16", "BF16")), *shape))
        if name.endswith("+"):
            tensors.append(_tensor(rng, name.rstrip("+") + ".bias", "F32", shape[0]))
    return tensors


def _text(value):
    return Value(formats.STRING, value.encode())


def _integer(value):
    return Value(formats.UINT32, value)


def _tokenizer_values(pre):
    types = [3, 3] + [1] * (VOCABULARY_SIZE - 2)
    return [[b"tokenizer.ggml.model", _text("gpt2")], [b"tokenizer.ggml.pre", _text(pre)],
            [b"tokenizer.ggml.tokens", Value(formats.ARRAY, [token.encode() for token in TOKENS], formats.STRING)],
            [b"tokenizer.ggml.token_type", Value(formats.ARRAY, types, formats.INT32)],
            [b"tokenizer.ggml.merges", Value(formats.ARRAY, [merge.encode() for merge in MERGES], formats.STRING)],
            [b"tokenizer.ggml.bos_token_id", _integer(1)], [b"tokenizer.ggml.eos_token_id", _integer(0)]]


def _gguf_tensor(rng, name, kind, *dims):
    """dims: the row length comes first."""
    count = 1
    for length in dims:
        count *= length
    if kind == 0:
        data = _weights(rng, count, "F32", "norm" in name)
    elif kind == 1:
        data = _weights(rng, count, "F16")
    else:
        elements, size = formats.BLOCKS[kind]
        data = b"".join(_block(rng, kind, size) for _ in range(count // elements))
    return formats.TensorInfo(name.encode(), list(dims), kind, data)


def _block(rng, kind, size):
    """Returns a block of random quants with moderate scales."""
    block = bytearray(rng.randbytes(size))
    half = struct.pack("<e", rng.uniform(0.001, 0.01))
    if kind in (12, 13):
        block[0:4] = half + struct.pack("<e", 0.001)
    elif kind == 10:  # Q2_K
        block[size - 4:] = half + struct.pack("<e", 0.001)
    elif kind in (11, 14, 34, 35):  # Q3_K, Q6_K, TQ1_0 and TQ2_0
        block[size - 2:] = struct.pack("<e", 0.0005)
    elif kind == 29:  # IQ1_M: four bits of the scale in each of four places
        for index in range(4):
            block[size - 7 + 2 * index] = block[size - 7 + 2 * index] & 15 | half[index // 2] >> 4 * (index % 2) << 4 & 0xF0
    elif kind == 39:  # MXFP4: an exponent
        block[0] = rng.randrange(110, 122)
    else:
        block[0:2] = half
        if kind in (3, 7):
            block[2:4] = half
    return bytes(block)


def llama_gguf(kind=0, width=8, architecture="llama", frequencies=False, pre="gpt-2"):
    """Returns a file of the Llama family. kind: ggml type of the matrices, whose block size (32 or 256) must divide width."""
    rng = random.Random(3)
    head, inner = width // 2, width if width > 8 else 12
    prefix = architecture.encode() + b"."
    values = [[b"general.architecture", _text(architecture)]]
    for key, value in (("block_count", 2), ("context_length", 64), ("embedding_length", width), ("feed_forward_length", inner),
                       ("attention.head_count", 2), ("attention.head_count_kv", 1), ("rope.dimension_count", head)):
        values.append([prefix + key.encode(), _integer(value)])
    values.append([prefix + b"attention.layer_norm_rms_epsilon", Value(formats.FLOAT32, 1e-6)])
    values.append([prefix + b"rope.freq_base", Value(formats.FLOAT32, 10000.0)])
    values += _tokenizer_values(pre)
    tensors = [_gguf_tensor(rng, "token_embd.weight", kind, width, VOCABULARY_SIZE)]
    if frequencies:
        tensors.append(formats.TensorInfo(b"rope_freqs.weight", [head // 2], 0, struct.pack(f"<{head // 2}f", *[1.5] * (head // 2))))
    for layer in range(2):
        shapes = {"attn_q": (width, width), "attn_k": (width, head), "attn_v": (width, head), "attn_output": (width, width),
                  "ffn_gate": (width, inner), "ffn_up": (width, inner), "ffn_down": (inner, width)}
        tensors.append(_gguf_tensor(rng, f"blk.{layer}.attn_norm.weight", 0, width))
        for name, dims in shapes.items():
            tensors.append(_gguf_tensor(rng, f"blk.{layer}.{name}.weight", kind, *dims))
            if architecture == "qwen2" and name in ("attn_q", "attn_k", "attn_v"):
                tensors.append(_gguf_tensor(rng, f"blk.{layer}.{name}.bias", 0, dims[1]))
        if architecture == "qwen3":
            tensors += [_gguf_tensor(rng, f"blk.{layer}.attn_{name}_norm.weight", 0, head) for name in "qk"]
        tensors.append(_gguf_tensor(rng, f"blk.{layer}.ffn_norm.weight", 0, width))
    tensors.append(_gguf_tensor(rng, "output_norm.weight", 0, width))
    return formats.GGUF(values, tensors)


def gpt2_gguf():
    rng = random.Random(4)
    values = [[b"general.architecture", _text("gpt2")]]
    for key, value in (("block_count", 1), ("context_length", 32), ("embedding_length", 8), ("feed_forward_length", 16),
                       ("attention.head_count", 2)):
        values.append([b"gpt2." + key.encode(), _integer(value)])
    values.append([b"gpt2.attention.layer_norm_epsilon", Value(formats.FLOAT32, 1e-5)])
    values += _tokenizer_values("gpt-2")
    tensors = [_gguf_tensor(rng, "token_embd.weight", 1, 8, VOCABULARY_SIZE), _gguf_tensor(rng, "position_embd.weight", 0, 8, 32)]
    for name, *dims in (("attn_norm", 8), ("attn_qkv", 8, 24), ("attn_output", 8, 8), ("ffn_norm", 8), ("ffn_up", 8, 16),
                        ("ffn_down", 16, 8), ("output_norm", 8)):
        prefix = "" if name == "output_norm" else "blk.0."
        kind = 0 if len(dims) == 1 else 1
        tensors += [_gguf_tensor(rng, f"{prefix}{name}.weight", kind, *dims), _gguf_tensor(rng, f"{prefix}{name}.bias", 0, dims[-1])]
    return formats.GGUF(values, tensors)


def folder(config, tensors):
    """Returns the files of a model folder."""
    return {"model/config.json": tree.encode(tree.build(config)), "model/model.safetensors": formats.whole_safetensors(tensors),
            "model/tokenizer.json": tree.encode(tokenizer_json())}


GPT2 = folder(GPT2_CONFIG, gpt2_tensors())
LLAMA = folder(LLAMA_CONFIG, llama_tensors())
QWEN3 = folder(LLAMA_CONFIG | {"model_type": "qwen3"}, llama_tensors(qwen3=True))
# The files of the other families, and their tensors.
FAMILIES = [(folder(config, tensors), tensors)
            for config, tensors in ((config, _family_tensors(*names)) for config, *names in _FAMILIES)]
FOLDERS = [GPT2, LLAMA, QWEN3] + [files for files, _ in FAMILIES]

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../Tests")
FIXTURE_VOCABULARY_SIZE = 40


def _read(*path):
    with open(os.path.join(TESTS, *path), "rb") as file:
        return file.read()


def _fixture(name):
    """Returns a model of the test suite, with a tokenizer of its vocabulary size."""
    tokenizer = tokenizer_json(added_tokens=[])
    model = tokenizer.get("model")
    model.put("vocab", tree.build({token: number for number, token in enumerate(TOKENS[2:2 + FIXTURE_VOCABULARY_SIZE])}))
    model.put("merges", [])
    files = {f"model/{part}": _read("LanguageModelTests/Fixtures/models", name, part) for part in ("config.json", "model.safetensors")}
    return files | {"model/tokenizer.json": tree.encode(tokenizer)}


# Variants that the tiny models lack: scaled RoPE, biases, Mistral, Qwen2; blocks as converters write them.
FIXTURES = [_fixture(name) for name in ("llama-3", "llama-biases", "llama-linear", "mistral", "qwen2")]
GGUF_FIXTURES = [formats.read_gguf(_read(name)) for name in (
    "CheckpointTests/Fixtures/gpt2.gguf", "CheckpointTests/Fixtures/llama.gguf", "CheckpointTests/Fixtures/qwen2.gguf",
    "CheckpointTests/Fixtures/qwen3.gguf", "LanguageModelTests/Fixtures/models/llama-3.Q4_1.gguf")]
