"""Compares bpe-encode and bpe-decode with reference implementations on random texts, for many tokenizers.

check_tokenizers.py FOLDER [KIND]... [--seconds N | --lines N] [--seed N] [--corpus FILE] [--whole-corpus]
                    [--bin DIR] [--llama LIBRARY]

FOLDER contains a folder or a .gguf file of each kind (make_kinds.py makes them). For each kind the program draws texts
(random_texts.py), encodes them in batches with random options and with every reference that can read the kind
(references.py), and compares

- the ids, with and without --special, and those that --bos and --eos add;
- the end of each token. If a character becomes several tokens, because its bytes are in several tokens or because a
  normalizer replaces it by several characters, the references give the end of the character to all of them, and
  bpe-encode to the last only; the ends of the others are anywhere in the character, or in the characters that the
  normalizer can join or reorder. If a normalizer removes or joins characters, the references have gaps between tokens,
  and the end is anywhere in the gap;
- the text of the ids, and of random ids, by bpe-decode, with and without --no-special. The references write one or more
  U+FFFD for bytes that are not UTF-8; runs of U+FFFD are therefore equal. Ids that the references decode to other text
  are left out (`loses_bytes`).

The first reference decides; differences from the others are counted in parentheses. --whole-corpus compares the ids of
every line of the corpus instead of random texts. --seconds are divided among the kinds; --lines are texts of each kind.
For the first differences of a kind it prints the smallest text that it finds, and the commands. Prints a line for each
kind, and totals; the status is 1 if there are differences or kinds that bpe-encode refuses.
"""
import argparse
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time
from collections import Counter

import references
from random_texts import Source

# Options for files that do not say all
OPTIONS = {"gguf-aquila.gguf": ["--pre-tokenizer", "gpt-2"], "gguf-gpt-neox.gguf": ["--pre-tokenizer", "mpt"]}
BATCH = 3000
TIMEOUT = 600  # seconds for a batch, which takes less than one on an idle machine
REPORTS = 4  # differences of one sort that are printed for each kind


def run(command, data):
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"no end after {TIMEOUT} s") from error


def encode(program, model, texts, options, form):
    """Returns the records of bpe-encode with offsets for the texts, whose input has the given form."""
    return [json.loads(line) for line in encoded_lines(program, model, texts, ["--offsets", *options], form)]


def encoded_lines(program, model, texts, options, form):
    """Returns the lines that bpe-encode writes for the texts, whose input has the form lines, null or json."""
    if form == "json":
        data = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    else:
        # The first text must not begin with a byte-order mark
        data = "".join(text + {"lines": "\n", "null": "\0"}[form] for text in ["x", *texts]).encode()
    flags = {"lines": [], "null": ["-z"], "json": ["-j"]}[form]
    flags += OPTIONS.get(os.path.basename(model), [])
    result = run([program, "-q", "-m", model, "--keep-going", *flags, *options], data)
    records = result.stdout.split(b"\n")[:-1]
    if form != "json":
        records = records[1:]
    if len(records) != len(texts):
        raise RuntimeError(result.stderr.decode(errors="replace").strip()[:600] or f"status {result.returncode}")
    return records


def decode(program, model, sequences, options):
    """Returns the text that bpe-decode writes for each sequence of ids, with U+FFFD for bytes that are not UTF-8.

    None of the texts may contain NUL.
    """
    data = "".join(json.dumps({"ids": ids}) + "\n" for ids in sequences).encode()
    result = run([program, "-q", "-m", model, "-z", "--keep-going", *options], data)
    texts = result.stdout.split(b"\0")[:-1]
    if len(texts) != len(sequences):
        raise RuntimeError(result.stderr.decode(errors="replace").strip()[:600] or f"status {result.returncode}")
    return [text.decode(errors="replace") for text in texts]


def same_text(ours, theirs):
    return ours == theirs or re.sub("\ufffd+", "\ufffd", ours) == re.sub("\ufffd+", "\ufffd", theirs)


def same_ends(ours, theirs):
    """Whether each end is the only one, or within the limits, that the reference gives."""
    return len(ours) == len(theirs) and all(low <= end <= high for end, (low, high) in zip(ours, theirs))


class Check:
    """The comparison of one kind."""

    def __init__(self, kind, path, arguments):
        self.kind, self.path, self.arguments = kind, path, arguments
        self.references, self.notes = references.references_of(path, arguments.llama)
        self.random = random.Random(f"{arguments.seed} {kind}")
        self.checks = self.tokens = self.lines = 0
        self.differences = Counter()
        self.others = Counter()  # differences from the references that do not decide
        self.reports = []
        self.error = None
        self.encoder, self.decoder = f"{arguments.bin}/bpe-encode", f"{arguments.bin}/bpe-decode"

    def run(self, source):
        if not self.references:
            self.error = "no reference: " + "; ".join(self.notes)
            return
        try:
            encode(self.encoder, self.path, ["x"], [], "lines")
        except RuntimeError as error:
            self.error = str(error)
            return
        first = self.references[0]
        source.random = self.random
        source.special = [token for token in first.special_tokens if "\n" not in token][-200:] + first.special_tokens[:20]
        if hasattr(first, "size"):
            tokens = first.vocabulary(self.random.sample(range(first.size), min(first.size, 3000)))
            source.tokens = [token for token in tokens if not token.startswith("[PAD")]  # only llama.cpp finds them
        started = time.monotonic()
        for texts in self.batches(source, started):
            try:
                if self.arguments.whole_corpus:
                    self.compare_ids(texts)
                else:
                    self.compare(texts)
            except RuntimeError as error:
                self.error = str(error)
                return

    def batches(self, source, started):
        arguments = self.arguments
        if arguments.whole_corpus:
            for start in range(0, len(source.lines), BATCH * 10):
                yield source.lines[start:start + BATCH * 10]
            return
        while self.lines < arguments.lines if arguments.lines else time.monotonic() - started < arguments.slice:
            yield [source.text() for _ in range(min(BATCH, arguments.lines or BATCH))]

    def compare(self, texts):
        special = self.random.random() < 0.5
        form = self.random.choice(["lines", "null", "json", "json"])
        if form == "null":
            texts = [text.replace("\0", "") for text in texts]
            texts = [text.replace("\r", "\n") if self.random.random() < 0.5 else text for text in texts]
        options = ["--special"] if special else []
        before, after = [], []
        first = self.references[0]
        if self.random.random() < 0.2 and first.before and first.before[0] is not None:
            options, before = options + ["--bos"], first.before
        if self.random.random() < 0.2 and first.after and first.after[0] is not None:
            options, after = options + ["--eos"], first.after
        try:
            records = encode(self.encoder, self.path, texts, options, form)
        except RuntimeError as error:
            text = self.failing(texts, options, form)
            raise RuntimeError(f"{error}; on {json.dumps(text)[:2000]} ({form}, {' '.join(options)})") from error
        results = [(reference, reference.encode(texts, special)) for reference in self.references]
        decides = True
        for reference, result in results:
            if result is None:
                continue
            for text, record, (ids, ends) in zip(texts, records, result):
                difference = self.difference(reference, text, record, before, after, ids, ends)
                self.count(difference, reference, decides, text, options, record, before + ids + after, ends)
            if decides:
                self.lines += len(texts)
                self.tokens += sum(len(ids) for ids, _ in result)
                self.compare_decoding(reference, [ids for ids, _ in result], special)
            decides = False

    def compare_ids(self, texts):
        """Compares the ids of lines with the first reference only; the rest only of lines with other ids."""
        reference = self.references[0]
        special = self.random.random() < 0.5 and reference.encode(["x"], True) is not None
        options = ["--special"] if special else []
        lines = encoded_lines(self.encoder, self.path, texts, options, "lines")
        for text, line, ids in zip(texts, lines, reference.encode_ids(texts, special)):
            self.checks += 1
            self.tokens += len(ids)
            if f'"ids":{ids},'.replace(" ", "").encode() not in line:
                [record] = encode(self.encoder, self.path, [text], options, "json")
                [(ids, ends)] = reference.encode([text], special)
                difference = self.difference(reference, text, record, [], [], ids, ends)
                self.count(difference, reference, True, text, options, record, ids, ends)
        self.lines += len(texts)

    @staticmethod
    def difference(reference, text, record, before, after, ids, ends):
        """Returns what differs: "error", "ids", "ends" or None.

        An error for a byte without a token is right if the reference loses the byte.
        """
        if "error" in record:
            lost = "has no token for" in record["error"] and reference.decode([ids], True) != [text]
            return None if lost else "error"
        found = record.get("ids") or []
        if found != before + ids + after:
            return "ids"
        if ends is None:
            return None
        offsets = [end for _, end in record.get("offsets") or []][len(before):len(found) - len(after)]
        return None if same_ends(offsets, ends) or not reference.has_exact_ends(text) else "ends"

    def count(self, difference, reference, decides, text, options, record, ids, ends):
        self.checks += 1
        if difference is None:
            return
        if not decides:
            self.others[reference.name] += 1
            return
        self.differences[difference] += 1
        if sum(report[0] == difference for report in self.reports) < 3 * REPORTS:
            self.reports.append((difference, reference, text, options, record, ids, ends))

    def compare_decoding(self, reference, sequences, special):
        sequences = self.random.sample(sequences, min(len(sequences), 1000))
        if hasattr(reference, "size"):
            sequences += [[self.random.randrange(reference.size) for _ in range(self.random.randint(1, 8))]
                          for _ in range(200)]
        theirs = reference.decode(sequences, special)
        if theirs is None:
            return
        options = [] if special else ["--no-special"]
        sequences, theirs = zip(*((ids, text) for ids, text in zip(sequences, theirs)
                                  if "\0" not in text and not reference.loses_bytes(ids)))
        for ids, found, text in zip(sequences, decode(self.decoder, self.path, sequences, options), theirs):
            self.checks += 1
            if not same_text(found, text):
                self.differences["decoded"] += 1
                if sum(report[0] == "decoded" for report in self.reports) < REPORTS:
                    self.reports.append(("decoded", reference, text, options, found, ids, None))

    def failing(self, texts, options, form):
        """Returns the one of the texts on which bpe-encode fails, without the parts that do not matter, or None."""
        def fails(texts):
            try:
                encode(self.encoder, self.path, texts, options, form)
                return False
            except RuntimeError:
                return True

        while len(texts) > 1:
            half = texts[:len(texts) // 2]
            texts = half if fails(half) else texts[len(texts) // 2:]
        if not texts or not fails(texts):
            return None
        text, size = texts[0], len(texts[0]) // 2
        while size:
            at = 0
            while at < len(text):
                if fails([text[:at] + text[at + size:]]):
                    text = text[:at] + text[at + size:]
                else:
                    at += size
            size //= 2
        return text

    def minimized(self, difference, reference, text, options):
        """Returns a small text with the same difference: removes parts as long as it remains."""
        special = "--special" in options
        options = [option for option in options if option == "--special"]

        def differing(candidates):
            records = encode(self.encoder, self.path, candidates, options, "json")
            for candidate, record, (ids, ends) in zip(candidates, records, reference.encode(candidates, special)):
                if self.difference(reference, candidate, record, [], [], ids, ends) == difference:
                    return candidate
            return None

        size = max(1, len(text) // 2)
        for _ in range(60):
            shorter = differing([text[:at] + text[at + size:] for at in range(0, len(text), size)][:4000] or [""])
            if shorter is not None:
                text = shorter
            elif size == 1:
                break
            size = max(1, min(size if shorter is not None else size // 2, len(text) // 2 or 1))
        return text

    def report(self):
        """Prints different differences in a way that can be repeated."""
        printed = Counter()
        seen = set()
        for difference, reference, text, options, record, ids, ends in self.reports:
            if printed[difference] == REPORTS:
                continue
            if difference == "decoded":
                command = f"echo {shlex.quote(json.dumps({'ids': ids}))} | bpe-decode -m {self.path} {' '.join(options)}"
                print(f"  decoded: {command}\n    {reference.name}: {json.dumps(text)}")
                print(f"    found    {json.dumps(record)[:1500]}")
                printed[difference] += 1
                continue
            try:
                smallest = self.minimized(difference, reference, text, options)
                if (difference, smallest) in seen:
                    continue
                kept = [option for option in options if option == "--special"]
                [again] = encode(self.encoder, self.path, [smallest], kept, "json")
                [(smallest_ids, smallest_ends)] = reference.encode([smallest], "--special" in kept)
                if self.difference(reference, smallest, again, [], [], smallest_ids, smallest_ends) == difference:
                    text, options, record, ids, ends = smallest, kept, again, smallest_ids, smallest_ends
                seen.add((difference, text))
            except RuntimeError:
                pass
            printed[difference] += 1
            source = json.dumps({"text": text}).replace("'", "\\u0027")
            flags = " ".join(["--offsets"] * (difference == "ends") + options)
            print(f"  {difference}: echo '{source}' | bpe-encode -j -m {self.path} {flags}".rstrip())
            if difference == "ends":
                found = [end for _, end in record.get("offsets") or []]
                ends = [high if low == high else (low, high) for low, high in ends]
                print(f"    {reference.name}: ends {ends} of ids {ids}\n    found    {found}")
            else:
                print(f"    {reference.name}: {ids}\n    found    {json.dumps(record.get('ids') or record)[:1500]}")

    def line(self):
        names = ", ".join(reference.name for reference in self.references)
        if self.error:
            return f"{self.kind}: {'FAILED' if self.checks else 'REFUSED'} ({names}): {self.error}"
        total = sum(self.differences.values())
        parts = ", ".join(f"{count:,} {name}" for name, count in self.differences.items())
        others = ", ".join(f"{name} {self.others[name]:,}" for name in self.others)
        return (f"{self.kind}: {total:,} differences{f' ({parts})' if parts else ''}, {self.checks:,} checks, "
                f"{self.lines:,} texts, {self.tokens:,} tokens; {names}" + (f" (others: {others})" if others else "")
                + (f" [{'; '.join(self.notes)}]" if self.notes else ""))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--lines", type=int, default=0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--corpus")
    parser.add_argument("--whole-corpus", action="store_true")
    parser.add_argument("--bin", default=f"{here}/../../../.build/release")
    parser.add_argument("--llama", help="libllama.so of llama.cpp")
    arguments = parser.parse_intermixed_args()
    os.environ.setdefault("LM_NO_TOKENIZER_CACHE", "1")  # with 0, the images in $LMPIPE_CACHE are checked
    kinds = arguments.kinds or sorted(
        name for name in os.listdir(arguments.folder)
        if name.endswith(".gguf") or os.path.isdir(f"{arguments.folder}/{name}"))
    arguments.slice = arguments.seconds / max(1, len(kinds))
    source = Source(random.Random(arguments.seed), arguments.corpus)
    checks = differences = refused = texts = 0
    for kind in kinds:
        check = Check(kind, f"{arguments.folder}/{kind}", arguments)
        check.run(source)
        print(check.line(), flush=True)
        check.report()
        sys.stdout.flush()
        checks, texts = checks + check.checks, texts + check.lines
        differences += sum(check.differences.values())
        refused += check.error is not None
    print(f"{len(kinds)} kinds, {refused} refused, {texts:,} texts, {checks:,} checks, {differences:,} differences")
    sys.exit(differences > 0 or refused > 0)


if __name__ == "__main__":
    main()
