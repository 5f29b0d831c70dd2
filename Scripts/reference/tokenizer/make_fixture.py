"""Trains the small vocabulary of the tokenizer tests: make_fixture.py FOLDER (Tests/TokenizerTests/Fixtures)

Writes json/tokenizer.json, the same vocabulary as files/vocab.json and files/merges.txt, and golden.jsonl: texts and
their ids according to the `tokenizers` library, with several settings.
"""
import json
import os
import sys

from fixture_texts import GOLDEN, TEXT
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")

folder = sys.argv[1]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=ByteLevel.alphabet(), show_progress=False)
tokenizer.train_from_iterator(TEXT.split("\n"), trainer)
for name in ("json", "files"):
    os.makedirs(f"{folder}/{name}", exist_ok=True)
tokenizer.save(f"{folder}/json/tokenizer.json", pretty=False)
tokenizer.model.save(f"{folder}/files")


def split(numbers):
    return Sequence([
        Split(Regex(PATTERN % numbers), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])


def ids(text, pre_tokenizer=ByteLevel(add_prefix_space=False), special=False, normalizer=None):
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.encode_special_tokens = not special
    return tokenizer.encode(text).ids


with open(f"{folder}/golden.jsonl", "w", encoding="utf-8") as file:
    for text in GOLDEN:
        record = {
            "text": text,
            "ids": ids(text),
            "special": ids(text, special=True),
            "prefix": ids(text, ByteLevel(add_prefix_space=True)),
            "digits": ids(text, Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])),
            "digit_runs": ids(text, Sequence([Digits(individual_digits=False), ByteLevel(add_prefix_space=False)])),
            "digits_prefix": ids(text, Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=True)])),
            "llama3": ids(text, split("{1,3}")),
            "qwen2": ids(text, split(""), normalizer=normalizers.NFC()),
        }
        file.write(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n")
