"""The notebook's pipeline with llama.cpp: llama_once.py MODEL.gguf THREADS TEXT

Represents the smallest C program that uses the library: time and memory are measured from the moment when Python has loaded
the library until the five most likely tokens are known.
"""
import json
import re
import sys
import time

from llama import Model


def memory(name):
    with open("/proc/self/status") as file:
        return int(re.search(rf"{name}:\s*(\d+)", file.read()).group(1)) * 1024


path, threads, text = sys.argv[1:]
before = memory("VmRSS")
start = time.perf_counter()
model = Model(path, int(threads), 64)
logits = model.decode(model.tokenize(text.encode()))
candidates = logits.argpartition(-5)[-5:]
top = candidates[(-logits[candidates]).argsort()]
seconds = time.perf_counter() - start
print(json.dumps({"seconds": [seconds], "peak": memory("VmHWM") - before, "answer": top.tolist()}))
