"""Writes random blocks of every quantized type, and their values as dequantized by the gguf package:
make_blocks.py > Tests/LanguageModelTests/Fixtures/blocks.txt

A line has a type, the bytes of several blocks, and the little-endian float32 values, both in hexadecimal.
"""
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# The positions of the half-precision numbers in a block. They are not random bytes, which could be inf or nan.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = {32: 6, 256: 3}
random = np.random.default_rng(7)

for name, places in HALVES.items():
    kind = GGMLQuantizationType[name]
    length, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (BLOCKS[length], size), dtype=np.uint8)
    for place in places:
        halves = random.normal(0, 0.1, (len(blocks), 1)).astype(np.float16)
        halves[-1] = -6e-6  # a subnormal number
        blocks[:, place:place + 2] = halves.view(np.uint8)
    print(name, blocks.tobytes().hex(), quants.dequantize(blocks, kind).astype("<f4").tobytes().hex())
