#!/usr/bin/env python3
"""Measures a model in bits per byte of held-out text, by kind of text.

usage: evaluate.py WORK_DIR MODEL_DIR     reads WORK_DIR/heldout.jsonl, writes WORK_DIR/scores.json
"""
import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from recipe import CONTEXT, documents, encode


@torch.no_grad()
def bits(model: GPT2LMHeadModel, ids: list[int]) -> float:
    """The bits that the model spends on ids[1:], each seen after at least half a context where there is one."""
    total, scored, step = 0.0, 1, CONTEXT // 2
    for start in range(0, max(1, len(ids) - step), step):
        window = torch.tensor(ids[start : start + CONTEXT + 1])
        fresh = start + len(window) - scored
        logits = model(window[None, :-1], use_cache=False).logits[0]
        total += F.cross_entropy(logits[-fresh:], window[-fresh:], reduction="sum").item()
        scored += fresh
    assert scored == len(ids)
    return total / math.log(2)


def bits_per_byte(model: GPT2LMHeadModel, tokenizer: Tokenizer, texts: list[dict]) -> dict[str, float]:
    was_training = model.training
    model.eval()
    spent: dict[str, float] = {}
    size: dict[str, int] = {}
    for text in texts:
        cost, length = bits(model, encode(tokenizer, text["text"])), len(text["text"].encode())
        for kind in (text["kind"], "all"):
            spent[kind] = spent.get(kind, 0.0) + cost
            size[kind] = size.get(kind, 0) + length
    model.train(was_training)
    return {kind: spent[kind] / size[kind] for kind in sorted(spent, key=lambda kind: (kind == "all", kind))}


def main() -> None:
    work, folder = Path(sys.argv[1]), Path(sys.argv[2])
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    scores = bits_per_byte(model, tokenizer, documents(work / "heldout.jsonl"))
    (work / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    for kind, score in scores.items():
        print(f"{kind:10} {score:.3f} bits per byte")


if __name__ == "__main__":
    main()
