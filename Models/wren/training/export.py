#!/usr/bin/env python3
"""Writes the trained model as a folder that transformers and lmpipe can read.

usage: export.py WORK_DIR MODEL_DIR     writes config.json, model.safetensors (bfloat16), tokenizer.json
"""
import shutil
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from recipe import config


def main() -> None:
    work, folder = Path(sys.argv[1]), Path(sys.argv[2])
    model = GPT2LMHeadModel(config(Tokenizer.from_file(str(work / "tokenizer.json"))))
    model.load_state_dict(torch.load(work / "checkpoint.pt")["model"])
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)  # it repeats config.json
    shutil.copyfile(work / "tokenizer.json", folder / "tokenizer.json")
    for path in sorted(folder.iterdir()):
        path.chmod(0o644)  # safetensors makes files that only the owner can read
        print(f"{path.stat().st_size:10,} {path}")


if __name__ == "__main__":
    main()
