"""Compares the constructs of patterns with `tokenizers` (Oniguruma) and `tiktoken` (fancy-regex).

pattern_constructs.py PATTERN-CHECK COUNT [SEED [DIALECT]]: for each dialect, draws COUNT random patterns and compares their matches in
40 random texts each. A pattern that pattern-check refuses is counted, not compared. If COUNT is 0, compares the scalars of
each property and class instead. PATTERN-CHECK is the built developer tool.
"""
import collections
import random
import re
import subprocess
import sys

import tiktoken
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

DIALECTS = ["oniguruma", "fancy"]
# Large uniform blocks are left out, except for their ends
BLOCKS = [(0x3410, 0x4DA0), (0x4E20, 0x9FD0), (0xAC20, 0xD780), (0xD800, 0xE000), (0xE010, 0xF8F0), (0x17010, 0x187E0),
          (0x20010, 0x2A6C0), (0x2A6F0, 0x2B730), (0x2B750, 0x2B810), (0x2B830, 0x2CE90), (0x2CEC0, 0x2EBD0),
          (0x2EC00, 0x2EE50), (0x30010, 0x31340), (0x31360, 0x323A0), (0x32400, 0xDFFF0), (0xE0210, 0x10FF00)]
ALL = "".join(chr(scalar) for scalar in range(1, 0x110000) if not any(low <= scalar < high for low, high in BLOCKS))
SCALARS = "aaabBkKsSſßéxX1234٣²  \t\n\r\u0085\u2028\u3000._-'!\"漢かЖΣσς\u0301\u0903ⅷªǅ"


def run(tool, dialect, pattern, texts):
    """The matches in bytes, or the message of a refusal."""
    arguments = [*tool, *(["--fancy"] if dialect == "fancy" else []), "-0", pattern]
    result = subprocess.run(arguments, input=b"".join(text.encode() + b"\0" for text in texts), capture_output=True)
    if result.returncode == 65:
        return result.stderr.decode()
    if result.returncode:
        sys.exit(f"{pattern!r}: status {result.returncode}: {result.stderr[:300]}")
    return [[tuple(map(int, word.split("-"))) for word in line.split()] for line in result.stdout.decode().split("\n")[:-1]]


class Oniguruma:
    """The pieces of the behavior `isolated`: matches and what is between them."""

    def __init__(self, pattern, texts):
        self.split = Split(Regex(pattern), "isolated")

    def expected(self, text):
        return [piece for piece, _ in self.split.pre_tokenize_str(text)] if text else []

    @staticmethod
    def actual(text, matches):
        data, pieces, last = text.encode(), [], 0
        for start, end in matches:
            pieces += [data[last:start], data[start:end]]
            last = end
        return [piece.decode() for piece in [*pieces, data[last:]] if piece]


class FancyRegex:
    """The matches that are not empty. Every substring of the texts is a token, so that each match is one token."""

    def __init__(self, pattern, texts):
        ranks = {bytes([byte]): byte for byte in range(256)} | {b"": 256}
        for text in texts:
            data = text.encode()
            for start in range(len(data)):
                for end in range(start + 2, len(data) + 1):
                    ranks.setdefault(data[start:end], len(ranks))
        self.encoding = tiktoken.Encoding("patterns", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})

    def expected(self, text):
        pieces = map(self.encoding.decode_single_token_bytes, self.encoding.encode_ordinary(text))
        return [piece.decode() for piece in pieces if piece]

    @staticmethod
    def actual(text, matches):
        data = text.encode()
        return [data[start:end].decode() for start, end in matches if start < end]


REFERENCES = {"oniguruma": Oniguruma, "fancy": FancyRegex}

CATEGORIES = """L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cn Co LC
Letter Mark Number Punctuation Symbol Separator Other Uppercase_Letter lowercaseletter Titlecase-Letter Modifier_Letter
Other_Letter Nonspacing_Mark Spacing_Mark Enclosing_Mark Decimal_Number Letter_Number Other_Number Connector_Punctuation
Dash_Punctuation Open_Punctuation Close_Punctuation Initial_Punctuation Final_Punctuation Other_Punctuation Math_Symbol
Currency_Symbol Modifier_Symbol Other_Symbol Space_Separator Line_Separator Paragraph_Separator Control Format Unassigned
Private_Use Cased_Letter Combining_Mark Any Assigned ASCII Alphabetic Uppercase Lowercase White_Space Alpha Upper Lower Space
Alnum Blank Cntrl Digit Graph Print Punct XDigit Word Emoji Extended_Pictographic Ideographic Hex_Digit ID_Start XID_Start
ID_Continue Math Dash Hyphen Diacritic Join_Control Emoji_Presentation Quotation_Mark Default_Ignorable_Code_Point""".split()
POSIX = "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split()


def scripts():
    with open(__file__.rsplit("Scripts", 1)[0] + "Sources/Tokenizer/Pattern/UnicodeProperties.swift") as file:
        table = re.search(r"static let scripts.*?\n  \]", file.read(), re.S)[0]
    return re.findall(r'"(\w+)"', table)


def compare_sets(tool):
    differences = 0
    data = ALL.encode()
    names = [*CATEGORIES, *scripts()]
    patterns = [rf"\p{{{name}}}" for name in names] + [rf"\P{{{name}}}" for name in names[:40]]
    patterns += [rf"[[:{name}:]]" for name in POSIX] + [rf"[[:^{name}:]]" for name in POSIX]
    patterns += [rf"\{letter}" for letter in "sSwWdDhHNO"] + [rf"[\{letter}]" for letter in "sSwWdDhH"]
    patterns += [".", "(?i)k", "(?i)[k]", "(?i)s", "(?i)[a-z]", "(?i)[^a-z]", "(?i)é", "(?i)σ", "(?i)[Α-Ω]", r"(?i)\p{Lu}",
                 r"(?i)[\p{Lu}]", r"(?i)[^\p{Ll}]", r"(?i)[^\p{Lu}k]", r"(?i)\P{Lu}", r"[^\W\d_]", r"[\w&&\P{L}]", r"(?i)ǆ"]
    for dialect in DIALECTS:
        refused = []
        for pattern in patterns:
            try:
                reference = REFERENCES[dialect](pattern, [])
            except BaseException:
                reference = None
            actual = run(tool, dialect, pattern, [ALL])
            if isinstance(actual, str) or reference is None:
                if isinstance(actual, str) != (reference is None):
                    refused.append(pattern if reference else f"({pattern})")
                continue
            ours = {data[start:end].decode() for start, end in actual[0]}
            if dialect == "fancy":
                # Without tokens of several bytes, the pieces together are the matches
                theirs = set(bytes(reference.encoding.encode_ordinary(ALL)).decode())
            else:
                theirs = set(ALL)
                for _, (start, end) in Split(Regex(rf"(?:{pattern})+"), "removed").pre_tokenize_str(ALL):
                    theirs.difference_update(ALL[start:end])
            if ours != theirs:
                differences += 1
                wrong = sorted(ours ^ theirs)
                print(f"{dialect} {pattern}: {len(wrong)} differences, such as {wrong[:6]!r:.80}")
        print(f"{dialect}: {len(patterns)} sets; refused, or (accepted) unlike the reference: {' '.join(refused)}", flush=True)
    return differences


class Grammar:
    def __init__(self, generator, dialect):
        self.generator, self.dialect = generator, dialect

    def choice(self, *options):
        return self.generator.choice(options)

    def scalar(self):
        return self.choice("a", "b", "B", "k", "s", "é", " ", "1", "漢", "ß", r"\.", r"\n", r"\t", r"\r", "_", "-", r"\x41",
                           r"\u00e9", r"\x{6F22}", r"\-", ":", "&", "~") if self.generator.random() < 0.9 else self.choice("x", "!", "ſ", "Ж")

    def escape(self):
        return self.choice(*r"\s \S \w \W \d \D \h \H \p{L} \p{Lu} \p{^L} \P{N} \p{Han} \p{M} \P{^Ll} \p{Latin} \p{P}".split())

    def bracket(self, depth=0):
        items = [self.item(depth) for _ in range(self.generator.randint(1, 4))]
        operand = "".join(items)
        if self.generator.random() < 0.2:
            operand += "&&" + "".join(self.item(depth) for _ in range(self.generator.randint(1, 2)))
        return "[" + self.choice("", "", "^") + operand + "]"

    def item(self, depth):
        kind = self.generator.randrange(8 if depth < 2 else 6)
        if kind < 2:
            return self.scalar()
        if kind < 4:
            return self.choice("a-z", "A-Z", "0-9", "a-k", r"\x00-\x7f", "一-龥", "é-ÿ", "*-/", "Α-Ω")
        if kind < 6:
            return self.escape()
        return self.bracket(depth + 1) if kind == 6 else f"[:{self.choice('', '^')}{self.choice(*POSIX)}:]"

    def atom(self, depth):
        kind = self.generator.randrange(14 if depth < 3 else 8)
        if kind < 3:
            return self.scalar().replace("&", "x").replace("~", "y")
        if kind < 5:
            return self.escape()
        if kind < 7:
            return self.bracket()
        if kind == 7:
            if self.dialect == "oniguruma" and self.generator.random() < 0.3:
                return self.choice(r"\R", r"\N", r"\O", r"\G", r"\pL", r"a{x}", "a{3,1}", r"([a-k!])\1")
            return self.choice(".", "^", "$", r"\A", r"\z", r"\Z", r"\b", r"\B")
        if kind < 11:
            return self.atom(depth + 1)
        opening = self.choice("(", "(?:", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?-i:", "(?i)", "(?<n>")
        if opening == "(?i)":
            return opening
        return opening + self.alternatives(depth + 1) + ")"

    def quantified(self, depth):
        atom = self.atom(depth)
        if self.generator.random() < 0.5 or atom in ("^", "$", "(?i)") or re.match(r"\\[AzZbBG]|\(\?<?[=!]", atom):
            return atom
        return atom + self.choice("*", "+", "?", "{1,2}", "{2}", "{,2}", "{2,}", "{0,1}", "{1,}") + self.choice("", "", "?", "+")

    def alternatives(self, depth=0):
        return "|".join("".join(self.quantified(depth) for _ in range(self.generator.randint(1, 3)))
                        for _ in range(self.choice(1, 1, 2, 3)))


def random_text(generator):
    """Some texts have long runs, of which the matcher takes notes."""
    count, lengths = (16, [1]) if generator.random() < 0.85 else (5, [1, 2, 12, 34])
    return "".join(generator.choice(SCALARS) * generator.choice(lengths) for _ in range(generator.randint(1, count)))


def compare_patterns(tool, count, generator):
    differences = 0
    for dialect in sys.argv[4:] or DIALECTS:
        grammar = Grammar(generator, dialect)
        kinds = collections.Counter()
        reasons = collections.Counter()
        for _ in range(count):
            pattern = grammar.alternatives()
            texts = [random_text(generator) for _ in range(40)]
            actual = run(tool, dialect, pattern, texts)
            try:
                reference = REFERENCES[dialect](pattern, texts)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                kinds["refused by both" if isinstance(actual, str) else "refused by the reference only"] += 1
                reasons[f"(by the reference) {str(error)[:60]}"] += 1
                if not isinstance(actual, str) and kinds["refused by the reference only"] <= 5:
                    print(f"{dialect} {pattern!r} is refused by the reference: {str(error)[:80]!r}")
                continue
            if isinstance(actual, str):
                kinds["refused"] += 1
                reasons[re.sub(r'^.*?: byte \d+ of the (pattern|text): |"[^"]*"', "", actual).strip()] += 1
                continue
            kinds["compared"] += 1
            for text, matches in zip(texts, actual):
                try:
                    expected = reference.expected(text)
                except BaseException as error:  # a panic of fancy-regex, which ends long searches
                    if isinstance(error, KeyboardInterrupt):
                        raise
                    kinds["texts refused by the reference"] += 1
                    continue
                if reference.actual(text, matches) != expected:
                    kinds["different"] += 1
                    if kinds["different"] <= 12:
                        print(f"{dialect} {pattern!r} on {text!r}\n  ours   {reference.actual(text, matches)}\n  theirs {expected}")
                    break
        differences += kinds["different"]
        print(f"{dialect}: {dict(kinds)}\n  refused: {dict(reasons.most_common(20))}", flush=True)
    return differences


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    tool = sys.argv[1].split()
    count = int(sys.argv[2])
    generator = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 18)
    differences = compare_patterns(tool, count, generator) if count else compare_sets(tool)
    print(f"{differences} differences")
    sys.exit(differences > 0)


if __name__ == "__main__":
    main()
