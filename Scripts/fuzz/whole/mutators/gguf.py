"""GGUF files: metadata, tensors, blocks, tables of the tokenizer."""
import copy
import struct

import formats
import models
import values
from formats import Value
from mutators import common

STARTS = ([models.llama_gguf(), models.llama_gguf(1, 8, "qwen3"), models.gpt2_gguf()]
          + [models.llama_gguf(kind, 32, frequencies=kind == 8) for kind in (2, 3, 6, 7, 8, 20, 39)]
          + [models.llama_gguf(30, 8, "qwen2", pre="qwen2"), models.llama_gguf(0, 8, frequencies=True, pre="llama-bpe")])
LARGE = [models.llama_gguf(kind, 256) for kind in (10, 11, 12, 13, 14, 16, 17, 18, 19, 21, 22, 23, 29, 34, 35)]
PREFIXES = [b"llama.", b"qwen2.", b"qwen3.", b"gpt2."]
KEYS = [b"block_count", b"context_length", b"embedding_length", b"feed_forward_length", b"attention.head_count",
        b"attention.head_count_kv", b"attention.layer_norm_rms_epsilon", b"attention.layer_norm_epsilon",
        b"attention.key_length", b"attention.value_length", b"attention.sliding_window", b"rope.dimension_count",
        b"rope.freq_base", b"rope.scaling.type", b"rope.scaling.factor", b"rope.scale_linear",
        b"rope.scaling.original_context_length", b"vocab_size", b"expert_count", b"attention.scale", b"logit_scale",
        b"attn_logit_softcapping"]
GENERAL = [b"general.alignment", b"general.architecture", b"split.count", b"split.no", b"general.file_type", b"general.name",
           b"tokenizer.ggml.bos_token_id", b"tokenizer.ggml.eos_token_id", b"tokenizer.ggml.eot_token_id",
           b"tokenizer.ggml.eom_token_id", b"tokenizer.ggml.add_bos_token", b"tokenizer.ggml.add_space_prefix",
           b"tokenizer.ggml.pre", b"tokenizer.ggml.model", b"tokenizer.ggml.token_type", b"tokenizer.ggml.scores",
           b"tokenizer.chat_template"]
TEXTS = [b"linear", b"none", b"yarn", b"llama", b"gpt2", b"qwen2", b"qwen3", b"gemma", b"gpt-2", b"llama-bpe", b"smollm", b"", b"x" * 2000,
         b"\xff\xfe", b"\x1b[31m", b"a\nb", b"\0", "\u202e".encode()]
MATRICES = [0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 29, 30, 34, 35, 39]


def content(rng, kind):
    if kind > formats.FLOAT64:
        return rng.randbytes(8)
    if kind == formats.STRING:
        return rng.choice(TEXTS)
    if kind in (formats.FLOAT32, formats.FLOAT64):
        return 10.0 ** rng.uniform(-44, 38) if rng.random() < 0.4 else rng.choice(values.FLOAT64)
    if kind == formats.BOOL:
        return rng.choice((0, 1, 2, 255))
    return rng.choice((0, 1, 2, 3, 4, 6, 8, 12, 32, 64)) if rng.random() < 0.5 else values.integer(rng)


def value(rng, depth=0):
    kind = rng.choice((*range(13), 13, 255)) if rng.random() < 0.9 else rng.randrange(1 << 32)
    if kind == formats.ARRAY and depth < 3:
        of = rng.randrange(14)
        count = rng.choice((0, 1, 2, 3, 30))
        if of == formats.ARRAY:
            elements = [value(rng, depth + 1) for _ in range(count)]
            elements = [element for element in elements if element.kind == formats.ARRAY]
        elif of > formats.FLOAT64:
            of, elements = formats.UINT8, rng.randbytes(count)
        else:
            elements = [content(rng, of) for _ in range(count)]
        claimed = None if rng.random() < 0.9 else rng.choice((count + 1, 1 << 20, 1 << 32, 1 << 61, (1 << 64) - 1))
        return Value(formats.ARRAY, elements, of, claimed)
    if kind > formats.FLOAT64 or kind == formats.ARRAY:
        return Value(13 if kind == formats.ARRAY else kind, rng.randbytes(rng.choice((0, 4, 8, 20))))
    return Value(kind, content(rng, kind))


def change_value(rng, file):
    place = rng.randrange(len(file.values))
    key, old = file.values[place]
    kind = rng.random()
    if kind < 0.35 and old.kind != formats.ARRAY:
        file.values[place] = [key, Value(old.kind, content(rng, old.kind))]
    elif kind < 0.5 and old.kind == formats.ARRAY:
        elements = list(old.content)
        for _ in range(rng.choice((1, 1, 2, 10))):
            spot = rng.randrange(len(elements)) if elements else 0
            change = rng.randrange(5)
            if change == 0 and elements:
                del elements[spot]
            elif change == 1 and elements:
                elements.insert(spot, elements[rng.randrange(len(elements))])
            elif elements:
                elements[spot] = rng.choice(TEXTS) if old.of == formats.STRING else content(rng, old.of)
        file.values[place] = [key, Value(formats.ARRAY, elements, old.of)]
    elif kind < 0.6:
        file.values[place] = [key, value(rng)]
    elif kind < 0.67:
        del file.values[place]
    elif kind < 0.7:
        file.values.append(file.values[place])
    elif kind < 0.92:
        architecture = next((prefix for prefix in PREFIXES if any(key.startswith(prefix) for key, _ in file.values)), PREFIXES[0])
        key = architecture + rng.choice(KEYS) if rng.random() < 0.7 else rng.choice(GENERAL)
        old = file.value(key)
        usual = old.kind if old is not None and old.kind != formats.ARRAY else (
            formats.STRING if key.endswith((b"type", b"pre", b"model", b"architecture", b"name")) else
            formats.FLOAT32 if key.endswith((b"base", b"factor", b"linear", b"epsilon", b"scale")) else formats.UINT32)
        file.put(key, Value(usual, content(rng, usual)) if rng.random() < 0.75 else value(rng))
    elif kind < 0.96:
        file.values.append([rng.choice((b"", b"k" * 1025, b"\xff", b"x", b"\x1b[31m", b"a\nb")), value(rng)])
    else:
        rng.shuffle(file.values)


def floats(rng, data, kind):
    """Returns the data with some numbers replaced by extreme ones of float32, or with blocks of random bytes."""
    data = bytearray(data)
    if not data:
        return b""
    if kind == 0:
        if rng.random() < 0.3:
            return (values.bits32(rng) * (len(data) // 4))[:len(data)]
        for _ in range(rng.choice((1, 1, 4))):
            place = 4 * rng.randrange(len(data) // 4) if len(data) >= 4 else 0
            data[place:place + 4] = values.bits32(rng)
        return bytes(data)
    size = formats.BLOCKS.get(kind, (1, 2))[1]
    for _ in range(rng.choice((1, 1, 4))):
        place = size * rng.randrange(max(1, len(data) // size))
        if rng.random() < 0.5:
            scale = rng.choice((b"\0\x7c", b"\0\x7e", b"\xff\x7b", b"\1\0", b"\0\0", b"\xff\xfb"))
            data[place:place + 2] = scale
        else:
            data[place:place + size] = rng.randbytes(size)
    return bytes(data)


def change_tensor(rng, file):
    place = rng.randrange(len(file.tensors))
    tensor = copy.copy(file.tensors[place])
    file.tensors[place] = tensor
    kind = rng.random()
    if kind < 0.5:
        tensor.data = floats(rng, tensor.data, tensor.kind)
    elif kind < 0.6:
        tensor.dims = list(tensor.dims)
        change = rng.randrange(4)
        if change == 0:
            tensor.dims = tensor.dims[::-1]
        elif change == 1:
            tensor.dims.append(rng.choice((0, 1, 2, 1 << 62)))
        else:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice((0, 1, 4, 8, 32, 256, 1 << 31, 1 << 62, 1 << 63, (1 << 64) - 1))
    elif kind < 0.7:  # another type, with the number of bytes that it requires
        tensor.kind = rng.choice(MATRICES) if rng.random() < 0.7 else rng.choice((4, 5, 9, 15, 24, 28, 31, 40, 41, 255, 1 << 31))
        if tensor.kind in formats.BLOCKS:
            elements, size = formats.BLOCKS[tensor.kind]
            count = size
            for dim in tensor.dims:
                count *= dim
            tensor.data = rng.randbytes(min(count // elements, 1 << 20))
    elif kind < 0.76:
        tensor.offset = rng.choice((0, 1, 32, 1 << 31, 1 << 62, (1 << 64) - 1))
    elif kind < 0.84:
        tensor.name = rng.choice((b"", b"x", b"n" * 64, b"\xff", b"rope_freqs.weight", b"output.weight", b"\x1b[31m", file.tensors[0].name))
    elif kind < 0.9:
        del file.tensors[place]
    elif kind < 0.95:
        file.tensors.append(tensor)
    else:
        width = rng.choice((1, 2, 8, 16))
        file.tensors.append(formats.TensorInfo(b"rope_freqs.weight", [width], 0, b"".join(values.bits32(rng) for _ in range(width))))


def case(rng):
    kind = rng.random()
    start = rng.choice(STARTS if kind < 0.72 else models.GGUF_FIXTURES if kind < 0.97 else LARGE)
    is_fixture = 0.72 <= kind < 0.97
    size = models.VOCABULARY_SIZE if not is_fixture else len(start.value(b"tokenizer.ggml.tokens").content)
    file = copy.copy(start)
    file.values = [list(entry) for entry in start.values]
    file.tensors = list(start.tensors)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if not file.values or not file.tensors:
            break
        kind = rng.random()
        if kind < 0.55:
            change_value(rng, file)
        elif kind < 0.93:
            change_tensor(rng, file)
        elif kind < 0.96:
            file.version = rng.choice((0, 1, 2, 3, 4, 0x03000000, (1 << 32) - 1))
        elif kind < 0.98:
            file.value_count = rng.choice((0, len(file.values) - 1, len(file.values) + 1, 1 << 12, 1 << 32, (1 << 64) - 1))
        else:
            file.tensor_count = rng.choice((0, len(file.tensors) - 1, len(file.tensors) + 1, 1 << 14, 1 << 32, (1 << 64) - 1))
    alignment = file.value(b"general.alignment")
    if alignment is not None and alignment.kind == formats.UINT32 and 0 < alignment.content <= 4096 and rng.random() < 0.8:
        file.alignment = alignment.content
    data = file.encode()
    if rng.random() < 0.05:
        data = values.damage(rng, data)
    return common.model_case(rng, {"m.gguf": data}, "m.gguf", size, context=60 if rng.random() < 0.1 else 30)
