"""Writes small GGUF files with the gguf package, and a list of their tensors: make_files.py FOLDER

There is one file for each architecture, with random weights, a tokenizer with few tokens, and matrices of every type
that the package can write. files.json lists the tensors of each file by their transformers names (from the package's
table) with their types, shapes and digests. The output is a fixture of CheckpointTests.
"""
import json
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

LAYERS, WIDTH, HEADS, HEADS_KV, INNER, VOCABULARY, CONTEXT = 2, 32, 4, 2, 64, 12, 20
TYPES = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1]
folder = sys.argv[1]
generator = np.random.default_rng(1)


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def gpt2():
    linears = {"attn.c_attn": (WIDTH, 3 * WIDTH), "attn.c_proj": (WIDTH, WIDTH), "mlp.c_fc": (WIDTH, INNER),
               "mlp.c_proj": (INNER, WIDTH)}
    yield "wte.weight", (VOCABULARY, WIDTH)
    yield "wpe.weight", (CONTEXT, WIDTH)
    for layer in range(LAYERS):
        for name in ("ln_1", "ln_2"):
            yield f"h.{layer}.{name}.weight", (WIDTH,)
            yield f"h.{layer}.{name}.bias", (WIDTH,)
        for name, (inputs, outputs) in linears.items():
            yield f"h.{layer}.{name}.weight", (outputs, inputs)
            yield f"h.{layer}.{name}.bias", (outputs,)
    yield "ln_f.weight", (WIDTH,)
    yield "ln_f.bias", (WIDTH,)


def llama(biased=False, normed=False, untied=False):
    head = WIDTH // HEADS
    linears = {"self_attn.q_proj": (HEADS * head, WIDTH), "self_attn.k_proj": (HEADS_KV * head, WIDTH),
               "self_attn.v_proj": (HEADS_KV * head, WIDTH), "self_attn.o_proj": (WIDTH, HEADS * head),
               "mlp.gate_proj": (INNER, WIDTH), "mlp.up_proj": (INNER, WIDTH), "mlp.down_proj": (WIDTH, INNER)}
    yield "model.embed_tokens.weight", (VOCABULARY, WIDTH)
    yield "model.norm.weight", (WIDTH,)
    for layer in range(LAYERS):
        for name, shape in linears.items():
            yield f"model.layers.{layer}.{name}.weight", shape
            if biased and name[10:11] in "qkv":
                yield f"model.layers.{layer}.{name}.bias", shape[:1]
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"model.layers.{layer}.{name}.weight", (WIDTH,)
        if normed:
            for name in ("q_norm", "k_norm"):
                yield f"model.layers.{layer}.self_attn.{name}.weight", (head,)
    if untied:
        yield "lm_head.weight", (VOCABULARY, WIDTH)


def write(name, architecture, tensors):
    path = f"{folder}/{name}.gguf"
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_vocab_size(VOCABULARY)
    if architecture == "gpt2":
        writer.add_layer_norm_eps(1e-5)
    else:
        writer.add_head_count_kv(HEADS_KV)
        writer.add_layer_norm_rms_eps(1e-6)
        writer.add_rope_freq_base(10000.0 if architecture == "llama" else 1000000.0)
        writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{index}" for index in range(VOCABULARY - 1)] + ["<|end|>"])
    writer.add_token_types([gguf.TokenType.NORMAL] * (VOCABULARY - 1) + [gguf.TokenType.CONTROL])
    writer.add_token_merges(["t 0", "t 1"])
    writer.add_eos_token_id(VOCABULARY - 1)
    writer.add_add_bos_token(False)

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], LAYERS)
    entries = []
    for index, (transformers_name, shape) in enumerate(tensors):
        value = generator.standard_normal(shape, dtype=np.float32)
        kind = TYPES[index % len(TYPES)] if len(shape) > 1 else Type.F32
        stored = names.get_name(transformers_name, try_suffixes=(".weight", ".bias"))
        if kind == Type.F16:
            data = value.astype(np.float16)
            writer.add_tensor(stored, data)
        elif kind == Type.F32:
            data = value
            writer.add_tensor(stored, data)
        else:
            data = gguf.quants.quantize(value, kind)
            writer.add_tensor(stored, data, raw_dtype=kind)
        entries.append({"name": transformers_name.removeprefix("model."), "stored": stored, "type": kind.name,
                        "shape": shape, "bytes": data.nbytes, "fnv1a": fnv1a(data.tobytes())})
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return entries


files = {
    "gpt2": write("gpt2", "gpt2", gpt2()),
    "llama": write("llama", "llama", llama(untied=True)),
    "qwen2": write("qwen2", "qwen2", llama(biased=True)),
    "qwen3": write("qwen3", "qwen3", llama(normed=True)),
}
with open(f"{folder}/files.json", "w") as output:
    lines = [f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, entries)) + "]" for name, entries in files.items()]
    output.write("{" + ",\n".join(lines) + "}\n")
