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
    """With the image of the tokenizer in the cache, which the first run of the tool writes."""
    path = place.file("line.txt", [LINE.encode() + b"\n"])

    def tiktoken():
        ranks = place.made("gpt2.tiktoken", "tiktoken_file.py", place.gpt2)
        return place.peer_process("tiktoken_once.py", ranks, LINE)

    return Row(
        name, "`bpe-encode`, one short line, whole process", "ms",
        [Subject("lmpipe", place.tool("bpe-encode", "-m", place.gpt2, input=path), milliseconds),
         Subject.peer("tiktoken", tiktoken, milliseconds)],
        [at_most(3)], lower_is_better=True)


def line_without_image(place, name):
    path = place.file("line.txt", [LINE.encode() + b"\n"])
    tool = place.tool(
        "bpe-encode", "-m", place.gpt2, input=path, environment={"LM_NO_TOKENIZER_CACHE": "1"})
    return Row(
        name, "the same without the tokenizer cache", "ms", [Subject("lmpipe", tool, milliseconds)], [at_most(5)],
        lower_is_better=True)


def line_256k(place, name):
    path = place.file("line.txt", [LINE.encode() + b"\n"])
    model = place.gemma3
    without = place.tool("bpe-encode", "-m", model, input=path, environment={"LM_NO_TOKENIZER_CACHE": "1"})
    return Row(
        name, "the same with 262,144 tokens (Gemma 3)", "ms",
        [Subject("lmpipe", place.tool("bpe-encode", "-m", model, input=path), milliseconds),
         Subject("without the cache", without, milliseconds)],
        [at_most(10)], lower_is_better=True)


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
    "encode-line-files": line_without_image,
    "encode-line-256k": line_256k,
    "encode-english": lambda place, name: bulk(
        place, name, "english", 1, [times(3, "gigatoken+orjson"), at_least(200)]),
    "encode-english-2": lambda place, name: bulk(
        place, name, "english", 2, [times(1.9, "lmpipe on one thread", "1.9 × one thread")]),
    "encode-languages": lambda place, name: bulk(place, name, "languages", 1, [at_least(150)]),
    "encode-languages-2": lambda place, name: bulk(place, name, "languages", 2, []),
    "encode-letters": letters,
}
