"""Writes random lines to test pre-tokenizers: make_lines.py [--decomposed] [--null] [COUNT [SEED]] > lines.txt

The lines contain letters, digits, spaces, apostrophes, all scripts, emoji, combining marks, control characters and
special tokens that are spelled out: any scalar except the line feed and the scalars on which the references disagree
(UNSURE: none for tokenizers 0.23 and tiktoken 0.14, according to make_unicode_classes.py). With --decomposed, many
letters are decomposed and have more marks than in any language, to test a normalizer. With --null, the lines contain
line feeds and end with a NUL byte.
"""
import random
import sys
import unicodedata

UNSURE = set()
SCRIPTS = [  # first and last scalar of blocks with many assigned characters
    (0x00A1, 0x024F), (0x0370, 0x03FF), (0x0400, 0x052F), (0x0531, 0x058A), (0x0591, 0x05F4), (0x0600, 0x06FF),
    (0x0700, 0x074F), (0x0780, 0x07B1), (0x0901, 0x0D7F), (0x0E01, 0x0E5B), (0x0E81, 0x0EDF), (0x0F00, 0x0FDA),
    (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x139F), (0x13A0, 0x13FD), (0x1401, 0x167F),
    (0x1780, 0x17F9), (0x1820, 0x18AA), (0x1E00, 0x1FFE), (0x2C00, 0x2DFF), (0x3041, 0x30FF), (0x3105, 0x31BF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4C6), (0xA500, 0xA6F7), (0xAC00, 0xD7A3), (0xF900, 0xFAD9),
    (0xFB00, 0xFDFF), (0xFE70, 0xFEFC), (0xFF01, 0xFFEE), (0x10000, 0x100FA), (0x10330, 0x1034A), (0x10400, 0x1044F),
    (0x11000, 0x1106F), (0x12000, 0x12399), (0x13000, 0x1342E), (0x1D400, 0x1D7FF), (0x20000, 0x2A6DF)]
NUMBERS = "0123456789²³¼½٠١٢٣۴५০๓ⅠⅣↂ①⑳〇〡㉈\U00010107\U0001D7D8\U0001F100\U00011DE0\U00016FF4"
MARKS = [(0x0300, 0x036F), (0x0483, 0x0489), (0x064B, 0x065F), (0x093A, 0x094F), (0x20D0, 0x20F0), (0xFE00, 0xFE0F)]
EMOJI = [(0x1F300, 0x1FAFF), (0x2600, 0x27BF), (0x1F1E6, 0x1F1FF)]
CONTROLS = [*range(0, 32), *range(0x7F, 0xA0), 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x2060, 0xFEFF]
SPACES = [*map(ord, " \t\v\f\r\n\n"), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
CONTRACTIONS = "'s 't 're 've 'm 'll 'd 'S 'LL 'Ve 'rE 'ſ 'ſs 'ş 'l 'v 'r ' '' ’s 'x".split()
DECOMPOSED = [(0x00C0, 0x024F), (0x0374, 0x0390), (0x0400, 0x04FF), (0x0622, 0x06D3), (0x0929, 0x09DF), (0x0B48, 0x0DDE),
              (0x0F43, 0x0FB9), (0x1100, 0x11FF), (0x1B06, 0x1B43), (0x1E00, 0x1FFE), (0x2126, 0x212B), (0x2260, 0x22ED),
              (0x304C, 0x30FE), (0xAC00, 0xD7A3), (0xF900, 0xFAD9), (0xFB1D, 0xFB4E), (0x1109A, 0x1134C), (0x1D15E, 0x1D1C0),
              (0x2F800, 0x2FA1D)]
WORDS = """the of and to in is that for it as was with be by on not he I this are or his from at which but have an had
they you were their one all we can her has there been if more when will would who so no language model tokens def return
self import Straße été naïve façade año Москва Ελλάδα 東京 서울 مرحبا שלום नमस्ते สวัสดี""".split()


def within(random, ranges):
    return chr(random.randint(*random.choice(ranges)))


def run(random, draw, most):
    return "".join(draw() for _ in range(random.randint(1, most)))


def part(random):
    """Returns a random run of one kind of character."""
    kind = random.randrange(14)
    if kind == 0:
        return run(random, lambda: random.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), 12)
    if kind == 1:
        return run(random, lambda: random.choice("0123456789"), 8)
    if kind == 2:
        return " " * random.choice([1, 1, 1, 2, 3, 4, 8, 17])
    if kind == 3:
        return random.choice(CONTRACTIONS)
    if kind == 4:
        block = random.choice(SCRIPTS)
        return run(random, lambda: within(random, [block]), 8)
    if kind == 5:
        return run(random, lambda: within(random, EMOJI), 3)
    if kind == 6:
        return run(random, lambda: within(random, MARKS), 3)
    if kind == 7:
        return run(random, lambda: chr(random.choice(CONTROLS)), 3)
    if kind == 8:
        return run(random, lambda: chr(random.choice(SPACES)), 4)
    if kind == 9:
        return run(random, lambda: random.choice(NUMBERS), 4)
    if kind == 10:
        return run(random, lambda: random.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), 5)
    if kind == 11:  # any scalar, assigned or not
        return run(random, lambda: within(random, [(0x80, 0xD7FF), (0xE000, 0x10FFFF), (0x80, 0x3FFF)]), 4)
    if kind == 12:
        return random.choice(["<|endoftext|>", "<|endoftext|", "<|", "|>", "<|endoftext|>" * 2, "<|tool|>", "toolbox"])
    return random.choice(["", " "]) + random.choice(WORDS)


def decomposed_part(random):
    """Returns the same, or letters that a normalizer changes and marks that it reorders."""
    if random.random() < 0.5:
        return unicodedata.normalize(random.choice(["NFD", "NFC"]), part(random))
    letters = run(random, lambda: within(random, DECOMPOSED), 3)
    marks = run(random, lambda: within(random, [*MARKS, (0x0F71, 0x0F84), (0x1161, 0x11C2), (0x3099, 0x309A)]), 4)
    return unicodedata.normalize(random.choice(["NFD", "NFC"]), letters) + random.choice(["", marks])


def main(arguments):
    make = decomposed_part if "--decomposed" in arguments else part
    end = "\0" if "--null" in arguments else "\n"
    numbers = [int(argument) for argument in arguments if not argument.startswith("--")]
    generator = random.Random(numbers[1] if len(numbers) > 1 else 1)
    for _ in range(numbers[0] if numbers else 200_000):
        line = "".join(make(generator) for _ in range(generator.choice([0, 1, 2, 3, 5, 8, 13, 21])))
        line = "".join(character for character in line if character != end and character not in UNSURE)
        sys.stdout.buffer.write((line + end).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
