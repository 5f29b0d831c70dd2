"""Writes Sources/Tokenizer/UnicodeComposition.swift: make_unicode_composition.py > UnicodeComposition.swift

What normalization form C needs to know of every Unicode scalar, as the `NFC` normalizer of `tokenizers` knows it. That
follows an older Unicode than Python's unicodedata, so what unicodedata says is taken only where the normalizers show the
same: which scalars are taken apart and put together, and how marks are ordered. Hangul syllables are arithmetic.
"""
import sys
import unicodedata

import tokenizers
from tokenizers import normalizers

SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
HANGUL = range(0xAC00, 0xD7A4)
VOWELS, TRAILING = range(0x1161, 0x1176), range(0x11A8, 0x11C3)
STABLE, MARK, UNSTABLE = range(3)
nfd, nfc = normalizers.NFD().normalize_str, normalizers.NFC().normalize_str


def order_of(mark, representatives):
    """The canonical combining class, from how the scalar changes places with marks of every class."""
    character = chr(mark)

    def changes(first, second):
        return nfd("a" + first + second) != "a" + first + second

    [value] = [value for value, other in representatives.items() if not changes(character, other) | changes(other, character)]
    return value


def is_mark(scalar):
    """Of a class that is not 0: it changes places with a mark of class 1, or with one of class 240."""
    character = chr(scalar)
    return any(nfd("a" + a + b) == "a" + b + a for a, b in ((character, "\u0334"), ("\u0345", character))) \
        or unicodedata.combining(character) in (1, 240)  # the classes of these two


def rows(values, form, per_line):
    for start in range(0, len(values), per_line):
        print("    " + ", ".join(form(value) for value in values[start:start + per_line]) + ",")


def word(value):
    return "0x" + "_".join(f"{value:016X}"[start:start + 4] for start in range(0, 16, 4))


pairs = []  # composite, first, second or 0, whether they are put together again
for scalar in SCALARS:
    if scalar in HANGUL or nfd(chr(scalar)) == chr(scalar):
        continue
    parts = [int(part, 16) for part in unicodedata.decomposition(chr(scalar)).split()]
    assert len(parts) <= 2 and nfd("".join(map(chr, parts))) == nfd(chr(scalar))
    first, second = parts if len(parts) == 2 else (parts[0], 0)
    composes = nfc(chr(scalar)) == chr(scalar)
    assert not composes or second and nfc(chr(first) + chr(second)) == chr(scalar)
    pairs.append((scalar, first, second, composes))

whole = [scalar for scalar in SCALARS if nfd(chr(scalar)) == chr(scalar)]  # what is taken apart has no place of its own
marks = [scalar for scalar in whole if is_mark(scalar)]
representatives = {unicodedata.combining(chr(scalar)): chr(scalar) for scalar in marks}
marks = {scalar: order_of(scalar, representatives) for scalar in marks}
for scalar in marks:
    assert marks[scalar] == unicodedata.combining(chr(scalar))
missing = [scalar for scalar in whole if unicodedata.combining(chr(scalar)) and scalar not in marks]
print(f"{len(missing)} marks that only unicodedata {unicodedata.unidata_version} knows", file=sys.stderr)

seconds = {second for _, _, second, composes in pairs if composes} | {*VOWELS, *TRAILING}
kinds = bytearray(0x110000)
for scalar in SCALARS:
    character = chr(scalar)
    kinds[scalar] = UNSTABLE if nfc(character) != character or scalar in seconds else MARK if scalar in marks else STABLE
least = next(scalar for scalar in SCALARS if kinds[scalar])
assert least == 0x300 and not any(kinds[0x4000:0xA000])  # the scanner passes over these without looking
limit = (max(scalar for scalar in SCALARS if kinds[scalar]) // 128 + 1) * 128
blocks = {}
indices = [blocks.setdefault(bytes(kinds[start:start + 128]), len(blocks)) for start in range(0, limit, 128)]
assert len(blocks) <= 256
words = [
    sum(kind << 2 * index for index, kind in enumerate(block[start:start + 32]))
    for block in blocks for start in range(0, 128, 32)]

ranges = []
for scalar, order in sorted(marks.items()):
    if ranges and ranges[-1][1:] == [scalar - 1, order]:
        ranges[-1][1] = scalar
    else:
        ranges.append([scalar, scalar, order])
composing = sorted((first, second, index) for index, (_, first, second, composes) in enumerate(pairs) if composes)

print(f"""\
// Written by Scripts/reference/tokenizer/make_unicode_composition.py, from tokenizers {tokenizers.__version__}. Not to be edited.
// swift-format-ignore-file

/// What normalization form C needs to know of Unicode's scalars, but for Hangul syllables, which are arithmetic.
enum UnicodeComposition {{
  /// Scalars from here on are all stable.
  static let limit: UInt32 = 0x{limit:X}

  /// Which block holds scalars 128·n and following.
  static let blockOf: [UInt8] = [""")
rows(indices, str, 24)
print(f"""\
  ]

  /// {len(blocks)} blocks of 4 words; scalar n of a word is in its bits 2n and 2n + 1, as the raw value of `NFC.Kind`.
  static let kinds: [UInt64] = [""")
rows(words, word, 4)
print("""\
  ]

  /// The scalars that are made of others, in order: from bit 43 on the scalar, from 22 the first part, from 1 the second
  /// (0 where there is none), and in bit 0 whether form C puts the two together again.
  static let pairs: [UInt64] = [""")
rows([scalar << 43 | first << 22 | second << 1 | composes for scalar, first, second, composes in pairs], word, 4)
print("""\
  ]

  /// Indices of the pairs that are put together, in the order of first and second part.
  static let compositions: [UInt16] = [""")
rows([index for _, _, index in composing], str, 20)
print("""\
  ]

  /// The scalars with a canonical combining class that is not 0, in order: from bit 29 on the first of a run, from 8 the
  /// last, and below the class.
  static let classes: [UInt64] = [""")
rows([first << 29 | last << 8 | order for first, last, order in ranges], word, 4)
print("  ]\n}")
