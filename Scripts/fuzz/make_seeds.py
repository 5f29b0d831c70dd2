#!/usr/bin/env python3
"""Writes Seeds/: a few inputs of each kind, with which the fuzzer starts. Run it after a change of this file."""
import json
import pathlib
import re
import struct

here = pathlib.Path(__file__).parent
fixture = here.parent.parent / "Tests/TokenizerTests/Fixtures"


def seeds(target, *inputs):
    folder = here / "Seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, content in enumerate(inputs):
        (folder / f"{number:02}").write_bytes(content if isinstance(content, bytes) else content.encode())


seeds(
    "json",
    "", " ", "0", "-12.5e-3", "1e400", "123456789012345678901234567890", "[1,2,3]", "[-0.5, 1.25, 3e8 ,7]",
    "[" + ",".join(str(n * 7919) for n in range(40)) + "]", "[0.1,-2.25,33.125," + "1.5," * 30 + "8]",
    '{"a":[1,{"b":null}],"c":true,"d":false}', '"a\\n\\u00e9\\ud83d\\ude00é😀"', '"\\ud834"', '"' + "x" * 90 + '"',
    "[[[[[[]]]]]]", '{"a":1,"a":2}', "\ufeff1", b'"\xff"', "[1,]", "01", "9223372036854775807", "-9223372036854775808")
seeds(
    "records",
    '{"text":"Once upon a time","ids":[7454,2402,257,640],"vocab":"0123456789abcdef"}', "[7454,2402]", "[]", "{}",
    '{"ids":[1],"ids":[2]}', '{"id\\u0073":[1],"logits":[0.5,-1e-3],"text":null}', '{"seed":9007199254740991,"x":{"y":[]}}',
    '{"logits":"AACAPwAAAEA=","error":"bad"}', '{"text":"\\ud800"} ', '{"seed":-1}', '{"ids":[1.5]}')
seeds(
    "numbers",
    struct.pack("<8f", 0.0, -0.0, 1.0, 0.1, 16777216.0, 1e-45, 3.4028235e38, 1.17549435e-38),
    struct.pack("<6f", 1e-5, 1e16, 123456.789, -33.25, 9.999999e-5, 1e10),
    struct.pack("<4q", 0, -1, 2**63 - 1, -(2**63)), struct.pack("<4q", 99999999, 100000000, 10**16, -(10**8)))
seeds(
    "utf8",
    "", "plain", "é ☃ 😀 \u2028\uffff\U0010ffff", "a\"b\\c\n\x01\x7f", "ascii of more than a block " * 4 + "é",
    b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"x" * 63 + b"\xe2\x82", b"\xf0\x9f\x98", b"\x80" * 70)
seeds("image", b"\0", *(bytes([n, 0, 1, 0, 7, 0, 0x20, n, 0xff]) for n in range(10)))
seeds("base64", "", "AACAPw==", "AACAPwAAAEA=", "A" * 64, "AAAAA", "=", "AA=A", "é+/9", "AAAA" * 30)
seeds("lines", b"\x00", b"\x00a\nb\n\nc", b"\x01a\x00b\x00", b"\x03whole\ninput\n", b"\xfc" + b"line\n" * 100,
      b"\x04" + b"x" * 300 + b"\n\n")


def safetensors(tensors, data=None, header=None):
    entries, end = {}, 0
    for name, shape, kind, size in tensors:
        span = size
        for dimension in shape:
            span *= dimension
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end + span]}
        end += span
    header = (header or json.dumps(entries, separators=(",", ":"))).encode()
    return struct.pack("<Q", len(header)) + header + bytes(data if data is not None else range(256))[:end].ljust(end, b"\1")


width = 2
gpt2 = [("wte.weight", [4, width], "F32", 4), ("wpe.weight", [3, width], "F32", 4), ("ln_f.weight", [width], "F32", 4),
        ("ln_f.bias", [width], "F32", 4)]
for norm in ("ln_1", "ln_2"):
    gpt2 += [(f"h.0.{norm}.weight", [width], "F32", 4), (f"h.0.{norm}.bias", [width], "F32", 4)]
for name, inputs, outputs in (("attn.c_attn", 2, 6), ("attn.c_proj", 2, 2), ("mlp.c_fc", 2, 8), ("mlp.c_proj", 8, 2)):
    gpt2 += [(f"h.0.{name}.weight", [inputs, outputs], "BF16", 2), (f"h.0.{name}.bias", [outputs], "F16", 2)]
seeds(
    "safetensors",
    safetensors(gpt2), safetensors([]), safetensors([("a", [2, 3], "I64", 8), ("transformer.b", [], "F64", 8)]),
    safetensors([("a", [0], "U8", 1), ("b", [5], "BOOL", 1)]),
    safetensors([], header='{"__metadata__":{"format":"pt"}}  '),
    safetensors([], header='{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
    safetensors([], header='{"h.7.x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    struct.pack("<Q", 2**63), b"\x08\0\0\0\0\0\0\0{}", b"short")
seeds(
    "shards",
    '{"metadata":{"total_size":64},"weight_map":{"wte.weight":"a.safetensors","wpe.weight":"b.safetensors"}}',
    '{"weight_map":{"ln_f.bias":"b.safetensors","wte.weight":"a.safetensors"}}', '{"weight_map":{}}',
    '{"weight_map":{"wte.weight":"../a.safetensors"}}', '{"weight_map":{"x":"c.safetensors"}}', "{}", "[]")
configuration = {
    "model_type": "gpt2", "vocab_size": 4, "n_positions": 3, "n_embd": 2, "n_layer": 1, "n_head": 1, "n_inner": None,
    "layer_norm_epsilon": 1e-05, "activation_function": "gelu_new", "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False, "tie_word_embeddings": True, "eos_token_id": [0, 1]}
source = (here / "Targets/ModelConfigurations.swift").read_text()
models = source[source.index('#"""\n') + 5:source.index('\n  """#')].replace("\n   ", "").replace("\n  {", "\n{").strip().split("\n")
models = [json.dumps(json.loads(model)) for model in models]
seeds(
    "config", *models,
    json.dumps(configuration), json.dumps(configuration | {"n_head": 3}), json.dumps(configuration | {"n_layer": 1024}),
    json.dumps(configuration | {"n_embd": 1048576, "vocab_size": 1048576, "eos_token_id": 50256}),
    json.dumps({"model_type": "llama", "hidden_size": 4, "num_attention_heads": 2, "rope_theta": 0.1,
                "rope_scaling": {"rope_type": "llama3", "factor": 0.1, "low_freq_factor": 1, "high_freq_factor": 4}}),
    json.dumps({"model_type": "qwen3", "num_hidden_layers": 1, "num_key_value_heads": 8, "rope_theta": 1e-30}),
    json.dumps(configuration | {"add_cross_attention": True, "activation_function": "relu"}), '{"model_type":"gpt2"}', "{}")
# The number of the configuration, flags, the number of tokens, and two special weights if the number is odd.
seeds("models", *(bytes([number, number % 16, 5 + number % 20, 3] + ([2, 128, 3, 0, number, 5, 3] if number % 2 else [0]))
                  for number in range(len(models))))


def dictionary(target, *words):
    """Writes words that libFuzzer inserts into inputs."""
    lines = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words]
    (here / f"{target}.dict").write_text("\n".join(lines) + "\n")


def members(value):
    """Returns the names of all members of a JSON value."""
    if isinstance(value, list):
        return {name for element in value for name in members(element)}
    return set(value) | {name for member in value.values() for name in members(member)} if isinstance(value, dict) else set()


names = {name for model in models for name in members(json.loads(model))}
for file in (here.parent.parent / "Sources/LanguageModel").rglob("*.swift"):
    names |= set(re.findall(r'"([a-z_]*_[a-z_]+|[a-z]+)"', file.read_text()))
dictionary("config", *(f'"{name}"' for name in sorted(names)), *(f'"{name}":' for name in sorted(names)),
           *("true", "false", "null", "NaN", "Infinity", "-1", "0", "1e39", "1e-45", "1e-39", "0.1", "1048577", "4611686018427387904", "[]",
             "{}", "[[", "]]", '{"full_attention":{', '"quantization_config":{"quant_method":"gptq"}'))


# type -> (elements per block, bytes per block)
BLOCKS = {1: (1, 2), 10: (256, 84), 11: (256, 110), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
          21: (256, 110), 22: (256, 82), 23: (256, 136), 29: (256, 56), 34: (256, 54), 35: (256, 66), 39: (32, 17)}


def gguf(values, tensors, alignment=32, version=3):
    """Returns a GGUF file: values are truth values, integers, floats, strings, or lists; tensors are float32, or of the type in a
    third element."""
    def text(string):
        return struct.pack("<Q", len(string.encode())) + string.encode()

    def value(value):
        if isinstance(value, str):
            return struct.pack("<I", 8) + text(value)
        if isinstance(value, float):
            return struct.pack("<If", 6, value)
        if isinstance(value, bool):
            return struct.pack("<IB", 7, value)
        if isinstance(value, int):
            return struct.pack("<II", 4, value)
        kind, form = {str: (8, None), float: (6, "<f"), int: (5, "<i")}[type(value[0])]
        entries = [struct.pack(form, entry) if form else text(entry) for entry in value]
        return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(entries)

    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    header += b"".join(text(key) + value(content) for key, content in values.items())
    data = b""
    for name, shape, *kinds in tensors:
        kind = kinds[0] if kinds else 0
        data = data.ljust(-(-len(data) // alignment) * alignment, b"\0")
        header += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        count = 1
        for length in shape:
            count *= length
        if kind:
            length, size = BLOCKS[kind]
            data += bytes(number * 37 % 101 % 59 for number in range(count // length * size))  # no scale is inf or nan
        else:
            data += struct.pack(f"<{count}f", *((number * 37 % 101 / 50 - 1) for number in range(count)))
    return header.ljust(-(-len(header) // alignment) * alignment, b"\0") + data


llama = {"general.architecture": "llama", "llama.block_count": 1, "llama.context_length": 8, "llama.embedding_length": 4,
         "llama.feed_forward_length": 3, "llama.attention.head_count": 2, "llama.attention.head_count_kv": 1,
         "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.dimension_count": 2, "llama.vocab_size": 5}
tables = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
          "tokenizer.ggml.tokens": ["a", "b", "ab", "Ġ", "<end>"], "tokenizer.ggml.merges": ["a b"],
          "tokenizer.ggml.token_type": [1, 1, 1, 1, 3], "tokenizer.ggml.eos_token_id": 4}
sentencepiece = {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<unk>", "▁", "a", "▁a", "<0x0A>"],
                 "tokenizer.ggml.scores": [0.0, -1.0, -2.0, -0.5, 0.0], "tokenizer.ggml.token_type": [2, 1, 1, 1, 6],
                 "tokenizer.ggml.add_space_prefix": True}
llama_tensors = [("token_embd.weight", (4, 5)), ("output_norm.weight", (4,)), ("blk.0.attn_norm.weight", (4,)),
                 ("blk.0.attn_q.weight", (4, 4)), ("blk.0.attn_k.weight", (4, 2)), ("blk.0.attn_v.weight", (4, 2)),
                 ("blk.0.attn_output.weight", (4, 4)), ("blk.0.ffn_norm.weight", (4,)), ("blk.0.ffn_gate.weight", (4, 3)),
                 ("blk.0.ffn_up.weight", (4, 3)), ("blk.0.ffn_down.weight", (3, 4))]


def family(architecture, tensors, values=None, layers=1):
    """Returns a file of another architecture with the sizes of `llama`. tensors: `blk.N.` is added to the names of layers; a name
    that ends in + has a bias."""
    metadata = {key.replace("llama.", architecture + "."): value for key, value in llama.items()} | {
        "general.architecture": architecture, f"{architecture}.attention.layer_norm_epsilon": 1e-5, f"{architecture}.block_count": layers}
    shapes = [("token_embd", (4, 5))]
    names = [name for name in tensors if name.startswith("output") or name.startswith("token_embd")]
    names += [f"blk.{layer}.{name}" for layer in range(layers) for name in tensors if name not in names]
    sizes["attn_qkv"] = (4, 12 if architecture == "gptneox" else 8)
    shapes += [(name, sizes[name.rstrip("+").split(".")[-1]]) for name in names]
    listed = []
    for name, shape in shapes:
        listed.append((name.rstrip("+") + ".weight", shape))
        if name.endswith("+"):
            listed.append((name.rstrip("+") + ".bias", shape[-1:]))
    return gguf(metadata | {f"{architecture}.{key}": value for key, value in (values or {}).items()} | tables, listed)


norms = ("attn_norm", "ffn_norm", "output_norm", "token_embd_norm", "post_attention_norm", "post_ffw_norm")
sizes = {name: (4,) for name in norms} | {
    "attn_q": (4, 4), "attn_k": (4, 2), "attn_v": (4, 2), "attn_qkv": (4, 8), "attn_output": (4, 4), "ffn_gate": (4, 3), "ffn_up": (4, 3),
    "ffn_down": (3, 4), "output": (4, 5), "attn_q_norm": (4,), "attn_k_norm": (2,)}
separate, gated = ["attn_q", "attn_k", "attn_v", "attn_output"], ["ffn_gate", "ffn_up", "ffn_down"]
both = ["attn_norm", "ffn_norm", "output_norm"]
windows = {"attention.sliding_window": 2}
families = [
    family("gemma", both + separate + gated), family("granite", both + separate + gated, {"logit_scale": 4.0, "residual_scale": 0.5}),
    family("gemma2", both + separate + gated + ["post_attention_norm", "post_ffw_norm"],
           windows | {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 4.0}, 2),
    family("olmo2", ["output_norm", "output"] + separate + gated + ["post_attention_norm", "post_ffw_norm", "attn_q_norm", "attn_k_norm"],
           windows, 4),
    family("olmo", separate + gated, {"attention.clamp_kqv": 0.5}), family("smollm3", both + separate + gated, {}, 4),
    family("cohere2", ["attn_norm", "output_norm"] + separate + gated, windows | {"logit_scale": 0.5}, 4),
    family("command-r", ["attn_norm", "output_norm"] + separate + gated, {"logit_scale": 0.5}),
    family("stablelm", [name + "+" for name in both] + ["output"] + separate + gated),
    family("starcoder2", [name + "+" for name in both + separate + ["ffn_up", "ffn_down"]]),
    family("gptneox", [name + "+" for name in both + ["attn_qkv", "attn_output", "ffn_up", "ffn_down"]] + ["output"]),
    family("falcon", ["attn_norm+", "output_norm+", "attn_qkv", "attn_output", "ffn_up", "ffn_down"])]


def quantized(width, *kinds):
    """Returns a file whose matrices with rows of the width are of four types, and the rest is float16."""
    values = llama | {"llama.embedding_length": width, "llama.feed_forward_length": 1, "llama.attention.head_count": 1,
                      "llama.attention.head_count_kv": 1, "llama.attention.key_length": 2, "llama.attention.value_length": 2}
    rows = {"token_embd": 5, "blk.0.attn_q": 2, "blk.0.attn_k": 2, "blk.0.attn_v": 2, "blk.0.ffn_gate": 1, "blk.0.ffn_up": 1}
    tensors = [(f"{name}.weight", (width, count), kinds[index % 4]) for index, (name, count) in enumerate(rows.items())]
    tensors += [(f"{name}.weight", (width,), 1) for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")]
    return gguf(values, tensors + [("blk.0.attn_output.weight", (2, width), 1), ("blk.0.ffn_down.weight", (1, width), 1)])


seeds(
    "gguf", *families,
    gguf(llama | tables, llama_tensors), gguf(llama | sentencepiece, llama_tensors), gguf(llama, llama_tensors), gguf(llama | {"general.alignment": 64}, llama_tensors, 64),
    gguf(llama | {"split.count": 2}, llama_tensors), gguf(llama, llama_tensors, version=2), gguf(tables, []), gguf({}, []),
    gguf(llama, llama_tensors + [("rope_freqs.weight", (1,))]), gguf(llama | {"llama.rope.freq_base": 1e-30}, llama_tensors),
    b"GGUF\3\0\0\0" + b"\xff" * 16, b"GGUF\0\0\0\3", b"GG", quantized(32, 20, 39, 20, 39),
    *(quantized(256, *kinds) for kinds in ((10, 11, 16, 17), (18, 19, 21, 22), (23, 29, 34, 35))))


def split(number, count=2, total=len(llama_tensors)):
    return {"split.no": number, "split.count": count, "split.tensors.count": total}


def parts(first, second):
    return len(first).to_bytes(3, "little") + first + second


whole = llama | tables
second = gguf(split(1), llama_tensors[4:])
seeds(
    "parts",
    parts(gguf(whole | split(0), llama_tensors[:4]), second), parts(gguf(whole | split(0), []), gguf(split(1), llama_tensors)),
    parts(gguf(whole | split(0), llama_tensors[:5]), second), parts(gguf(whole | split(0), llama_tensors[:3]), second),
    parts(gguf(whole | split(1), llama_tensors[:4]), second), parts(gguf(whole | split(0, 3), llama_tensors[:4]), second),
    parts(gguf(whole | split(0), llama_tensors[:4]), gguf(split(0), llama_tensors[4:])),
    parts(gguf(whole | split(0), llama_tensors[:4]), gguf(split(1, 3), llama_tensors[4:])),
    parts(gguf(whole | split(0, total=2**31), llama_tensors[:4]), second),
    parts(gguf(whole | split(0, 1), llama_tensors), gguf(whole | split(0, 0), llama_tensors)),
    parts(gguf(whole | split(0, 2**31), llama_tensors[:4]), second[:200]), parts(b"", second), b"\xff\xff\xff", b"\1")


def sampling(logits, temperature=1.0, top_p=1.0, min_p=0.0, top_k=0, penalty=1.0, ids=(0, 0)):
    return struct.pack(f"<3dIf2I{len(logits)}f", temperature, top_p, min_p, top_k, penalty, *ids, *logits)


greatest = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
seeds(
    "softmax",
    sampling([1, 2, 3]), sampling([greatest, -greatest, 1]), sampling([greatest] * 20, 0.5, 0.6), sampling([0], 5e-324),
    sampling([5, 5, 4.5], 1e-38, 0.9, 0.1, 2**32 - 1, 1.3, (1, 2**31)), sampling([-greatest] * 3, 1000, 0, 1, 2, 1000),
    sampling([1e-45, 0, -0.0, -1e-45], 1e-45, top_k=1), sampling([1e38, 2e38, -1], penalty=0.001, ids=(0, 1)))


def rope(kind, position, width, *numbers):
    return bytes([kind]) + position.to_bytes(3, "big") + bytes([width]) + struct.pack(f"<{len(numbers)}d", *numbers)


seeds(
    "rope",
    rope(0, 1023, 31, 1e4, 1, 1, 4), rope(1, 2**20 - 1, 3, 0.1, 0.1, 1, 4, 1.0), rope(2, 131071, 31, 5e5, 8, 1, 4, 0.1, 8),
    rope(0, 1, 0, 1e-30, 1, 1, 4), rope(1, 7, 1, 1e4, 1e-20, 1, 4), rope(2, 7, 1, 1e4, 1e-20, 5e-324, 1e-323, 1e38),
    rope(3, 4095, 31, 1e4, 8, 1, 32), rope(131, 2, 15, 1.0001, 0.1, 1e-40, 1e38), rope(4, 4095, 15, 0.1, 1, 1, 0.1, 9, 0.1),
    rope(5, 99, 1, 0.1, 8, 1, 4), rope(5, 1023, 31, 3e38, 3e38, 1, 4),
    rope(0, 0, 0, 1.0541e8, -1.0542e8, 1e19, -1e300, float("inf"), float("nan")))
seeds("cache", b"", struct.pack("<I", 0xFFFFFF)[:3], b"\xff\xff\xff\x00\x00\x00\x02ab", b"\xff\xff\xff\x08\x10\x00\x04\0\0\0\0",
      b"\xff\xff\xff\x00\x00\x01\x10" + bytes(range(16)), b"\x05\x00\x00", b"\x00\x10\x01")

small = {letter: number for number, letter in enumerate("abcdeĠĊ'")} | {"ab": 8, "abc": 9, "Ġa": 10, "Ġab": 11, "de": 12}
merges = ["a b", "ab c", "Ġ a", "Ġ ab", "d e"]


def tokenizer(model={}, **members):
    model = {"type": "BPE", "vocab": small, "merges": [merge.split(" ") for merge in merges]} | model
    levels = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    whole = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": levels, "post_processor": None,
             "decoder": levels, "model": model}
    return json.dumps(whole | members, ensure_ascii=False, separators=(",", ":"))


end_of_text = {"id": 13, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False,
               "normalized": False, "special": True}
digits = {"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": True}]}
mark = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
pieces = {"<unk>": 0, "▁": 1, "a": 2, "b": 3, "ab": 4, "▁a": 5, "▁ab": 6, "<0x0A>": 7, "é": 8}
spelled = {"vocab": pieces, "merges": ["a b", "▁ a", "▁ ab"], "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
lattice = {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
           "vocab": [[piece, -number / 3] for number, piece in enumerate(pieces)]}
back = {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*steps, name="pretokenizers"):
    return {"type": "Sequence", name: list(steps)}


last = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
pipelines = [
    tokenizer(spelled, pre_tokenizer=mark, decoder=back), tokenizer(lattice, pre_tokenizer=mark, decoder=mark),
    tokenizer(spelled, pre_tokenizer=None, decoder=back, normalizer=sequence(
        {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, name="normalizers")),
    tokenizer(spelled | {"byte_fallback": False}, pre_tokenizer={"type": "Whitespace"}, decoder=None),
    tokenizer(pre_tokenizer=sequence(split("\\p{N}{1,3}|\\s+(?!\\S)"), split("b", "MergedWithPrevious", kind="String"), last)),
    tokenizer(pre_tokenizer=sequence(
        {"type": "Punctuation", "behavior": "Contiguous"}, digits, split("[0-9]{3}", "Removed", True))),
    tokenizer(pre_tokenizer=sequence(split("a+?", "MergedWithNext"), split(" ", "Contiguous", kind="String"), last)),
    tokenizer(normalizer=sequence(
        {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": "b*"}, "content": "c"}, name="normalizers")),
    tokenizer(normalizer={"type": "ByteLevel"}, pre_tokenizer=None),
    tokenizer(added_tokens=[end_of_text | {"lstrip": True, "rstrip": True, "single_word": True}]),
]
seeds(
    "tokenizer",
    tokenizer(), tokenizer({"merges": merges}), tokenizer(added_tokens=[end_of_text]), tokenizer(pre_tokenizer=digits),
    tokenizer({"ignore_merges": True, "dropout": 0.0, "unk_token": None, "byte_fallback": False}),
    tokenizer(added_tokens=[end_of_text | {"id": 30, "normalized": True, "special": False, "content": "ab"}]),
    tokenizer(normalizer={"type": "NFC"}), tokenizer({"type": "WordPiece"}), "{}",
    tokenizer({"vocab": small | {"x": 16777215}}), *pipelines)
text = json.dumps(small, ensure_ascii=False)
seeds(
    "vocabulary",
    text + "\0#version: 0.2\n" + "\n".join(merges) + "\n", text + "\0" + "\r\n".join(merges),
    text + "\0a b\na b\nab c\na bc", '{"a":0}\0', '{"a":0,"b":16777215}\0', "{}\0", '{"a":0,"a":1}\0', '{"a":0,"b":0}\0',
    (fixture / "files/vocab.json").read_text()[:600].rsplit(",", 1)[0] + "}\0#version: 0.2\n", text)
texts = ["Once upon a time, it's 12  o'clock.\n\n", "a   b\t\tc \u00a0\u3000x", "'s 're 'll 'v ''d", "ÉcoleМир東京 ½٣x²",
         "<|endoftext|>a<|endoftext|>", "  leading", "trailing   "]
seeds("words", b"", b"\1The\0 key\0s.\0", b"<|x|>\1a\0 \0 b\0\n\0", b"5\0 \xe2\0\x82\xac\0\xc2\0\xa0b\xff\0", b"a\0 \0<|x|>\1b\0  \0")
seeds("splitting", *(bytes([number]) + text.encode() for number, text in enumerate(texts)), b"\1\xff\xfe a\xc3", b"\0")
seeds("pattern", *(pattern + b"\0it's  12 \xc3\xa9\xcc\x81LL\r\n " for pattern in (
    rb"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", rb"(?i:'s|'ll)?\p{N}{1,3}|\s*[\r\n]+",
    rb"[\p{Lu}\p{M}&&[^\p{Han}]]*[\p{Ll}]++", rb"(?<!a)b|(?>a|ab)c|\bx+?\b|^\s|.$", rb"[[:alpha:]a-z\x{41}]{2,3}?",
    rb"(?:a|aa)+b", rb"(a(?i)b|c)*+|\P{Lu}{,2}", rb"[^(\s|[.,!?])]+|\pL\h\u0041", rb"\d{1,3}(?=(?:\d{3})*\b)|\s+$",
    rb"([!'])\1*|\R|\G.")))
seeds("encoding", *(bytes([number]) + text.encode() for number, text in enumerate(texts)), b"\0" + b"a" * 300,
      b"\4\xff\xfe\x80 \xc3", b"\2", b"\0" + bytes(range(256)))


def size_and_text(text, table):
    return struct.pack("<H", len(text)) + text + table


models = fixture / "sentencepiece"
bpe, unigram = ((models / f"{name}.model").read_bytes() for name in ("bpe", "unigram"))
# The character map of unigram.model: field 2 of the normalizer, after field 1, its name
tail = unigram[unigram.rindex(b"user_defined") + len(b"user_defined"):]
rules = tail[3 if tail[1] > 0x7F else 2:]
seeds(
    "sentencepiece", b"", bpe[:3000], unigram,
    b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\2" + b"\n\x0a\n\1a\x15\0\0\x80\xbf\x18\1" + b"\n\x0b\n\2aa\x15\0\0\x80\xbf\x18\4" + b"\x12\2\x18\2")
seeds("charsmap", size_and_text("\ufb01 A e\u0301\r\n".encode(), rules[3:]), b"\1\0a\4\0\0\0\0\4\0\0a\0")
seeds("scores", bytes(range(1, 200, 2)), b"\x03" * 39 + bytes(range(100)), bytes((7 * n) % 256 for n in range(200)))
cases = [json.loads(line) for line in (here.parent.parent / "Tests/ChatTemplateTests/Fixtures/cases.jsonl").read_text().split("\n") if line]
variables = json.dumps({"x": "\ue000 a", "list": [1, "\ue000"], "d": {"b": "\ue000"}, "i": 3}, ensure_ascii=False)
seeds("template", *(case["template"].replace("{{ s", "{{ x") + "\0" + variables for case in cases[1::5] if len(case["template"]) < 500))
