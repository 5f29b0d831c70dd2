"""Writes GPT-2's vocabulary in tiktoken's file format: tiktoken_file.py MODEL TARGET"""
import base64
import sys

from vocabulary import ranks

with open(sys.argv[2], "w") as file:
    for token, rank in sorted(ranks(sys.argv[1]).items(), key=lambda item: item[1]):
        print(base64.b64encode(token).decode(), rank, file=file)
