"""Draws texts to compare tokenizers: lines of real text, code, random characters, runs, special tokens, and mixtures.

`Source` draws texts without line feeds from a seed. Any scalar but the line feed can occur, also those that normalizers
change, remove or reorder.
"""
import glob
import sysconfig
import unicodedata

import make_lines

# Characters that normalizers, patterns and added tokens treat specially
ODD = [
    *"\t\v\f\r \x85\xa0\u00ad\u1680\u2000\u2003\u200b\u200c\u200d\u200e\u2028\u2029\u202f\u205f\u2060\u3000\ufeff",
    *"▁▂Ġġ\ufffc\ufffd\0\x01\x1b\x7f\x80\ud7ff\ue000\ufdd0\uffff\U0001fffe\U0010ffff", "e\u0301", "\u0301", "\u0323\u0307",
    "\u0344", "\u0958", "\u1100\u1161\u11a8", "각", "\u2126", "ﬁ", "①", "½", "²", "㍿", "ｱ", "Ａ", "İ", "ß", "ς", "ſ", "ŉ", "ǆ",
    "\u0345", "\u1e9b\u0323", "ﷺ", "👩‍👩‍👧", "🇩🇪", "👍🏽", "☺️", "1️⃣"]
SPACES = [" ", " ", " ", "  ", "   ", "\t", "\r", "\u3000", "\xa0", "▁", "\u200b"]
# Words that look like invalid UTF-8 or like tokens for bytes
PRETENDERS = [
    "<0x41>", "<0x0A>", "<0xE2>", "<0xGG>", "\\xff\\xfe", "Ã©", "â€™", "\ufffd\ufffd", "ï¿½", "ï»¿", "%C3%A9", "ĠThe", "Ċ", "##ing",
    "@@", "</w>", "▁the", "<n>", "<unk>", "<s>", "</s>", "<pad>", "[UNK]", "[CLS]", "<mask>"]


def code_lines(limit=20_000):
    """Returns lines of the Python standard library, indentation included."""
    lines = []
    for path in sorted(glob.glob(sysconfig.get_path("stdlib") + "/*.py")):
        with open(path, encoding="utf-8", errors="ignore") as file:
            lines += [line.rstrip("\n") for line in file if line.strip()]
        if len(lines) > limit:
            break
    return lines


class Source:
    """Draws texts from a corpus, code, and tables of characters.

    - corpus: the path of a text in many languages, or None. `lines` are its lines.
    """

    def __init__(self, random, corpus=None):
        self.random = random
        self.code = code_lines()
        self.lines = self.code
        if corpus:
            with open(corpus, encoding="utf-8", newline="\n") as file:
                self.lines = file.read().split("\n")
        self.tokens = []  # the texts of tokens of the vocabulary
        self.special = []  # the texts of added tokens

    def text(self):
        kind = self.random.randrange(20)
        if kind < 5:
            text = self.random.choice(self.lines)
        elif kind < 7:
            text = self.random.choice(self.code)
        elif kind < 12:
            text = "".join(self.part() for _ in range(self.random.choice([0, 1, 2, 3, 5, 8, 13, 21])))
        elif kind < 17:
            text = self.mutation(self.random.choice(self.lines))
        elif kind < 18:
            count = self.random.randint(1, 20) if self.tokens else 0
            text = "".join(self.random.choice(self.tokens) for _ in range(count))
        elif kind < 19:
            text = self.joined_lines()
        else:
            text = self.run()
        return text.replace("\n", " ")

    def part(self):
        """Returns a short text of one kind."""
        kind = self.random.randrange(8)
        if kind < 4:
            return make_lines.decomposed_part(self.random) if kind == 0 else make_lines.part(self.random)
        if kind == 4 and self.special:
            return self.special_token()
        if kind == 5:
            return self.random.choice(PRETENDERS)
        if kind == 6 and self.tokens:
            return self.random.choice(self.tokens)
        return self.random.choice(ODD)

    def special_token(self):
        """Returns an added token, sometimes damaged or with spaces or other characters next to it."""
        token = self.random.choice(self.special)
        kind = self.random.randrange(6)
        if kind == 0 and token:
            at = self.random.randrange(len(token))
            token = token[:at] + self.random.choice(["", " ", "x"]) + token[at + 1:]
        elif kind == 1:
            token = self.random.choice(SPACES) + token + self.random.choice(SPACES)
        elif kind == 2:
            token += token
        elif kind == 3:
            token = self.random.choice([str.upper, str.lower, str.title])(token)
        return token

    def mutation(self, line):
        """Returns a part of a line with some changes."""
        start = self.random.randrange(len(line) + 1)
        characters = list(line[start:start + self.random.choice([5, 20, 60, 200])])
        for _ in range(self.random.randint(1, 5)):
            at = self.random.randrange(len(characters) + 1)
            kind = self.random.randrange(8)
            if kind < 3:
                characters.insert(at, self.random.choice(ODD) if kind else self.part())
            elif kind == 3 and at < len(characters):
                characters[at] = self.random.choice([str.upper, str.lower, str.swapcase])(characters[at])
            elif kind == 4 and at < len(characters):
                del characters[at]
            elif kind == 5:
                characters.insert(at, self.random.choice(SPACES) * self.random.randint(1, 3))
            elif kind == 6 and at < len(characters):
                characters[at] *= self.random.randint(2, 12)
            else:
                form = self.random.choice(["NFC", "NFD", "NFKC", "NFKD"])
                characters = list(unicodedata.normalize(form, "".join(characters)))
        return "".join(characters)

    def joined_lines(self):
        lines = [self.random.choice(self.lines) for _ in range(self.random.randint(2, 6))]
        return self.random.choice([" ", "\t", "\r", "  ", ""]).join(lines)[:1500]

    def run(self):
        """Returns a repeated character or word, with something before and after it."""
        unit = self.random.choice([
            lambda: self.random.choice(ODD), self.part, lambda: self.random.choice(" aA0.-=_*#~\t\r"),
            lambda: chr(self.random.choice([0x4E00, 0x3042, 0xAC00, 0x0E01, 0x0915, 0x0627]) + self.random.randrange(40))])()
        count = self.random.choice([2, 3, 4, 7, 15, 16, 17, 31, 64, 100, 255, 256, 400])
        return self.random.choice(["", "x", " ", "."]) + (unit * count)[:2000] + self.random.choice(["", "x", " ", "."])
