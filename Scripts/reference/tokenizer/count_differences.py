"""Compares token ids: count_differences.py FOLDER TEXT [--special] [--add-prefix-space] [--null] < records

Encodes each line of TEXT with the `tokenizers` library and the tokenizer in FOLDER, and also with `tiktoken` if it
supports the same settings. Counts the lines whose record has different "ids", or has an error although every byte has a
token. The status is 1 if there are any, or if the two references differ.
"""
import json
import os
import sys

import tiktoken
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

BATCH = 20_000
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


def open_tokenizer(folder):
    if os.path.exists(f"{folder}/tokenizer.json"):
        return Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer = Tokenizer(models.BPE.from_file(f"{folder}/vocab.json", f"{folder}/merges.txt"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def open_twin(tokenizer):
    """The same tokenizer in tiktoken, if it has GPT-2's pre-tokenizer and its ids are in merge order; else None."""
    state = json.loads(tokenizer.to_str())
    pre_tokenizer = state["pre_tokenizer"]
    special = {token["content"]: token["id"] for token in state["added_tokens"]}
    if pre_tokenizer["type"] != "ByteLevel" or pre_tokenizer["add_prefix_space"] or list(special) != ["<|endoftext|>"]:
        return None
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unprintable = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(unprintable)}
    ranks = {
        bytes(byte_of[character] for character in token): rank
        for token, rank in state["model"]["vocab"].items() if token not in special}
    if sorted(ranks.values()) != list(range(len(ranks))):
        return None
    return tiktoken.Encoding("twin", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)


folder, path = sys.argv[1:3]
special, prefix = "--special" in sys.argv, "--add-prefix-space" in sys.argv
tokenizer = open_tokenizer(folder)
tokenizer.encode_special_tokens = not special
twin = open_twin(tokenizer)

with open(path, "rb") as file:
    lines = [line.decode() for line in file.read().split(b"\0" if "--null" in sys.argv else b"\n")[:-1]]
if prefix:
    lines = [line if line.startswith(" ") or not line else " " + line for line in lines]

differences = disagreements = count = lacking = 0
records = sys.stdin.buffer
for start in range(0, len(lines), BATCH):
    batch = lines[start:start + BATCH]
    reference = [encoding.ids for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False)]
    if twin:
        other = twin.encode_batch(batch, allowed_special="all") if special else twin.encode_ordinary_batch(batch)
        disagreements += sum(a != b for a, b in zip(reference, other))
    for line, ids in zip(batch, reference):
        record = records.readline()
        count += len(ids)
        if "the vocabulary has no token" in json.loads(record or "{}").get("error", ""):
            lacking += 1
            differences += tokenizer.decode(ids, skip_special_tokens=False) == line  # the reference drops such bytes
        elif not record or json.loads(record).get("ids") != ids:
            differences += 1
            if differences <= 5:
                print(f"{line!r}\n  expected {ids}\n  found {record.decode().strip() or 'nothing'}")
if records.readline():
    differences += 1
    print("more records than lines")
if lacking:
    print(f"{lacking} lines have bytes without a token; ", end="")
references = "tokenizers and tiktoken" if twin else "tokenizers"
if disagreements:
    print(f"tokenizers and tiktoken differ on {disagreements} lines")
print(f"{differences} differences from {references} in {len(lines):,} lines, {count:,} tokens")
sys.exit(differences > 0 or disagreements > 0)
