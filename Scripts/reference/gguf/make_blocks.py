"""Random blocks of every quantized type and the numbers that the gguf package reads in them:
make_blocks.py > Tests/LanguageModelTests/Fixtures/blocks.txt

A line holds a type, the bytes of some blocks, and the little-endian float32 numbers, both in hexadecimal.
"""
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# Where the half-precision numbers of a block are. Random ones would be inf and nan now and then.
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
        halves[-1] = -6e-6  # one that is subnormal
        blocks[:, place:place + 2] = halves.view(np.uint8)
    print(name, blocks.tobytes().hex(), quants.dequantize(blocks, kind).astype("<f4").tobytes().hex())
