#!/usr/bin/env python3
"""Splits the documents into training and held-out documents.

usage: split.py WORK_DIR     reads texts.jsonl, writes train.jsonl and heldout.jsonl

The hash of a document's name selects one in twenty-five to be held out: the selection does not change when documents are
added, and no document is in both sets.
"""
import json
import sys
import zlib
from pathlib import Path

ONE_IN = 25


def main() -> None:
    work = Path(sys.argv[1])
    with (work / "train.new").open("w") as train, (work / "heldout.jsonl").open("w") as heldout:
        for line in (work / "texts.jsonl").open():
            document = json.loads(line)
            held = zlib.crc32(f"{document['kind']}/{document['name']}".encode()) % ONE_IN == 0
            (heldout if held else train).write(line)
    (work / "train.new").rename(work / "train.jsonl")


if __name__ == "__main__":
    main()
