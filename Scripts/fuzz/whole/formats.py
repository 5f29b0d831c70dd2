"""Writers of the binary formats, which also write invalid files, and a reader of GGUF."""
import struct
from dataclasses import dataclass, field

import tree

# safetensors

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def safetensors_header(tensors):
    """Returns the tree of the header. tensors: a list of (name, dtype, shape, data)."""
    header, end = tree.Members(), 0
    for name, dtype, shape, data in tensors:
        entry = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + len(data)]}
        header.append([name, tree.build(entry)])
        end += len(data)
    return header


def safetensors(header, data, declared=None):
    """Returns a file. header: bytes; declared: the header length in the file, if it is not the true one."""
    return struct.pack("<Q", (len(header) if declared is None else declared) % (1 << 64)) + header + data


def whole_safetensors(tensors):
    return safetensors(tree.encode(safetensors_header(tensors)), b"".join(data for *_, data in tensors))


# GGUF

UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64 = range(13)
CODES = {UINT8: "B", INT8: "b", UINT16: "H", INT16: "h", UINT32: "I", INT32: "i", FLOAT32: "f", BOOL: "?", UINT64: "Q",
         INT64: "q", FLOAT64: "d"}
# type -> (elements per block, bytes per block)
BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 12: (256, 144),
          10: (256, 84), 11: (256, 110), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
          22: (256, 82), 23: (256, 136), 29: (256, 56), 34: (256, 54), 35: (256, 66), 39: (32, 17),
          13: (256, 176), 14: (256, 210), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 30: (1, 2)}


@dataclass
class Value:
    """A metadata value. content: a number, bytes, or for an array a list of values of type `of`."""
    kind: int
    content: object
    of: int = 0
    count: int | None = None  # the declared count of an array or string; None for the true one


@dataclass
class TensorInfo:
    name: bytes
    dims: list
    kind: int
    data: bytes
    offset: int | None = None  # None for the correct offset


@dataclass
class GGUF:
    values: list = field(default_factory=list)  # [key, Value]
    tensors: list = field(default_factory=list)
    magic: bytes = b"GGUF"
    version: int = 3
    alignment: int = 32
    value_count: int | None = None
    tensor_count: int | None = None

    def value(self, key):
        return next((value for name, value in self.values if name == key), None)

    def put(self, key, value):
        for entry in self.values:
            if entry[0] == key:
                entry[1] = value
                return
        self.values.append([key, value])

    def encode(self):
        out = [self.magic, struct.pack("<I", self.version & 0xFFFFFFFF),
               struct.pack("<QQ", len(self.tensors) if self.tensor_count is None else self.tensor_count,
                           len(self.values) if self.value_count is None else self.value_count)]
        for key, value in self.values:
            out.append(_string(key))
            out.append(struct.pack("<I", value.kind))
            _put_value(value, out)
        end, data = 0, []
        for tensor in self.tensors:
            padding = -end % self.alignment
            data.append(b"\0" * padding + tensor.data)
            end += padding
            offset = end if tensor.offset is None else tensor.offset
            out.append(_string(tensor.name) + struct.pack("<I", len(tensor.dims)))
            out.append(b"".join(struct.pack("<Q", dim & (1 << 64) - 1) for dim in tensor.dims))
            out.append(struct.pack("<IQ", tensor.kind, offset & (1 << 64) - 1))
            end += len(tensor.data)
        header = b"".join(out)
        return header + b"\0" * (-len(header) % self.alignment) + b"".join(data)


def _string(text, count=None):
    return struct.pack("<Q", len(text) if count is None else count) + text


def _scalar(kind, content):
    if kind == STRING:
        return _string(content)
    if kind in (FLOAT32, FLOAT64):
        try:
            return struct.pack("<" + CODES[kind], content)
        except OverflowError:
            return struct.pack("<f", float("inf"))
    if kind == BOOL:
        return bytes([content & 0xFF])
    size = struct.calcsize(CODES[kind])
    return (int(content) & (1 << 8 * size) - 1).to_bytes(size, "little")


def _put_value(value, out):
    if value.kind == ARRAY:
        out.append(struct.pack("<IQ", value.of, len(value.content) if value.count is None else value.count))
        if value.of == ARRAY:
            for element in value.content:
                _put_value(element, out)
        else:
            out.append(b"".join(_scalar(value.of, element) for element in value.content))
    elif value.kind == STRING:
        out.append(_string(value.content, value.count))
    elif value.kind in CODES:
        out.append(_scalar(value.kind, value.content))
    else:
        out.append(bytes(value.content))  # an unknown type


def read_gguf(data):
    """Parses a valid file. Raises ValueError or struct.error for others."""
    place = 0

    def take(code):
        nonlocal place
        content, = struct.unpack_from("<" + code, data, place)
        place += struct.calcsize("<" + code)
        return content

    def text():
        nonlocal place
        length = take("Q")
        if place + length > len(data):
            raise ValueError("truncated string")
        place += length
        return data[place - length:place]

    def scalar(kind):
        if kind == STRING:
            return text()
        if kind not in CODES:
            raise ValueError("unknown type")
        return take("B" if kind == BOOL else CODES[kind])

    def value(kind):
        if kind != ARRAY:
            return Value(kind, scalar(kind))
        of, count = take("I"), take("Q")
        if count > len(data):
            raise ValueError("truncated array")
        return Value(ARRAY, [value(ARRAY) if of == ARRAY else scalar(of) for _ in range(count)], of)

    magic, version, tensors, values = data[:4], *struct.unpack_from("<IQQ", data, 4)
    place = 24
    if magic != b"GGUF" or tensors > 1 << 16 or values > 1 << 16:
        raise ValueError("not a GGUF file")
    file = GGUF(version=version)
    for _ in range(values):
        key = text()
        file.values.append([key, value(take("I"))])
    alignment = file.value(b"general.alignment")
    file.alignment = alignment.content if alignment and alignment.kind == UINT32 and 0 < alignment.content < 4096 else 32
    infos = []
    for _ in range(tensors):
        name, dims = text(), [take("Q") for _ in range(min(take("I"), 8))]
        infos.append((name, dims, take("I"), take("Q")))
    start = place + -place % file.alignment
    for index, (name, dims, kind, offset) in enumerate(infos):
        elements, size = BLOCKS.get(kind, (1, 1))
        for dim in dims:
            size *= dim
        content = data[start + offset:start + offset + size // elements]
        file.tensors.append(TensorInfo(name, dims, kind, content))
    return file
