"""Encodes one line with tiktoken in one process: tiktoken_once.py RANKS.tiktoken TEXT

RANKS.tiktoken is a vocabulary in tiktoken's file format, which it loads fastest.
"""
import sys

import tiktoken
from tiktoken.load import load_tiktoken_bpe

from vocabulary import SPLITTING

encoding = tiktoken.Encoding(
    "gpt2", pat_str=SPLITTING, mergeable_ranks=load_tiktoken_bpe(sys.argv[1]), special_tokens={})
print(encoding.encode_ordinary(sys.argv[2]))
