"""Writes generated tables into Benchmarks/README.md."""
import re
import sys

from harness.workplace import CHECKOUT

END = "<!-- end -->"


def write(program, text):
    """Replaces the text between `<!-- begin: PROGRAM -->` and the next `<!-- end -->`."""
    path, begin = f"{CHECKOUT}/Benchmarks/README.md", f"<!-- begin: {program} -->"
    with open(path, encoding="utf-8") as file:
        page = file.read()
    page, count = re.subn(f"{begin}.*?{END}", lambda _: f"{begin}\n\n{text}\n\n{END}", page, count=1, flags=re.S)
    if count != 1:
        sys.exit(f"{path}: no lines {begin} and {END}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
