"""model.safetensors: its header, and the numbers in it."""
import struct

import formats
import models
import tree
import values
from mutators import common, json_tree

GPT2, LLAMA, QWEN3 = models.gpt2_tensors(), models.llama_tensors(), models.llama_tensors(qwen3=True)
STARTS = [(models.GPT2, GPT2), (models.LLAMA, LLAMA), (models.QWEN3, QWEN3)] + models.FAMILIES
DTYPES = list(formats.SIZES) + ["F8_E4M3", "F8_E5M2", "F4", "C64", "Q8_0", "", "f32"]


def often(rng, name):
    if name == "dtype":
        return rng.choice(DTYPES)
    if name == "shape":
        return tree.build([rng.choice((0, 1, 2, 4, 8, 24, 272, 1 << 31, 1 << 62, 1 << 63)) for _ in range(rng.choice((0, 1, 2, 3, 9)))])
    if name == "data_offsets":
        return tree.build([rng.choice((0, 1, 8, 64, 1 << 31, (1 << 63) - 1)) for _ in range(rng.choice((0, 1, 2, 2, 2, 3)))])
    if name == "__metadata__":
        return tree.build(rng.choice(({"format": "pt"}, {}, None, {"a": 1}, {"a": {"b": "c"}}, [])))
    return values.number(rng)


def change_numbers(rng, dtype, data):
    """Returns the data with some or all numbers replaced by extreme ones of the type."""
    size = formats.SIZES.get(dtype, 1)
    if not data:
        return data
    data = bytearray(data)
    number = values.bits32(rng)
    if dtype == "BF16":
        number = number[2:]
    elif dtype == "F16":
        number = rng.choice((b"\0\x7c", b"\0\x7e", b"\xff\x7b", b"\1\0", b"\0\xfc", b"\0\x80", rng.randbytes(2)))
    elif dtype != "F32":
        number = rng.randbytes(size)
    if rng.random() < 0.3:
        return bytes(number * (len(data) // len(number)))
    for _ in range(rng.choice((1, 1, 3, 20))):
        place = rng.randrange(len(data) // size) * size
        data[place:place + size] = number
    return bytes(data)


def converted(rng, tensor):
    """Returns the tensor converted to another float type."""
    name, dtype, shape, data = tensor
    count = len(data) // formats.SIZES[dtype]
    if dtype == "BF16":
        numbers = struct.unpack(f"<{count}f", b"".join(b"\0\0" + data[2 * index:2 * index + 2] for index in range(count)))
    else:
        numbers = struct.unpack(f"<{count}{'f' if dtype == 'F32' else 'e'}", data)
    numbers = [number if abs(number) < 65504 else 0.0 for number in numbers]  # finite in all three types
    other = rng.choice(("F32", "F16", "BF16"))
    if other == "BF16":
        return name, other, shape, b"".join(struct.pack("<f", number)[2:] for number in numbers)
    return name, other, shape, struct.pack(f"<{count}{'f' if other == 'F32' else 'e'}", *numbers)


def case(rng):
    files, tensors = rng.choice(STARTS)
    tensors = list(tensors)
    kind = rng.random()
    header = None
    if kind < 0.45:
        for _ in range(rng.choice((1, 1, 2, 8))):
            place = rng.randrange(len(tensors))
            name, dtype, shape, data = tensors[place]
            tensors[place] = (name, dtype, shape, change_numbers(rng, dtype, data))
        if rng.random() < 0.2:
            place = rng.randrange(len(tensors))
            tensors[place] = converted(rng, tensors[place])
        if rng.random() < 0.2:
            rng.shuffle(tensors)
    elif kind < 0.85:
        header = formats.safetensors_header(tensors)
        json_tree.mutate(rng, header, ["__metadata__", "wte.weight", "lm_head.weight", "x"], often)
    else:
        place = rng.randrange(len(tensors))
        name, dtype, shape, data = tensors[place]
        change = rng.randrange(5)
        if change == 0:
            del tensors[place]
        elif change == 1:
            tensors.append((name if rng.random() < 0.5 else "extra", dtype, shape, data))
        elif change == 2:
            tensors.append((values.string(rng), "U8", [0], b""))
        elif change == 3:
            length = rng.choice((0, 1, 4, 7))
            tensors[place] = (name, rng.choice(list(formats.SIZES)), [length], rng.randbytes(length * 8))
        else:
            tensors[place] = (name, dtype, [*shape, 1] if rng.random() < 0.5 else shape[::-1], data)
    header = formats.safetensors_header(tensors) if header is None else header
    text = json_tree.document(rng, header) + b" " * rng.choice((0, 0, 0, 1, 7, 100))
    declared = None if rng.random() < 0.95 else rng.choice((0, 1, len(text) - 1, len(text) + 1, 100_000_000, 100_000_001, 1 << 63, (1 << 64) - 1))
    data = b"".join(data for *_, data in tensors)
    if rng.random() < 0.04:
        data = rng.choice((data[:-1], data + b"\0", b"", data[:len(data) // 2]))
    return common.model_case(rng, files | {"model/model.safetensors": formats.safetensors(text, data, declared)})
