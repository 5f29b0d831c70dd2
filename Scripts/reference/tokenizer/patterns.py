"""Compares the matcher of patterns with `tokenizers` and with the package `regex`.

patterns.py PATTERN-CHECK [COUNT] [SEED]: draws COUNT random texts for each published pattern and compares the pieces into
which `Split` (isolated) divides them, and the matches of `regex`. PATTERN-CHECK is the built developer tool.
--fixture writes the fixture of TokenizerTests instead.
"""
import json
import random
import subprocess
import sys

import regex
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
UPPER, LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
NOT_WORD = r"[^\r\n\p{L}\p{N}]"
REST = r"\s*[\r\n]+|\s+(?!\S)|\s+"
PUNCTUATION = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""


def camel(suffix, upper=UPPER, lower=LOWER):
    return f"{NOT_WORD}?[{upper}]*[{lower}]+{suffix}|{NOT_WORD}?[{upper}]+[{lower}]*{suffix}"


def llama(numbers):
    return rf"(?i:{CONTRACTIONS})|{NOT_WORD}?\p{{L}}+|{numbers}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{REST}"


HAN_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]"
HAN_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]"
PATTERNS = {
    "gpt2": rf"{CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+",
    "llama3": llama(r"\p{N}{1,3}"), "qwen2": llama(r"\p{N}"), "nanochat": llama(r"\p{N}{1,2}"),
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    "o200k": camel(f"(?i:{CONTRACTIONS})?") + rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{REST}",
    "tekken": camel("") + rf"|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{REST}",
    "kimi": r"[\p{Han}]+|" + camel(f"(?i:{CONTRACTIONS})?", HAN_UPPER, HAN_LOWER)
            + rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{REST}",
    "deepseek-v2-lines": r"[\r\n]", "deepseek-v2-letters": r"\s?\p{L}+", "deepseek-v2-punctuation": r"\s?\p{P}+",
    "deepseek-v2-han": "[一-龥ࠀ-一가-퟿]+", "deepseek-digits": r"\p{N}", "deepseek-v3-digits": r"\p{N}{1,3}",
    "deepseek-v3-han": "[一-龥぀-ゟ゠-ヿ]+",
    "deepseek-v3": PUNCTUATION + r"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + REST,
    "falcon": "[0-9][0-9][0-9]", "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "command-r": r"\s+(?!\S)|[^\s\p{L}\p{N}]+|\p{L}+|\p{N}", "spaces": r" +(?= )|\s++|(?<!\p{L})\p{N}+|\b\w+?\b",
    "words": r"(?i)\bthe\b|[^\W\d_]+(?:-[^\W\d_]+)*+|[[:punct:]]{2,3}?|(?>a|ab)c|^\s|\d$",
    "script": r"\p{Hiragana}+|\p{Katakana}+|\p{Cyrillic}+|\P{Latin}|\p{^Lu}{2,}",
    "empty": r"x*|(?=[A-Z])|\p{N}{,2}",
}
# Written otherwise for `regex`, which has no nested classes in V0
REGEX_V1 = {"bloom", "kimi"}
NOT_FOR_REGEX = {"script", "words", "empty", "spaces"}

POOLS = [
    "abcdeilmnorstvABCDEST", "'sStTrReEvVmMlLdD'ſ", "   \t\n\r\u00a0\u3000\u2028\x0b\x0c\x85\u200b", "0123456789٣५Ⅷ½²",
    ".,!?-_()[]{}'\"/\\|&<>=+*~`^$#@:;", "éßÜñøçıİǅʰªº", "αβΓΣςжЯёКіїЎ", "的漢字一龥々〇ㄅぁんアーｶ가힣ㄱ",
    "\u0301\u0308\u093e\u0903\u20dd\u200d", "अनमस्ते१।ไทยกข้าابپ۳۔،ܐתש", "😀👍🏽🇩\ufe0f€£§°©™∑→", "\0\x01\x1b\x7f\ufffd\ue000",
    "the The 'll 've 're's 'S xx abc ac ab".split(" "),
]


def draw(generator, assigned):
    pools = generator.sample(POOLS, generator.randint(1, 4))
    characters = []
    for _ in range(generator.randint(0, 14)):
        if generator.random() < 0.04:
            characters.append(chr(generator.choice(assigned)))
        else:
            characters.append(generator.choice(generator.choice(pools)) * generator.choice([1, 1, 1, 1, 2, 3]))
    return "".join(characters).replace("\0", "\x02")


def pieces(matches, size):
    """The pieces of the behavior `isolated`."""
    result, last = [], 0
    for start, end in matches:
        result += [(last, start), (start, end)]
        last = end
    return [piece for piece in result + [(last, size)] if piece[0] < piece[1]]


def byte_offsets(text):
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets


def reference(split, text):
    offsets = byte_offsets(text)
    return [(offsets[start], offsets[end]) for _, (start, end) in split.pre_tokenize_str(text)] if text else []


def run(tool, pattern, texts):
    data = b"".join(text.encode() + b"\0" for text in texts)
    result = subprocess.run([*tool, pattern], input=data, capture_output=True)
    if result.returncode or result.stdout.startswith(b"ERR"):
        sys.exit(f"{pattern}: {(result.stdout + result.stderr)[:300]}")
    lines = result.stdout.decode().split("\n")[:-1]
    assert len(lines) == len(texts)
    return [[tuple(map(int, word.split("-"))) for word in line.split(" ")] if line else [] for line in lines]


def fixture():
    generator = random.Random(18)
    assigned = [*range(0x20, 0xD800), *range(0x10000, 0x11000)]
    for pattern in PATTERNS.values():
        split = Split(Regex(pattern), "isolated")
        for _ in range(12):
            text = draw(generator, assigned)
            print(json.dumps({"pattern": pattern, "text": text, "ends": [end for _, end in reference(split, text)]}))


def main():
    if sys.argv[1] == "--fixture":
        return fixture()
    tool = sys.argv[1].split()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    generator = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 18)
    # The two references follow different versions of Unicode
    names = [r"\p{L}", r"\p{N}", r"\p{P}", r"\p{S}", r"\p{M}", r"\p{Lu}", r"\p{Ll}", r"\p{Lt}", r"\p{Lm}", r"\p{Han}", r"\s"]
    scalars = [*range(0x20, 0xD800), *range(0xE000, 0x30000)]
    text = "".join(map(chr, scalars))
    same = set(scalars)
    for name in names:
        members = set(range(len(text)))
        for _, (start, end) in Split(Regex(f"{name}+"), "removed").pre_tokenize_str(text):
            members.difference_update(range(start, end))
        others = {match.start() for match in regex.finditer(name, text)}
        same.difference_update(scalars[index] for index in members ^ others)
    assigned = sorted(same)
    print(f"{len(assigned)} of {len(scalars)} scalars are the same in both references", flush=True)
    total = differences = 0
    for name, pattern in PATTERNS.items():
        split = Split(Regex(pattern), "isolated")
        compiled = None
        if name not in NOT_FOR_REGEX:
            compiled = regex.compile(pattern, regex.V1 if name in REGEX_V1 else regex.V0)
        found = 0
        for first in range(0, count, 100_000):
            texts = [draw(generator, assigned) for _ in range(min(100_000, count - first))]
            for text, matches in zip(texts, run(tool, pattern, texts)):
                size = len(text.encode())
                ours = pieces(matches, size)
                by_tokenizers = reference(split, text)
                offsets = byte_offsets(text)
                by_regex = matches
                if compiled:
                    by_regex = [(offsets[match.start()], offsets[match.end()]) for match in compiled.finditer(text)]
                if ours != by_tokenizers or matches != by_regex:
                    found += 1
                    if found <= 3:
                        print(f"{name}: {text!r}\n  ours {ours}\n  tokenizers {by_tokenizers}\n  regex {by_regex}")
        total += count
        differences += found
        print(f"{name}: {count} texts, {found} differences", flush=True)
    print(f"{total} texts, {differences} differences")
    sys.exit(differences > 0)


main()
