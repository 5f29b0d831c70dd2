"""Converts a model folder with float32 weights to F16 or BF16: half.py MODEL F16|BF16 TARGET"""
import json
import os
import shutil
import sys

import numpy
from safetensors.numpy import load_file


def convert(values, kind):
    if kind == "F16":
        return values.astype("<f2")
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")  # round to nearest, ties to even


folder, kind, target = sys.argv[1:]
tensors = load_file(f"{folder}/model.safetensors")
shutil.rmtree(target + ".new", ignore_errors=True)
os.makedirs(target + ".new")
for name in os.listdir(folder):
    if name != "model.safetensors":
        os.symlink(os.path.realpath(f"{folder}/{name}"), f"{target}.new/{name}")
header, end = {"__metadata__": {"format": "pt"}}, 0
for name, values in tensors.items():
    header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": [end, end + 2 * values.size]}
    end += 2 * values.size
text = json.dumps(header).encode()
text += b" " * (-len(text) % 64)
with open(f"{target}.new/model.safetensors", "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text)
    for values in tensors.values():
        file.write(convert(values, kind).tobytes())
os.rename(target + ".new", target)
