#!/usr/bin/env python3
"""Measures the bits per byte of a model and of the teacher on held-out text, by kind of text.

usage: evaluate.py WORK_DIR MODEL_DIR     reads WORK_DIR/heldout.jsonl, writes WORK_DIR/scores.json

The model is measured on all held-out text. The teacher is fifty times larger, so the two are compared on the openings of a few
documents of each kind.
"""
import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import AutoTokenizer, GPT2LMHeadModel

from recipe import CONTEXT, DEVICE, END, TEACHER, documents, encode
from teacher import Teacher

OPENINGS, OPENING = 6, 800   # documents per kind and bytes of each for the comparison with the teacher


@torch.no_grad()
def bits(model: GPT2LMHeadModel, ids: list[int]) -> float:
    """Returns the surprisal of ids[1:] in bits, each token with at least half a context before it if there is one."""
    total, scored, step = 0.0, 1, CONTEXT // 2
    for start in range(0, max(1, len(ids) - step), step):
        window = torch.tensor(ids[start : start + CONTEXT + 1], device=DEVICE)
        fresh = start + len(window) - scored
        logits = model(window[None, :-1], use_cache=False).logits[0]
        total += F.cross_entropy(logits[-fresh:], window[-fresh:], reduction="sum").item()
        scored += fresh
    assert scored == len(ids)
    return total / math.log(2)


def mean_by_kind(texts: list[dict], costs: list[float]) -> dict[str, float]:
    spent: dict[str, float] = {}
    size: dict[str, int] = {}
    for text, cost in zip(texts, costs):
        for kind in (text["kind"], "all"):
            spent[kind] = spent.get(kind, 0.0) + cost
            size[kind] = size.get(kind, 0) + len(text["text"].encode())
    return {kind: spent[kind] / size[kind] for kind in sorted(spent, key=lambda kind: (kind == "all", kind))}


def bits_per_byte(model: GPT2LMHeadModel, tokenizer: Tokenizer, texts: list[dict]) -> dict[str, float]:
    was_training = model.training
    model.eval()
    costs = [bits(model, encode(tokenizer, text["text"])) for text in texts]
    model.train(was_training)
    return mean_by_kind(texts, costs)


def openings(texts: list[dict]) -> list[dict]:
    """Returns the first OPENING bytes of the first OPENINGS documents of each kind, up to the end of a word."""
    found: dict[str, list[dict]] = {}
    for text in texts:
        some = found.setdefault(text["kind"], [])
        if len(some) < OPENINGS:
            start = text["text"].encode()[:OPENING].decode(errors="ignore")
            some.append({"kind": text["kind"], "text": start if len(start) < OPENING else start.rpartition(" ")[0]})
    return [text for some in found.values() for text in some]


def teachers_bits_per_byte(path: Path, texts: list[dict]) -> dict[str, float]:
    """Scores all texts in one batch, each after the end-of-text token. Texts must fit in the context."""
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    end = tokenizer.convert_tokens_to_ids(END)
    rows = [[end] + tokenizer(text["text"], add_special_tokens=False).input_ids for text in texts]
    length = max(map(len, rows))
    teacher = Teacher(path, len(rows), length, torch.arange(len(tokenizer)))
    ids = torch.tensor([row + [end] * (length - len(row)) for row in rows])
    costs = torch.stack([F.cross_entropy(teacher.step(ids[:, at], torch.full((len(rows),), at)).cpu(), ids[:, at + 1],
                                         reduction="none") for at in range(length - 1)], 1)
    return mean_by_kind(texts, [costs[at, : len(row) - 1].sum().item() / math.log(2) for at, row in enumerate(rows)])


def main() -> None:
    work, folder = Path(sys.argv[1]), Path(sys.argv[2])
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).to(DEVICE)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    heldout = documents(work / "heldout.jsonl")
    some = openings(heldout)
    scores = {"heldout": bits_per_byte(model, tokenizer, heldout), "openings": bits_per_byte(model, tokenizer, some),
              "teacher": teachers_bits_per_byte(work / TEACHER, some)}
    (work / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    print(f"{'bits per byte':14} {'held out':>9} {'openings':>9} {'teacher':>9}")
    for kind in scores["heldout"]:
        print(f"{kind:14} " + " ".join(f"{scores[column][kind]:9.3f}" for column in scores))


if __name__ == "__main__":
    main()
