"""Tokenizing with GPT-2's vocabulary."""
import os

from harness.answers import ids_digest
from harness.goals import at_least, at_most, times
from harness.rounds import Row, Subject, milliseconds, own_rate, rate

LINE = "Once upon a time, generative models"
PEERS = ["gigatoken+orjson", "gigatoken", "fastokens", "tiktoken", "riptoken", "tokenizers"]


def bulk(place, name, corpus, threads, goals):
    path = place.corpus(corpus)
    size = os.path.getsize(path) / 1e6

    def ours(threads):
        return place.tool(
            "bpe-encode", "-z", "--threads", str(threads), "-m", place.gpt2, input=path, answer=ids_digest)

    subjects = [Subject("lmpipe", ours(threads), rate(size))]
    if threads > 1:
        subjects.append(Subject("lmpipe on one thread", ours(1), rate(size)))
    subjects += [
        Subject.peer(
            peer, lambda: place.ask(f"encode {path} 1", "tokenizer_worker.py", peer, place.gpt2, threads=threads),
            own_rate(1e6))
        for peer in PEERS]
    text = {"english": "English", "languages": "twelve languages"}[corpus]
    count = "one thread" if threads == 1 else f"{threads} threads"
    work = f"`bpe-encode -z`, {size:.0f} MB of {text} in documents of 64 KiB, {count}"
    return Row(name, work, "MB/s", subjects, goals)


def line(place, name):
    path = place.file("line.txt", [LINE.encode() + b"\n"])

    def tiktoken():
        ranks = place.made("gpt2.tiktoken", "tiktoken_file.py", place.gpt2)
        return place.peer_process("tiktoken_once.py", ranks, LINE)

    return Row(
        name, "`bpe-encode`, one short line, whole process", "ms",
        [Subject("lmpipe", place.tool("bpe-encode", "-m", place.gpt2, input=path), milliseconds),
         Subject.peer("tiktoken", tiktoken, milliseconds)],
        [at_most(10), at_most(5, stretch=True)], lower_is_better=True)


def letters(place, name):
    subjects = []
    for megabytes, who in ((10, "lmpipe"), (1, "lmpipe on 1 MB")):
        path = place.file(f"letters-{megabytes}.txt", [b"a" * 1_000_000] * megabytes)
        subjects.append(Subject(who, place.tool("bpe-encode", "-w", "-m", place.gpt2, input=path), rate(megabytes)))
    return Row(
        name, "`bpe-encode -w`, 10 MB of one letter", "MB/s", subjects,
        [times(1 / 1.5, "lmpipe on 1 MB", "at least 1/1.5 of the rate on 1 MB")])


ROWS = {
    "encode-line": line,
    "encode-english": lambda place, name: bulk(
        place, name, "english", 1, [times(3, "gigatoken+orjson"), at_least(200)]),
    "encode-english-2": lambda place, name: bulk(
        place, name, "english", 2, [times(1.9, "lmpipe on one thread", "1.9 × one thread")]),
    "encode-languages": lambda place, name: bulk(place, name, "languages", 1, [at_least(150)]),
    "encode-languages-2": lambda place, name: bulk(place, name, "languages", 2, []),
    "encode-letters": letters,
}
