"""Writes tokenizers with different settings: make_tokenizers.py MODEL_FOLDER FOLDER [SMOLLM2_GGUF]

MODEL_FOLDER must contain GPT-2's vocab.json and merges.txt. The tokenizers use this vocabulary with settings of other
models. Each is written to FOLDER/NAME/tokenizer.json; the two files are copied to FOLDER/files. The tables of
SMOLLM2_GGUF are written to FOLDER/smollm2/tokenizer.json, as SmolLM2 is published.
"""
import os
import shutil
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

source, folder = sys.argv[1:3]
os.makedirs(f"{folder}/files", exist_ok=True)
for name in ("vocab.json", "merges.txt"):
    shutil.copy(f"{source}/{name}", f"{folder}/files/{name}")

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")


def split(numbers):
    """The pre-tokenizer of the Llama 3 and Qwen 2 families."""
    return Sequence([
        Split(Regex(PATTERN % numbers), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])


PRE_TOKENIZERS = {
    "plain": ByteLevel(add_prefix_space=False),
    "prefix": ByteLevel(add_prefix_space=True),
    "digits": Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]),
    "digit-runs": Sequence([Digits(individual_digits=False), ByteLevel(add_prefix_space=False)]),
    "digits-prefix": Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=True)]),
    "ignore-merges": ByteLevel(add_prefix_space=False),
    "llama3": split("{1,3}"),
    "qwen2": split(""),
    "added": ByteLevel(add_prefix_space=False),
    "added-composed": split(""),
}
for name, pre_tokenizer in PRE_TOKENIZERS.items():
    model = models.BPE.from_file(f"{source}/vocab.json", f"{source}/merges.txt")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    if name in ("qwen2", "added-composed"):
        tokenizer.normalizer = normalizers.NFC()
    if name in ("ignore-merges", "llama3"):
        tokenizer.model.ignore_merges = True
    if name in ("added", "added-composed"):
        tokenizer.add_special_tokens(["<|tool|>", "<|endoftext|><|endoftext|>"])
        tokenizer.add_tokens(["toolbox", "ol|", " été", AddedToken("box", normalized=False), "東京", "e\u0301e", AddedToken("a\u0301", normalized=False)])
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    tokenizer.save(f"{folder}/{name}/tokenizer.json")

if len(sys.argv) > 3:
    from gguf import GGUFReader

    fields = GGUFReader(sys.argv[3]).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    special = [token for token, kind in zip(tokens, fields["tokenizer.ggml.token_type"].contents()) if kind == 3]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = PRE_TOKENIZERS["digits"]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    os.makedirs(f"{folder}/smollm2", exist_ok=True)
    tokenizer.save(f"{folder}/smollm2/tokenizer.json")
