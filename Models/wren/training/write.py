#!/usr/bin/env python3
"""Generates stories, conversations, letters and other texts with SmolLM2-135M-Instruct. An interrupted run continues.

usage: write.py WORK_DIR MINUTES     writes WORK_DIR/written.jsonl, one line per document

The budget is time. The subject of a document depends on its number; its words also depend on the machine, because sums of
floats do.
"""
import json
import re
import sys
import time
from pathlib import Path

import torch
from transformers import AutoTokenizer

from prompts import prompt
from recipe import DEVICE, SEED, TEACHER, documents
from teacher import Teacher

SLOTS, LENGTH = 256, 216           # texts per batch, tokens of a text with its prompt
TOP_K, TEMPERATURE, MIN_P = 64, 0.6, 0.05
PENALTY = 1.1                      # for tokens that occur in the text, except function words and punctuation
VOCABULARY = 20_000                # the most common tokens: a small model should learn plain words
PLAIN = re.compile(r"[A-Za-z0-9 \n.,;:!?'\"-]+")
FUNCTION_WORDS = """the a an and or but so to of in on at by for from with as is was were are be been had has have do did
 not no he she it they we you i his her its their our your my him them us me that this there who what when where how
 said asked up down out into then if all one would could can will""".split()


class Slot:
    """A text that is being generated."""

    def __init__(self, number: int, tokenizer):
        self.number = number
        self.prompt = prompt(SEED, number)
        question = f"<|im_start|>user\n{self.prompt.request}<|im_end|>\n<|im_start|>assistant\n"
        self.given = tokenizer(question + self.prompt.beginning, add_special_tokens=False).input_ids
        self.position = 0
        self.token = self.given[0]
        self.written: list[int] = []


def main() -> None:
    work, budget = Path(sys.argv[1]), float(sys.argv[2]) * 60
    path = work / TEACHER
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    plain = [id for id in range(VOCABULARY) if PLAIN.fullmatch(tokenizer.decode([id]))]
    vocabulary = torch.tensor([end] + plain)
    free = torch.tensor([tokenizer.decode([id]).strip().lower() in FUNCTION_WORDS
                         or not re.search("[a-z]", tokenizer.decode([id])) for id in vocabulary.tolist()], device=DEVICE)
    teacher = Teacher(path, SLOTS, LENGTH, vocabulary)
    out = work / "written.jsonl"
    number, before = 0, 0.0
    if out.exists() and (lines := documents(out)):
        number, before = max(line["number"] for line in lines) + 1, lines[-1]["seconds"]
    torch.manual_seed(SEED + number)

    def fresh() -> Slot:
        nonlocal number
        number += 1
        return Slot(number - 1, tokenizer)

    slots = [fresh() for _ in range(SLOTS)]
    seen = torch.zeros(SLOTS, len(vocabulary), dtype=torch.bool, device=DEVICE)
    started, size, last_word = time.monotonic(), 0, before
    with out.open("a") as file:
        while (spent := before + time.monotonic() - started) < budget:
            logits = teacher.step(torch.tensor([slot.token for slot in slots]),
                                  torch.tensor([slot.position for slot in slots]))
            likely, ids = logits.topk(TOP_K)
            likely = torch.where(seen.gather(1, ids), torch.where(likely > 0, likely / PENALTY, likely * PENALTY), likely)
            chances = (likely / TEMPERATURE).softmax(-1)
            chances[chances < MIN_P * chances.max(-1, keepdim=True).values] = 0
            drawn = ids.gather(1, torch.multinomial(chances, 1))[:, 0]
            seen[torch.arange(SLOTS, device=DEVICE), drawn] |= ~free[drawn]
            for row, (slot, index) in enumerate(zip(slots, drawn.tolist())):
                slot.position += 1
                if slot.position < len(slot.given):
                    slot.token = slot.given[slot.position]
                    seen[row] = False
                    continue
                slot.token = int(vocabulary[index])
                if slot.token != end:
                    slot.written.append(slot.token)
                if slot.token == end or slot.position == LENGTH - 1:
                    text = slot.prompt.beginning + tokenizer.decode(slot.written)
                    file.write(json.dumps({"kind": slot.prompt.kind, "name": f"{slot.number:06}", "number": slot.number,
                                           "seconds": round(spent), "text": text}) + "\n")
                    size += len(text)
                    slots[row] = fresh()
                    seen[row] = False
            if spent - last_word > 60:
                last_word = spent
                print(f"{spent / 60:5.1f} minutes  {number:7,} documents started  {size:10,} bytes", flush=True)
                file.flush()


if __name__ == "__main__":
    main()
