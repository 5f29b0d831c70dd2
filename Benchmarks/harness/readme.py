"""The parts of the README that programs write."""
import re
import sys

from harness.workplace import CHECKOUT

END = "<!-- to here -->"


def write(program, text):
    """Puts the text between `<!-- PROGRAM writes from here -->` and the next end."""
    path, begin = f"{CHECKOUT}/README.md", f"<!-- {program} writes from here -->"
    with open(path, encoding="utf-8") as file:
        page = file.read()
    page, count = re.subn(f"{begin}.*?{END}", lambda _: f"{begin}\n\n{text}\n\n{END}", page, count=1, flags=re.S)
    if count != 1:
        sys.exit(f"{path} has no place for the table of {program}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
