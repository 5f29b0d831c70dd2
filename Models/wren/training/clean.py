#!/usr/bin/env python3
"""Converts the unpacked packages and the generated texts to plain documents, one per line.

usage: clean.py WORK_DIR     reads WORK_DIR/packages and WORK_DIR/written.jsonl, writes WORK_DIR/texts.jsonl

A document is {"kind", "name", "text"}: a chapter of a novel, a chapter of the Bible, a page of WordNet's example
sentences, or a story, letter or the like. A text is a list of paragraphs, one per line, with straight quotation marks,
as they are typed.
"""
import html
import json
import re
import struct
import sys
import warnings
import zlib
from pathlib import Path
from typing import Iterator

import rdata

# The narrative books of the Bible; laws, lists, psalms and prophecies use another style.
STORIES = """Gen Exod Josh Judg Ruth 1Sam 2Sam 1Kgs 2Kgs Ezra Neh Esth Dan Jonah
Tob Jdt 1Macc 2Macc Matt Mark Luke John Acts""".split()

RUN = 8         # a sequence of this many words that occurs twice in a text is a repetition
SHORTEST = 160  # characters; shorter texts are dropped
ABOUT_ITSELF = re.compile(r"(?i)\b(AI|language model|simple words|short story|plain words|simple sentences|quotation marks"
                          r"|the prompt|this story|this sentence|past tense|I'll (write|create)|here's an?|here is an?)\b")


def plain(text: str) -> str:
    """Returns the text with straight quotes, one kind of dash, no emphasis marks and single spaces."""
    for old, new in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"), ("--", "—"), ("_", ""), ("\ufeff", "")):
        text = text.replace(old, new)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ([,.;:!?])", r"\1", text)


def paragraphs(text: str) -> str:
    """Joins wrapped lines; an empty line ends a paragraph."""
    whole = (plain(part) for part in re.split(r"\n\s*\n", text))
    return "\n".join(part for part in whole if part)


def r_data(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields the character vectors of an R package. Rdata.rdx lists spans of Rdata.rdb: four bytes of length, then zlib."""
    warnings.simplefilter("ignore")
    index = rdata.conversion.convert(rdata.parser.parse_data((folder / "Rdata.rdx").read_bytes()))
    data = (folder / "Rdata.rdb").read_bytes()
    for name, (start, length) in index["variables"].items():
        packed = data[start + 4 : start + length]
        lines = rdata.conversion.convert(rdata.parser.parse_data(zlib.decompress(packed)))
        yield str(name), "\n".join(map(str, lines)).replace("\r", "")


def novel(title: str, text: str) -> Iterator[tuple[str, str]]:
    """Yields the chapters of a novel without headings."""
    start = re.search(r"\*\*\* START OF .*", text)
    end = re.search(r"\*\*\* ?END OF .*|^End of (the )?Project Gutenberg.*|^\W*(FINIS|Finis|THE END)\W*$", text, re.M)
    text = text[start.end() if start else 0 : end.start() if end else len(text)]
    chapters = re.split(r"(?mi)^\s*chapter (?:\d+|[ivxl]+)\b.*$", text)[1:]
    for number, chapter in enumerate(chapters, 1):
        chapter = re.sub(r"(?m)^\s*VOLUME [IVX]+\s*$", "", chapter)
        yield f"{title} {number}", paragraphs(chapter)


def bible(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields the chapters of a SWORD module. Each book is a zlib block, located by a row of three integers."""
    for part in ("ot", "nt"):
        rows, data = (folder / f"{part}.bzs").read_bytes(), (folder / f"{part}.bzz").read_bytes()
        for start, length, _ in struct.iter_unpack("<3I", rows):
            if not length:
                continue
            book = zlib.decompress(data[start : start + length]).decode()
            name = re.search(r'osisID="(\w+)"', book)
            if not name or name[1] not in STORIES:
                continue
            book = re.sub(r"<(note|title)\b.*?</\1>", " ", book, flags=re.S)
            book = re.sub(r'<(?:div|l)\b[^>]*sID="[^>]*type="x-p[^>]*>', "\n\n", book)
            chapters = re.split(r"<chapter [^>]*sID=[^>]*>", book)[1:]
            for number, chapter in enumerate(chapters, 1):
                yield f"{name[1]} {number}", paragraphs(html.unescape(re.sub(r"<[^>]+>", "", chapter)))


def wordnet(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields WordNet's examples that are whole sentences, fifty per page."""
    for part in ("verb", "adj", "adv", "noun"):
        sentences = []
        for line in (folder / f"data.{part}").read_text().splitlines():
            gloss = line.partition(" | ")[2]
            for example in re.findall(r'(?:^|; )"([^"]+)"', gloss):
                example = plain(example)
                if re.match(r"[A-Z]", example) and example.count(" ") >= 3:
                    sentences.append(example if example[-1] in ".!?" else example + ".")
        sentences = list(dict.fromkeys(sentences))
        for page, first in enumerate(range(0, len(sentences), 50), 1):
            yield f"{part} {page}", "\n".join(sentences[first : first + 50])


def written(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yields kind, name and text of each generated document, up to its first repetition or truncated sentence.

    A sentence ends at a punctuation mark before a space. A text is cut before a sentence that shares eight consecutive words
    with an earlier one. Texts that are then too short, or that mention their own generation, are dropped.
    """
    for line in path.open():
        document = json.loads(line)
        text = paragraphs(document["text"].replace("\n", "\n\n"))
        if ABOUT_ITSELF.search(text):
            continue
        kept, runs = [], set()
        for sentence in re.findall(r"[^.!?]*(?:[.!?]+[\"')]*(?:\s+|$)|$)", text):
            parts = re.findall(r"[\w']+", sentence.lower())
            fresh = {tuple(parts[first : first + RUN]) for first in range(max(1, len(parts) - RUN + 1))}
            if len(parts) > 2 and fresh & runs:
                break
            runs |= fresh
            kept.append(sentence)
        text = "".join(kept)
        whole = re.match(r".*[.!?][\"')]*", text, re.S)
        text = whole[0].strip() if whole else ""
        # Truncated direct speech leaves an unpaired quotation mark.
        last = text.rpartition("\n")[2]
        if last.count('"') % 2:
            text += '"' if text[-1] in ".!?" else ""
        if len(text) >= SHORTEST:
            yield document["kind"], document["name"], text


def main() -> None:
    work = Path(sys.argv[1])
    packages = work / "packages"
    library = "files/usr/lib/R/site-library"
    documents = []
    for title, text in r_data(packages / f"r-cran-janeaustenr/{library}/janeaustenr/data"):
        documents += [("austen", *chapter) for chapter in novel(title, text)]
    for title, text in r_data(packages / f"r-cran-tokenizers/{library}/tokenizers/data"):
        documents += [("melville", *chapter) for chapter in novel(title, text)]
    module = packages / "sword-text-web/files/usr/share/sword/modules/texts/ztext/engWEB2015eb"
    documents += [("bible", *chapter) for chapter in bible(module)]
    documents += [("wordnet", *page) for page in wordnet(packages / "wordnet-base/files/usr/share/wordnet")]
    documents += written(work / "written.jsonl")
    sizes: dict[str, list[int]] = {}
    with (work / "texts.new").open("w") as out:
        for kind, name, text in documents:
            if len(text) < SHORTEST:
                continue
            out.write(json.dumps({"kind": kind, "name": name, "text": text}, ensure_ascii=False) + "\n")
            sizes.setdefault(kind, []).append(len(text.encode()))
    (work / "texts.new").rename(work / "texts.jsonl")
    for kind, lengths in sizes.items():
        print(f"{kind:10} {len(lengths):5,} documents {sum(lengths):10,} bytes")


if __name__ == "__main__":
    main()
