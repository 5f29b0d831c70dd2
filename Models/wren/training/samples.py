#!/usr/bin/env python3
"""Continues twenty prompts with the model, each once, without selection.

usage: samples.py WORK_DIR MODEL_DIR     writes WORK_DIR/samples.json
"""
import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from recipe import SEED

BEGINNINGS = ["She opened the", "I don't", "Thank you very much for", "Once upon a time", "It was raining, so we stayed at",
              "What do you", "Good morning,", "The king sent for", "He was born in the year", "In the morning",
              "They went down to the sea", "My mother", "Dear Anna,\nI", "The dog", "\"Where have you been?\" asked",
              "Yesterday I", "A doctor is", "There was an old man who", "This weekend I plan to", "The train"]
LENGTH, TEMPERATURE = 80, 0.8


def main() -> None:
    work, folder = Path(sys.argv[1]), Path(sys.argv[2])
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    torch.manual_seed(SEED)
    samples = []
    for beginning in BEGINNINGS:
        ids = torch.tensor([tokenizer.encode(beginning).ids])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=LENGTH, do_sample=True,
                             temperature=TEMPERATURE, top_k=0, pad_token_id=model.config.eos_token_id)
        samples.append(tokenizer.decode(out[0].tolist()))  # the end-of-text token is not part of it
        print(f"{samples[-1]}\n")
    (work / "samples.json").write_text(json.dumps(samples, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
