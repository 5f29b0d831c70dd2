"""Writes the grids of the IQ formats as rows of codes, from the gguf package, whose numbers are those of ggml-common.h:
make_grids.py > Sources/CKernels/GridCodes.h

A code has one digit for each number: two bits, or four for the IQ3 formats; the lowest digit is the first number.
"""
import numpy as np
from gguf import quants

print("// The grids of the IQ formats of ggml (ggml-common.h), packed as in gguf-py (gguf/quants.py, MIT license).")
print("// Written by Scripts/reference/gguf/make_grids.py. QuantizedGrids.c explains the codes.")
for name in ("IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S"):
    codes = np.frombuffer(bytes.fromhex(getattr(quants, name).grid_hex.decode()), "<u2")
    print(f"\n#define LMPIPE_{name}_CODES \\")
    rows = [", ".join(f"{code:04x}" for code in codes[start:start + 16]) for start in range(0, len(codes), 16)]
    print(" \\\n".join(f"    ROW({row})" for row in rows))
