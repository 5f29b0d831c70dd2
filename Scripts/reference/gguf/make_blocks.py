"""Writes random blocks of every quantized type, and their values as dequantized by the gguf package:
make_blocks.py > Tests/LanguageModelTests/Fixtures/blocks.txt

A line has a type, the bytes of several blocks, and the little-endian float32 values, both in hexadecimal. A second line
of a type has the scales 0, -inf and nan, and in MXFP4 the exponents 0, 1 and 255.
"""
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# The positions of the half-precision numbers in a block. They are not random bytes, which could be inf or nan.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
          "Q2_K": [80, 82], "Q3_K": [108], "IQ4_NL": [0], "IQ4_XS": [0], "IQ3_S": [0], "IQ3_XXS": [0], "IQ2_S": [0], "IQ2_XS": [0],
          "IQ2_XXS": [0], "IQ1_M": [], "IQ1_S": [0], "TQ1_0": [52], "TQ2_0": [64], "MXFP4": []}
BLOCKS = {32: 6, 256: 3}
random = np.random.default_rng(7)


def set_scales(name, blocks, halves):
    """Writes half-precision numbers (blocks, 1), the scale of each block. Its minimum is the same number."""
    for place in HALVES[name]:
        blocks[:, place:place + 2] = halves.view(np.uint8)
    if name == "IQ1_M":  # four bits in each of four places
        for index in range(4):
            part = (halves.view(np.uint16)[:, 0] >> 4 * index).astype(np.uint8) << 4
            blocks[:, 49 + 2 * index] = blocks[:, 49 + 2 * index] & 15 | part


def write(name, blocks):
    with np.errstate(invalid="ignore"):
        values = quants.dequantize(blocks, GGMLQuantizationType[name])
    print(name, blocks.tobytes().hex(), values.astype("<f4").tobytes().hex())


for name, places in HALVES.items():
    length, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    blocks = random.integers(0, 256, (BLOCKS[length], size), dtype=np.uint8)
    for place in places or [None]:  # a separate draw for each place
        halves = random.normal(0, 0.1, (len(blocks), 1)).astype(np.float16)
        halves[-1] = -6e-6  # a subnormal number
        if place is None:
            set_scales(name, blocks, halves)
        else:
            blocks[:, place:place + 2] = halves.view(np.uint8)
    write(name, blocks)

special = np.array([[0], [-np.inf], [np.nan]], np.float16)
for name in HALVES:
    size = GGML_QUANT_SIZES[GGMLQuantizationType[name]][1]
    blocks = random.integers(0, 256, (3, size), dtype=np.uint8)
    set_scales(name, blocks, special)
    if name == "MXFP4":
        blocks[:, 0] = 0, 1, 255
    write(name, blocks)
