#!/usr/bin/env python3
"""Measures bpe-encode beside the library `tokenizers`, with one thread each, for tokenizers of any kind.

Usage: tokenizer_kinds.py BPE_ENCODE TEXT FOLDER...

BPE_ENCODE is the release program. Its time is the processor time of the whole process, which reads lines and writes
records, less that for an empty input. `tokenizers` gets a twentieth of the same lines in memory (`encode_batch_fast`),
because it is slow; its time is processor time as well. Rounds alternate; the table has medians, in MB/s.
"""
import os
import resource
import statistics
import subprocess
import sys
import time

from tokenizers import Tokenizer

os.environ |= {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
ROUNDS = 5


def seconds(program, folder, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(path, "rb") as text:
        subprocess.run([program, "-q", "--threads", "1", "-m", folder], stdin=text, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(program, path, *folders):
    size = os.path.getsize(path) / 1e6
    with open(path, encoding="utf-8", errors="replace") as text:
        lines = text.read().split("\n")
    sample = lines[::20]
    sample_size = sum(len(line.encode()) for line in sample) / 1e6
    print("| tokenizer | bpe-encode, MB/s | tokenizers, MB/s | ratio | opening, ms |\n| --- | ---: | ---: | ---: | ---: |")
    for folder in folders:
        reference = os.path.join(folder, "tokenizer.json")
        library = Tokenizer.from_file(reference) if os.path.isfile(reference) else None
        ours, theirs, opening = [], [], []
        for _ in range(ROUNDS):
            opening.append(seconds(program, folder, os.devnull))
            ours.append(size / (seconds(program, folder, path) - opening[-1]))
            if library:
                start = time.process_time()
                library.encode_batch_fast(sample, add_special_tokens=False)
                theirs.append(sample_size / (time.process_time() - start))
        rate, name = statistics.median(ours), os.path.basename(folder.rstrip("/"))
        other = statistics.median(theirs) if theirs else None
        print(f"| {name} | {rate:.1f} | {f'{other:.2f}' if other else ''} | {f'{rate / other:.1f} ×' if other else ''} | "
              f"{1000 * statistics.median(opening):.0f} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
