"""Folders with tokenizers that differ in how they split: make_tokenizers.py MODEL_FOLDER FOLDER

MODEL_FOLDER has GPT-2's vocab.json and merges.txt. What is made of them are not models' tokenizers, but each does
something that some model's does. Each is written to FOLDER/NAME/tokenizer.json; FOLDER/files has the two files as they are.
"""
import os
import shutil
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

source, folder = sys.argv[1:]
os.makedirs(f"{folder}/files", exist_ok=True)
for name in ("vocab.json", "merges.txt"):
    shutil.copy(f"{source}/{name}", f"{folder}/files/{name}")

SPLITTINGS = {
    "plain": ByteLevel(add_prefix_space=False),
    "prefix": ByteLevel(add_prefix_space=True),
    "digits": Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]),
    "digit-runs": Sequence([Digits(individual_digits=False), ByteLevel(add_prefix_space=False)]),
    "digits-prefix": Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=True)]),
    "ignore-merges": ByteLevel(add_prefix_space=False),
    "added": ByteLevel(add_prefix_space=False),
}
for name, pre_tokenizer in SPLITTINGS.items():
    model = models.BPE.from_file(f"{source}/vocab.json", f"{source}/merges.txt")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    if name == "ignore-merges":
        tokenizer.model.ignore_merges = True
    if name == "added":
        tokenizer.add_special_tokens(["<|tool|>", "<|endoftext|><|endoftext|>"])
        tokenizer.add_tokens(["toolbox", "ol|", " été", AddedToken("box", normalized=False), "東京"])
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    tokenizer.save(f"{folder}/{name}/tokenizer.json")
