"""Writes Sources/Tokenizer/UnicodeClasses.swift: make_unicode_classes.py > UnicodeClasses.swift

The classes are those that the reference implementations use, found by asking them about every Unicode scalar: the
regular expressions of `tokenizers` (letters L*, numbers N*, White_Space), checked against those of `tiktoken`, and what
the `Digits` pre-tokenizer of `tokenizers` takes for a digit, which follows another version of Unicode. Where the two
libraries differ, `tokenizers` is followed and the scalars are named on standard error.
"""
import sys

import tiktoken
import tokenizers
from tokenizers import pre_tokenizers

SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
OTHER, LETTER, NUMBER, WHITE_SPACE = range(4)
BLOCK = 128


def by_tokenizers():
    """The class of every scalar: whether it continues a run of letters, of numbers, of others, or none of them."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    classes = bytearray(0x110000)
    for scalar in SCALARS:
        runs = [len(split(start + chr(scalar))) == 1 for start in "a1!"]
        classes[scalar] = LETTER if runs[0] else NUMBER if runs[1] else OTHER if runs[2] else WHITE_SPACE
    return classes


def by_tiktoken(pattern):
    ranks = {bytes([byte]): byte for byte in range(256)}
    encoding = tiktoken.Encoding("class", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return {scalar for scalar in SCALARS if encoding.encode_ordinary(chr(scalar))}


def ranges(scalars):
    result = []
    for scalar in sorted(scalars):
        if result and result[-1][1] == scalar - 1:
            result[-1][1] = scalar
        else:
            result.append([scalar, scalar])
    return result


def rows(values, form, per_line):
    for start in range(0, len(values), per_line):
        print("    " + ", ".join(form(value) for value in values[start:start + per_line]) + ",")


def word(value):
    return "0x" + "_".join(f"{value:016X}"[start:start + 4] for start in range(0, 16, 4))


classes = by_tokenizers()
for name, value, pattern in (("letter", LETTER, r"\p{L}"), ("number", NUMBER, r"\p{N}"), ("space", WHITE_SPACE, r"\s")):
    for scalar in by_tiktoken(pattern) ^ {scalar for scalar in SCALARS if classes[scalar] == value}:
        print(f"the references differ on U+{scalar:04X} as a {name}", file=sys.stderr)

isolate = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str
digits = {scalar for scalar in SCALARS if len(isolate("a" + chr(scalar))) == 2}
numbers = {scalar for scalar in SCALARS if classes[scalar] == NUMBER}
for scalar in numbers - digits:
    sys.exit(f"U+{scalar:04X} is a number but not a digit: the table has no room for this")

limit = (max(scalar for scalar in SCALARS if classes[scalar] != OTHER) // BLOCK + 1) * BLOCK
blocks = {}
indices = [blocks.setdefault(bytes(classes[start:start + BLOCK]), len(blocks)) for start in range(0, limit, BLOCK)]
assert len(blocks) <= 256
words = []
for block in blocks:
    for start in range(0, BLOCK, 32):
        words.append(sum(value << 2 * index for index, value in enumerate(block[start:start + 32])))

print(f"""\
// Written by Scripts/reference/tokenizer/make_unicode_classes.py, from tokenizers {tokenizers.__version__} and tiktoken {tiktoken.__version__}. Not to be edited.
// swift-format-ignore-file

/// What every Unicode scalar is to the splitting rule: two bits each, in blocks of {BLOCK} scalars, equal blocks stored once.
enum UnicodeClasses {{
  /// Scalars from here on are all of class `other`.
  static let limit: UInt32 = 0x{limit:X}

  /// Scalars that `Digits` takes for digits although the splitting rule takes them for `other`.
  static func isDigitOutsideNumbers(_ scalar: UInt32) -> Bool {{
    switch scalar {{
    case {", ".join(f"0x{first:X}...0x{last:X}" for first, last in ranges(digits - numbers))}: true
    default: false
    }}
  }}

  /// Which block holds scalars {BLOCK}·n and following.
  static let blockOf: [UInt8] = [""")
rows(indices, str, 24)
print(f"""\
  ]

  /// {len(blocks)} blocks of {BLOCK // 32} words; scalar n of a word is in its bits 2n and 2n + 1, as the raw value of `ScalarClass`.
  static let words: [UInt64] = [""")
rows(words, word, 4)
print("  ]\n}")
