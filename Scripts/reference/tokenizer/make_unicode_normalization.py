"""Writes Sources/Tokenizer/Normalizers/UnicodeNormalization.swift:
make_unicode_normalization.py > UnicodeNormalization.swift

The tables of the normalizers, taken from the behavior of those of `tokenizers`. Its normalization forms and combining
marks follow an older version of Unicode than Python's unicodedata, so data from unicodedata (decompositions,
compositions, the order of marks) is used only if the normalizers behave accordingly. Hangul syllables are computed and
have no entries.
"""
import json
import sys
import unicodedata

import tokenizers
from tokenizers import Tokenizer, normalizers

SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
HANGUL = range(0xAC00, 0xD7A4)
VOWELS, TRAILING = range(0x1161, 0x1176), range(0x11A8, 0x11C3)
nfd, nfc = normalizers.NFD().normalize_str, normalizers.NFC().normalize_str
nfkd, nfkc = normalizers.NFKD().normalize_str, normalizers.NFKC().normalize_str
lowercase, strip_accents = normalizers.Lowercase().normalize_str, normalizers.StripAccents().normalize_str


def order_of(mark, representatives):
    """Returns the canonical combining class, from how the scalar is reordered with marks of every class."""
    character = chr(mark)

    def changes(first, second):
        return nfd("a" + first + second) != "a" + first + second

    [value] = [value for value, other in representatives.items() if not changes(character, other) | changes(other, character)]
    return value


def is_mark(scalar):
    """Returns True if the class is not 0: the scalar is reordered with a mark of class 1 or of class 240."""
    character = chr(scalar)
    return any(nfd("a" + a + b) == "a" + b + a for a, b in ((character, "\u0334"), ("\u0345", character))) \
        or unicodedata.combining(character) in (1, 240)  # the classes of these two


def word_scalars():
    """Returns the scalars that the `single_word` of added tokens treats as a part of a word."""
    flags = dict.fromkeys(("lstrip", "rstrip", "normalized", "special"), False)
    components = dict.fromkeys(
        ("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"), None)
    tokenizer = Tokenizer.from_str(json.dumps({
        "version": "1.0", **components, "added_tokens": [{"id": 1, "content": "X", "single_word": True, **flags}],
        "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}))
    return [scalar for scalar in SCALARS if 1 not in tokenizer.encode(chr(scalar) + "X").ids]


def ranges_of(values):
    """Returns the ranges of consecutive numbers in a sorted list."""
    ranges = []
    for value in values:
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    return ranges


def rows(values, form, per_line):
    for start in range(0, len(values), per_line):
        print("    " + ", ".join(form(value) for value in values[start:start + per_line]) + ",")


def table(description, declaration, values, form, per_line):
    print()
    for line in description.splitlines():
        print(f"  /// {line}")
    print(f"  static let {declaration} = [")
    rows(values, form, per_line)
    print("  ]")


def word(value):
    return "0x" + "_".join(f"{value:016X}"[start:start + 4] for start in range(0, 16, 4))


pairs = []  # composite, first, second or 0, True if NFC composes them again
for scalar in SCALARS:
    if scalar in HANGUL or nfd(chr(scalar)) == chr(scalar):
        continue
    parts = [int(part, 16) for part in unicodedata.decomposition(chr(scalar)).split()]
    assert len(parts) <= 2 and nfd("".join(map(chr, parts))) == nfd(chr(scalar))
    first, second = parts if len(parts) == 2 else (parts[0], 0)
    composes = nfc(chr(scalar)) == chr(scalar)
    assert not composes or second and nfc(chr(first) + chr(second)) == chr(scalar)
    pairs.append((scalar, first, second, composes))

whole = [scalar for scalar in SCALARS if nfd(chr(scalar)) == chr(scalar)]  # scalars that decompose are never reordered themselves
marks = [scalar for scalar in whole if is_mark(scalar)]
representatives = {unicodedata.combining(chr(scalar)): chr(scalar) for scalar in marks}
marks = {scalar: order_of(scalar, representatives) for scalar in marks}
for scalar in marks:
    assert marks[scalar] == unicodedata.combining(chr(scalar))
missing = [scalar for scalar in whole if unicodedata.combining(chr(scalar)) and scalar not in marks]
print(f"{len(missing)} marks that only unicodedata {unicodedata.unidata_version} has", file=sys.stderr)

seconds = {second for _, _, second, composes in pairs if composes} | {*VOWELS, *TRAILING}
flags = bytearray(0x110000)
for scalar in SCALARS:
    character = chr(scalar)
    firsts = {ord(form(character)[0]) for form in (nfd, nfkd)}
    for bit, isSet in enumerate((
            nfd(character) != character, nfc(character) != character, nfkd(character) != character,
            nfkc(character) != character, not marks.keys().isdisjoint(firsts), not seconds.isdisjoint(firsts),
            lowercase(character) != character, strip_accents(character) != character)):
        flags[scalar] |= isSet << bit
limit = (max(scalar for scalar in SCALARS if flags[scalar]) // 128 + 1) * 128
blocks = {}
indices = [blocks.setdefault(bytes(flags[start:start + 128]), len(blocks)) for start in range(0, limit, 128)]
assert len(blocks) <= 256
words = [int.from_bytes(block[start:start + 8], "little") for block in blocks for start in range(0, 128, 8)]
leads = bytearray(256)
for scalar in SCALARS:
    leads[chr(scalar).encode()[0]] |= flags[scalar]

pool = ""  # the compatibility decompositions, which may overlap
compatibility = {scalar: nfkd(chr(scalar)) for scalar in SCALARS if scalar not in HANGUL and nfkd(chr(scalar)) != nfd(chr(scalar))}
for text in sorted(set(compatibility.values()), key=lambda text: (-len(text), text)):
    if text not in pool:
        pool += text
assert len(pool) < 1 << 16 and all(len(text) < 32 for text in compatibility.values())

cases = []  # first, last, distance, mapped first
expansions = []
for scalar in SCALARS:
    lower = lowercase(chr(scalar))
    if lower == chr(scalar):
        continue
    if len(lower) > 1:
        expansions.append((scalar, *map(ord, lower)))
        continue
    mapped = ord(lower)
    if cases and cases[-1][3] - cases[-1][0] == mapped - scalar:
        first, last, distance, _ = cases[-1]
        if scalar - last in (1, 2) and (first == last or distance == scalar - last):
            cases[-1][1:3] = [scalar, scalar - last]
            continue
    cases.append([scalar, scalar, 1, mapped])
assert expansions == [(0x130, 0x69, 0x307)]  # the only one in Unicode

ranges = []
for scalar, order in sorted(marks.items()):
    if ranges and ranges[-1][1:] == [scalar - 1, order]:
        ranges[-1][1] = scalar
    else:
        ranges.append([scalar, scalar, order])
composing = sorted((first, second, index) for index, (_, first, second, composes) in enumerate(pairs) if composes)

print(f"""\
// Generated by Scripts/reference/tokenizer/make_unicode_normalization.py from tokenizers {tokenizers.__version__}. Do not edit.
// swift-format-ignore-file

/// The tables of the normalizers, without Hangul syllables, which are computed.
enum UnicodeNormalization {{
  /// All scalars from here on have no flags.
  static let limit: UInt32 = 0x{limit:X}""")
table("The block of scalars 128·n and following, by n.", "blockOf: [UInt8]", indices, str, 24)
table(f"The `ScalarFlags` of the scalars: {len(blocks)} blocks of 16 words. Byte n of a word has the flags of scalar n.",
      "flags: [UInt64]", words, word, 4)
table("The union of the `ScalarFlags` of all scalars that begin with this byte in UTF-8.",
      "leadFlags: [UInt8]", leads, str, 24)
table("The scalars that have a canonical decomposition, in order: the scalar from bit 43, its first part from bit 22, its\n"
      "second part (0 if there is none) from bit 1; bit 0 is 1 if NFC composes the two again.",
      "pairs: [UInt64]",
      [scalar << 43 | first << 22 | second << 1 | composes for scalar, first, second, composes in pairs], word, 4)
table("The indices of the pairs that NFC composes, sorted by first and second part.",
      "compositions: [UInt16]", [index for _, _, index in composing], str, 20)
table("The scalars whose canonical combining class is not 0, in order: the first of a range from bit 29, the last from\n"
      "bit 8, and the class in the lower eight bits.",
      "classes: [UInt64]", [first << 29 | last << 8 | order for first, last, order in ranges], word, 4)
table("The scalars whose compatibility decomposition differs from the canonical one, in order: the scalar from bit 21,\n"
      "the offset of its decomposition in `decompositions` from bit 5, and the length.",
      "compatibility: [UInt64]",
      [scalar << 21 | pool.index(text) << 5 | len(text) for scalar, text in compatibility.items()],
      lambda value: f"0x{value:X}", 8)
table("The full compatibility decompositions, which overlap.",
      "decompositions: [UInt32]", [ord(character) for character in pool], lambda value: f"0x{value:X}", 12)
table("The scalars that have a lowercase form, in order: the first of a range from bit 43, the last from bit 22, from bit\n"
      "21 1 if only every second scalar is meant, and the lowercase form of the first.",
      "lowercase: [UInt64]",
      [first << 43 | last << 22 | distance - 1 << 21 | mapped for first, last, distance, mapped in cases], word, 4)
table("The scalars that are part of a word for `single_word` (`\\w` of Rust's regex): the first of a range from bit 21,\n"
      "and the last.",
      "words: [UInt64]", [first << 21 | last for first, last in ranges_of(word_scalars())], lambda value: f"0x{value:X}", 8)
print("}")
