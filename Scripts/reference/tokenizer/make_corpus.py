"""Creates a corpus of text in many languages, to compare tokenizers: make_corpus.py FOLDER

Writes FOLDER/corpus.txt, at least 50 MB: the manuals of LibreOffice in fourteen languages and of Python, from Debian
packages, which apt-get downloads to FOLDER/packages.
"""
import glob
import html
import os
import re
import subprocess
import sys

LANGUAGES = "de dz el fr hi ja km ko pl ru tr vi zh-cn en-us".split()
PACKAGES = [*(f"libreoffice-help-{language}" for language in LANGUAGES), "python3.11-doc"]
LIMIT = 4_000_000  # bytes of text from each package

HIDDEN = re.compile(r"<(script|style|head)\b.*?</\1>", re.S)
TAG = re.compile(r"<[^>]*>")


def text_of(path):
    with open(path, encoding="utf-8", errors="ignore") as file:
        source = html.unescape(TAG.sub("", HIDDEN.sub("", file.read())))
    return "".join(line + "\n" for line in source.split("\n") if line.strip())


def fetch(folder):
    """Downloads and unpacks the packages; returns a dictionary from package name to folder."""
    packages = f"{folder}/packages"
    os.makedirs(packages, exist_ok=True)
    missing = [package for package in PACKAGES if not glob.glob(f"{packages}/{package}_*.deb")]
    if missing:
        subprocess.run(["apt-get", "download", "-q", *missing], cwd=packages, check=True)
    roots = {package: f"{packages}/{package}" for package in PACKAGES}
    for package, root in roots.items():
        if not os.path.isdir(root):
            subprocess.run(["dpkg-deb", "-x", glob.glob(f"{root}_*.deb")[0], root], check=True)
    return roots


def texts(root, limit):
    """Yields the texts of an unpacked package, until `limit` bytes."""
    size = 0
    for path in sorted(glob.glob(f"{root}/usr/share/**/*.html", recursive=True)):
        if size < limit and not os.path.islink(path):
            text = text_of(path)
            yield text
            size += len(text.encode())


def main(folder):
    with open(f"{folder}/corpus.txt", "w", encoding="utf-8", newline="") as corpus:
        for package, root in fetch(folder).items():
            size = 0
            for text in texts(root, LIMIT):
                corpus.write(text)
                size += len(text.encode())
            print(f"{size:12,d} bytes  {package}")
    size = os.path.getsize(f"{folder}/corpus.txt")
    print(f"{size:12,d} bytes  {folder}/corpus.txt")
    if size < 50_000_000:
        sys.exit("the corpus is smaller than 50 MB")


if __name__ == "__main__":
    main(sys.argv[1])
