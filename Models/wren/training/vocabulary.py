#!/usr/bin/env python3
"""Trains the byte-level BPE vocabulary on the training documents.

usage: vocabulary.py WORK_DIR     reads train.jsonl, writes tokenizer.json
"""
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from recipe import END, VOCABULARY, documents, readings


def main() -> None:
    work = Path(sys.argv[1])
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # All 256 bytes are tokens, so that any input can be encoded. The special token comes first: id 0.
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[END], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((text["text"] for text in readings(documents(work / "train.jsonl"))), trainer)
    assert tokenizer.get_vocab_size() == VOCABULARY
    tokenizer.save(str(work / "tokenizer.json"))


if __name__ == "__main__":
    main()
