"""Writes the texts on which tokenizers are measured: corpora.py WORK

Writes WORK/english.txt and WORK/languages.txt (twelve languages): 18 MB each, in documents of at most 64 KiB that end
with NUL. The text comes from the manuals in Debian packages that Scripts/reference/tokenizer uses.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../Scripts/reference/tokenizer"))
import make_corpus

# Bytes taken from each package: 18 MB in total.
ENGLISH = {"python3.11-doc": 14_000_000, "libreoffice-help-en-us": 4_000_000}
LANGUAGES = {f"libreoffice-help-{code}": 1_500_000 for code in "de el fr hi ja km ko pl ru tr vi zh-cn".split()}


def text(root, size):
    """Returns the first `size` bytes of the texts of a package, less a character that the end cuts."""
    head = "".join(make_corpus.texts(root, size)).encode()[:size]
    return head.decode(errors="ignore").encode().replace(b"\0", b"")


def documents(text):
    start = 0
    while start < len(text):
        end = min(start + (1 << 16), len(text))
        while end < len(text) and text[end] & 0xC0 == 0x80:  # do not split a character
            end -= 1
        yield text[start:end] + b"\0"
        start = end


def main(work):
    roots = make_corpus.fetch(f"{work}/corpus")
    for name, sizes in (("english", ENGLISH), ("languages", LANGUAGES)):
        path = f"{work}/{name}.txt"
        with open(path + ".new", "wb") as file:
            file.writelines(documents(b"".join(text(roots[package], size) for package, size in sizes.items())))
        os.replace(path + ".new", path)


if __name__ == "__main__":
    main(sys.argv[1])
