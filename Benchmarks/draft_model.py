#!/usr/bin/env python3
"""Measures lm-step --draft with a pair of models that is made for the purpose, and compares the bytes of the output.

    Benchmarks/draft_model.py [--inner N] [--noise X] [--tokens N] [--rounds N] [--threads N] [--cpu]

The draft model is wren, the bundled model. The model is wren in float32 with N hidden units in each MLP instead of 768; the
weights of the new units are random, with the amplitude X in the output projection. So the model is many times larger, its
distributions differ from those of the draft model, and X sets how much. The share of accepted tokens is that of the tokens
of the output that the draft model chooses after the same tokens, with the same seed. The exit status is 1 if two outputs
differ.
"""
import argparse
import array
import json
import math
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import speculation

wren = pathlib.Path(__file__).resolve().parent.parent / "Models/wren"
tools = speculation.tools
texts = ["Once upon a time there was a little girl who", "The old man said that", "Dear Anna,\nThank you for",
         "It was a dark night, and", "\"I do not know,\" said the captain, \"but"]


def read(path):
    """Yields (name, shape, numbers) for each tensor of a bfloat16 file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    for name, tensor in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = tensor["data_offsets"]
            halves = array.array("H", data[8 + size + begin:8 + size + end])
            words = array.array("I", (half << 16 for half in halves))
            yield name, tensor["shape"], array.array("f", words.tobytes())


def noise(generator, count, amplitude):
    """Returns uniform random numbers with an amplitude."""
    return array.array("f", (byte * amplitude / 128 for byte in array.array("b", generator.randbytes(count))))


def widen(folder, inner, amplitude):
    """Writes the model to a folder."""
    generator = random.Random(1)
    shutil.copy(wren / "tokenizer.json", folder)
    configuration = json.loads((wren / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(configuration | {"n_inner": inner, "dtype": "float32"}))
    header, parts, size = {}, [], 0
    for name, shape, numbers in read(wren / "model.safetensors"):
        if name.endswith("mlp.c_fc.weight"):
            rows, old = shape
            shape, wide = [rows, inner], array.array("f")
            for row in range(rows):
                wide += numbers[row * old:(row + 1) * old] + noise(generator, inner - old, 0.2)
            numbers = wide
        elif name.endswith("mlp.c_fc.bias"):
            shape, numbers = [inner], numbers + array.array("f", bytes(4 * (inner - shape[0])))
        elif name.endswith("mlp.c_proj.weight"):
            old, columns = shape
            shape, numbers = [inner, columns], numbers + noise(generator, (inner - old) * columns, amplitude)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [size, size + 4 * len(numbers)]}
        parts.append(numbers.tobytes())
        size += len(parts[-1])
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(parts)


def accepted_share(output, setting):
    """Returns the share of the new tokens that wren chooses after the same tokens."""
    record = json.loads(output)
    ids, prompt = record["ids"], record["prompt"]
    records = []
    for end in range(prompt, len(ids)):
        records.append({"ids": ids[:end]} | ({"seed": record["seed"]} if "seed" in record else {}))
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    # The seed of the command line would be that of the first record only.
    options = setting[:setting.index("--seed")] if "--seed" in setting else setting
    found = subprocess.run([tools / "lm-step", "-m", wren, "--ignore-eos", *options], input=lines, capture_output=True,
                           check=True).stdout
    return sum(json.loads(line)["ids"][-1] == id for line, id in zip(found.splitlines(), ids[prompt:])) / len(records)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--inner", type=int, default=24_576)
    parser.add_argument("--noise", type=float, default=0.006)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    differ, ratios, shares = False, [], []
    with tempfile.TemporaryDirectory() as name:
        model = pathlib.Path(name)
        widen(model, options.inner, options.noise)
        size = os.path.getsize(model / "model.safetensors") / os.path.getsize(wren / "model.safetensors")
        print(f"The model is {size:.0f} times as large as the draft model.\n")
        print("| text | sampling | accepted | ratio |\n| --- | --- | ---: | ---: |")
        step = [tools / "lm-step", "-m", model, "--threads", str(1 if options.cpu else options.threads), "--ignore-eos", "-n"]
        variants = {"without": ["--no-speculation"], "with": ["--draft", wren]}
        for text in texts:
            record = subprocess.run([tools / "bpe-encode", "-z"], input=text.encode(), capture_output=True, check=True).stdout
            for name, setting in speculation.settings.items():
                outputs, ratio = speculation.measure(step, record, setting, variants, options)
                if outputs["with"] != outputs["without"]:
                    print(f"draft_model: {text}, {name}: the outputs differ", file=sys.stderr)
                    differ = True
                shares.append(accepted_share(outputs["with"], setting))
                ratios.append(ratio)
                print(f"| {json.dumps(text)} | {name} | {shares[-1]:.2f} | {ratio:.2f} |", flush=True)
    print(f"\nGeometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}, "
          f"accepted {sum(shares) / len(shares):.2f}")
    return differ


if __name__ == "__main__":
    sys.exit(main())
