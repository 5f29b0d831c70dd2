#!/usr/bin/env python3
"""Load tests of the release build: no record is lost, the order is kept, memory does not grow. Prints a Markdown table.

    Benchmarks/load.py [--records N] [--readme]

--readme also writes the table into Benchmarks/README.md. The exit status is 1 if a check fails. The model has a few thousand
parameters and is made here, so that the number of records dominates.
"""
import argparse
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import document

checkout = pathlib.Path(__file__).resolve().parent.parent
tools = checkout / ".build/release"
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        print(f"load: {what}", file=sys.stderr)
    return holds


def make_model(folder):
    """Writes a GPT-2 of one layer with the tests' tokenizer of 500 tokens."""
    folder.mkdir()
    shutil.copy(checkout / "Tests/TokenizerTests/Fixtures/json/tokenizer.json", folder)
    vocabulary, positions, width = 500, 64, 16
    configuration = {"model_type": "gpt2", "vocab_size": vocabulary, "n_positions": positions, "n_embd": width,
                     "n_layer": 1, "n_head": 2}
    (folder / "config.json").write_text(json.dumps(configuration))
    shapes = {"wte.weight": [vocabulary, width], "wpe.weight": [positions, width], "ln_f.weight": [width],
              "ln_f.bias": [width]}
    for norm in "ln_1", "ln_2":
        shapes |= {f"h.0.{norm}.weight": [width], f"h.0.{norm}.bias": [width]}
    for name, inputs, outputs in (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width),
                                  ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width)):
        shapes |= {f"h.0.{name}.weight": [inputs, outputs], f"h.0.{name}.bias": [outputs]}
    header, data = {}, bytearray()
    for name, shape in shapes.items():
        start = len(data)
        for number in range(math.prod(shape)):
            data += struct.pack("<f", math.sin(len(data) * 1.7 + number))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


class Memory(threading.Thread):
    """Samples the resident memory of processes every tenth of a second."""

    def __init__(self, processes):
        super().__init__(daemon=True)
        self.processes, self.samples = processes, {process.pid: [] for process in processes}
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.1):
            for process in self.processes:
                try:
                    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                except OSError:
                    continue
                if found := re.search(r"VmRSS:\s*(\d+)", status):
                    self.samples[process.pid].append(int(found[1]) / 1024)

    def figures(self, is_flat):
        """Returns the largest peak of a process in the first half and in the last quarter of the run, in MB. With `is_flat`
        it also checks that memory does not grow."""
        self.ended.set()
        self.join()
        figures = [(max(samples[:len(samples) // 2]), max(samples[-len(samples) // 4:]))
                   for samples in self.samples.values() if len(samples) > 8]
        for early, late in figures if is_flat else []:
            expect(late < 1.1 * early + 4, f"memory grows from {early:.0f} to {late:.0f} MB")
        return "%.0f, %.0f" % max(figures, key=max) if figures else "too short to measure"


def pipeline(stages, input_file, visit, statuses=None, is_flat=True):
    """Runs the stages on a file and passes blocks of the last stage's output to `visit`. Returns seconds and memory."""
    start = time.monotonic()
    processes, source = [], open(input_file, "rb")
    for stage in stages:
        process = subprocess.Popen(stage, stdin=source, stdout=subprocess.PIPE)
        source.close()
        source = process.stdout
        processes.append(process)
    memory = Memory(processes)
    while block := source.read(1 << 20):
        visit(block)
    ended = [process.wait() for process in processes]
    seconds = time.monotonic() - start
    expect(ended == (statuses or [0] * len(stages)), f"{' | '.join(stage[0] for stage in stages)} ended with {ended}")
    return seconds, memory.figures(is_flat)


class Order:
    """Counts records and checks that their "doc" counts up."""

    def __init__(self):
        self.count, self.rest, self.holds = 0, b"", True
        self.digest = hashlib.blake2b()

    def __call__(self, block):
        self.digest.update(block)
        lines = (self.rest + block).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            prefix = b'{"doc":%d,' % self.count
            self.holds = self.holds and line.startswith(prefix)
            self.count += 1


rows = []


def row(what, amount, seconds, unit, memory, holds):
    rows.append(f"| {what} | {amount / seconds:,.0f} {unit} | {memory} | {holds} |")
    print(rows[-1], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--readme", action="store_true", help="write the table into Benchmarks/README.md")
    arguments = parser.parse_args()
    count = arguments.records
    os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="lmpipe-load-") as scratch:
        scratch = pathlib.Path(scratch)
        os.environ["LM_MODEL"] = str(scratch / "model")
        make_model(scratch / "model")
        many_records(scratch, count)
        one_long_record(scratch, 100 * count)
        bad_records(scratch, count // 10)
        pipelines_at_once(scratch, count // 10)
    table = "| load | throughput | memory of the largest stage, MB: first half, last quarter | verified |\n"
    table += "| --- | ---: | ---: | --- |\n" + "\n".join(rows)
    if arguments.readme and not failures:
        document.write("Benchmarks/load.py", table)
    sys.exit(1 if failures else 0)


def many_records(scratch, count):
    """All tools in one pipeline, then each tool alone with files between them."""
    texts = scratch / "texts"
    with texts.open("w") as file:
        for number in range(count):
            print(f'{{"doc":{number},"text":"it was number {number * 7919 % 9973} of many"}}', file=file)
    stages = {
        "bpe-encode": ["bpe-encode", "-j"], "lm-logits": ["lm-logits", "--base64"], "lm-topk": ["lm-topk", "-k", "3"],
        "lm-step": ["lm-step"], "bpe-decode": ["bpe-decode", "-j"]}
    order = Order()
    seconds, memory = pipeline(list(stages.values()), texts, order)
    holds = expect(order.holds and order.count == count, f"{order.count} of {count} records came out of the pipeline")
    whole = order.digest.hexdigest()
    row(f"{count:,} records through all of the tools below", count, seconds, "records/s", memory,
        "all records, in order" if holds else "no")

    source = texts
    for name, stage in stages.items():
        result, order = scratch / name, Order()
        with result.open("wb") as file:

            def keep(block):
                order(block)
                file.write(block)

            seconds, memory = pipeline([stage], source, keep)
        holds = expect(order.holds and order.count == count, f"{order.count} of {count} records came out of {name}")
        row(f"{count:,} records through {' '.join(stage)}", count, seconds, "records/s", memory,
            "all records, in order" if holds else "no")
        source.unlink()
        source = result
    expect(order.digest.hexdigest() == whole, "the pipeline and the tools one by one write different bytes")


def one_long_record(scratch, size):
    long = scratch / "long"
    words = b"All work and no play makes Jack a dull boy, \xc3\xa9t\xc3\xa9 as winter. "
    long.write_bytes((words * (size // len(words) + 1))[:size] + b"\n")
    digest, expected = hashlib.blake2b(), hashlib.blake2b(long.read_bytes())
    seconds, memory = pipeline([["bpe-encode"], ["bpe-decode"]], long, digest.update, is_flat=False)
    holds = expect(digest.digest() == expected.digest(), "the long record was changed")
    row(f"one record of {size / 1e6:.0f} MB through bpe-encode \\| bpe-decode", size / 1e6, seconds, "MB/s", memory,
        "the same bytes" if holds else "no")
    long.unlink()


def bad_records(scratch, count):
    mixed = scratch / "mixed"
    with mixed.open("w") as file:
        for number in range(count):
            bad = '"text":3' if number % 1000 == 999 else f'"text":"number {number}"'
            print(f'{{"doc":{number},{bad}}}', file=file)
    lines = []
    stages = [["bpe-encode", "-j", "--keep-going"], ["lm-step", "--keep-going"], ["bpe-decode", "-j", "--keep-going"]]
    seconds, memory = pipeline(stages, mixed, lines.append, [65, 0, 0])
    lines = b"".join(lines).splitlines()
    errors = [number for number, line in enumerate(lines) if b'"error":' in line]
    in_order = all(line.startswith(b'{"doc":%d,' % number) for number, line in enumerate(lines))
    holds = expect(len(lines) == count and in_order and errors == list(range(999, count, 1000)),
                   f"{len(lines)} of {count} records came out, {len(errors)} of them error records")
    row(f"{count:,} records with every thousandth one bad, --keep-going", count, seconds, "records/s", memory,
        f"{len(errors)} error records, each in its place" if holds else "no")


def pipelines_at_once(scratch, count):
    texts = scratch / "eighth"
    with texts.open("w") as file:
        for number in range(count):
            print(f'{{"doc":{number},"text":"number {number}"}}', file=file)
    stages = [["bpe-encode", "-j"], ["lm-logits", "--base64"], ["lm-step"], ["bpe-decode", "-j"]]
    digests, memories = [], []

    def one():
        order = Order()
        memories.append(pipeline(stages, texts, order)[1])
        digests.append((order.count, order.holds, order.digest.hexdigest()))

    threads = [threading.Thread(target=one) for _ in range(8)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - start
    holds = expect(len(set(digests)) == 1 and digests[0][:2] == (count, True), "the outputs of the eight pipelines differ")
    row(f"eight pipelines of {count:,} records at once", 8 * count, seconds, "records/s", memories[0],
        "the same bytes eight times" if holds else "no")


main()
