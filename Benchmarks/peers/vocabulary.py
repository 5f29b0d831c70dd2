"""GPT-2's vocabulary and pre-tokenizer pattern in the form that tiktoken and riptoken expect."""
import json

SPLITTING = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


def ranks(folder):
    """Returns a dictionary from token bytes to rank, from vocab.json without <|endoftext|>."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unprintable = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(unprintable)}
    with open(f"{folder}/vocab.json", encoding="utf-8") as file:
        vocabulary = json.load(file)
    return {
        bytes(byte_of[character] for character in token): rank
        for token, rank in vocabulary.items() if token != "<|endoftext|>"}
