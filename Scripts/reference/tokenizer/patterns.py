"""Compares the matcher of patterns with `tokenizers` and with the package `regex`.

patterns.py PATTERN-CHECK [COUNT [SEED [NAME...]]]: draws COUNT random texts for each published pattern, or for those with
the given names, and compares the pieces into which `Split` (isolated) divides them, and the matches of `regex`; for the
patterns of `tiktoken`, COUNT / 50 texts with it and `regex`. PATTERN-CHECK is the built developer tool. --fixture writes the
fixture of TokenizerTests instead.
"""
import itertools
import json
import random
import subprocess
import sys

import regex
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

from pattern_constructs import FancyRegex

CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
UPPER, LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
NOT_WORD = r"[^\r\n\p{L}\p{N}]"
REST = r"\s*[\r\n]+|\s+(?!\S)|\s+"
PUNCTUATION = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""


def camel(suffix, upper=UPPER, lower=LOWER):
    return f"{NOT_WORD}?[{upper}]*[{lower}]+{suffix}|{NOT_WORD}?[{upper}]+[{lower}]*{suffix}"


def llama(numbers):
    return rf"(?i:{CONTRACTIONS})|{NOT_WORD}?\p{{L}}+|{numbers}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{REST}"


def cl100k(numbers):
    return rf"'(?i:[sdmt]|ll|ve|re)|{NOT_WORD}?+\p{{L}}+|{numbers}| ?[^\s\p{{L}}\p{{N}}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"


# The adaptations of llama.cpp (llama-vocab.cpp), for GGUF files
GGUF_CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
CASCADE = "".join(rf"\s{{{count}}}(?!\S)|" for count in (512, 256, 128, 64, 32, 16, 8, 4)) + r"\s{1,2}(?!\S)|\s{1}"
# Letters with upper and lower case, as DeepSeek LLM lists them
CASED = ("[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
         "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
         "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
         "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d"
         "\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4"
         "\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
         "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
         "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a"
         "\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
         "\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]")


def gguf_camel(letters=r"\p{L}"):
    upper, lower = rf"((?=[{letters}])([^a-z]))", rf"((?=[{letters}])([^A-Z]))"
    return (rf"{NOT_WORD}?{upper}*{lower}+{GGUF_CONTRACTIONS}?|{NOT_WORD}?{upper}+{lower}*{GGUF_CONTRACTIONS}?|\p{{N}}{{1,3}}"
            rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{REST}")


HAN_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]"
HAN_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]"
PATTERNS = {
    "gpt2": rf"{CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+",
    "llama3": llama(r"\p{N}{1,3}"), "qwen2": llama(r"\p{N}"), "nanochat": llama(r"\p{N}{1,2}"),
    "cl100k": cl100k(r"\p{N}{1,3}"), "bailing": cl100k(r"\p{N}"),
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
    "llama3-gguf": llama(r"\p{N}{1,3}").replace(f"(?i:{CONTRACTIONS})", GGUF_CONTRACTIONS),
    "minicpm5": llama(r"\p{N}+"),
    "jais2": llama(r"\p{N}{1,3}").replace(r"\s+(?!\S)|\s+", CASCADE),
    "gpt2-gguf": rf"{CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)",
    "qwen3.5": rf"(?i:{CONTRACTIONS})|{NOT_WORD}?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{REST}",
    "clip": rf"<\|startoftext\|>|<\|endoftext\|>|{CONTRACTIONS}|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+",
    "deepseek-llm-letters": rf"\s?{CASED}+", "deepseek-llm-spaces": r"\s+$", "digits": r"\p{N}+",
    "deepseek-llm-punctuation": r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    "spark": PUNCTUATION + r"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+",
    "youtu": "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
    "falcon-punctuation": r"[\p{P}\$\+<=>\^~\|`]+", "viking": r" ?[^(\s|.,!?…。，、।۔،)]+",
    "o200k-gguf": gguf_camel(), "granite-gguf": gguf_camel(r"\p{L}\p{M}"),
    "chameleon-image": "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "chameleon-spaces": r"([\t\n]|    |  )",
    "chameleon-punctuation": r"[\p{P}!-/:-@\[-`{-~]", "sentinel": "<sentinel:[0-9]+>",
    "tiny-aya-digits": r"\d{1,3}(?=(?:\d{3})*\b)", "superbpe": r"(?=(\d{3})+(?!\d))",
    "seed-coder": llama(r"\p{N}{1}").replace(r" ?[^\s\p{L}\p{N}]+[\r\n]*", r" ?[^\s\p{L}\p{N}\r\n]+"),
    "exaone": rf"(?i:{CONTRACTIONS})|{NOT_WORD}?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}"
              r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
    "afmoe": "[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+",
    "lines": r"[^\n]+|[\n]+", "words-only": r"\S+", "replace-spaces": " {2,}", "strip": r"\A +| +\z", "prefix": r"\A▁",
    "barthez": r"\s{2,}|[\n\r\t]", "seamless": r"^▁+$", "spaces-before": r" +▁",
    "galactica": r"""[\(\)\[\]\{\}]|([!"\#\$\%\&\'\*\+\,\-\.\/\:\;\<\=\>\?\\\^\_\`\|\~])\1*""",
    "smiles": r"(\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|\%[0-9]{2}|[0-9])",
    "characters": "(?<=.)", "whitespace": r"\w+|[^\w\s]+",
}
# Written otherwise for `regex`, which has no nested classes in V0
REGEX_V1 = {"bloom", "kimi"}
NOT_FOR_REGEX = {"script", "words", "empty", "spaces", "whitespace", "seamless", "characters", "deepseek-llm-spaces",
                 "superbpe", "tiny-aya-digits"}

POOLS = [
    "abcdeilmnorstvABCDEST", "'sStTrReEvVmMlLdD'ſ", "   \t\n\r\u00a0\u3000\u2028\x0b\x0c\x85\u200b", "0123456789٣५Ⅷ½²",
    ".,!?-_()[]{}'\"/\\|&<>=+*~`^$#@:;", "éßÜñøçıİǅʰªº", "αβΓΣςжЯёКіїЎ", "的漢字一龥々〇ㄅぁんアーｶ가힣ㄱ",
    "\u0301\u0308\u093e\u0903\u20dd\u200d", "अनमस्ते१।ไทยกข้าابپ۳۔،ܐתש", "😀👍🏽🇩\ufe0f€£§°©™∑→", "\0\x01\x1b\x7f\ufffd\ue000",
    "▁ ▁▁ IMGIMGABZ <sentinel:1> <|startoftext|> [Na+] Br Cl %12 !!! ## a b c 123456 1234567".split(" "), "the The 'll 've 're's 'S xx abc ac ab".split(" "),
]

# Rarely long runs, of which the matcher takes notes
REPETITIONS = [1] * 40 + [2, 3] * 8 + [34]


def draw(generator, assigned):
    pools = generator.sample(POOLS, generator.randint(1, 4))
    characters = []
    for _ in range(generator.randint(0, 14)):
        if generator.random() < 0.04:
            characters.append(chr(generator.choice(assigned)))
        else:
            characters.append(generator.choice(generator.choice(pools)) * generator.choice(REPETITIONS))
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


# With the ends of the patterns that tiktoken publishes (openai_public.py)
TIKTOKEN = {
    "r50k": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
              r"|\s+(?!\S)|\s",
    "o200k": PATTERNS["o200k"], "kimi": PATTERNS["kimi"], "nanochat": PATTERNS["nanochat"], "qwen2": PATTERNS["qwen2"],
}
CONSTRUCTS = r"""
    a|ab (?:ab|a)b? a*? a+?b a?? \s{2,}? \d{1,2}? a*+ [ab]++c \w{2,3} \p{N}{,2} a{2}? a{3,1} (?:ab)+ (?:ab){2} (?:a|bc)*d (?>a|ab)c
    \p{Lu} \p{Uppercase_Letter} \p{lowercase-letter} \p{^L} \P{L} \P{^L} \p{Han} \p{Hani} \p{Cyrillic}+ [^\p{Latin}\s] \p{Zs} \p{Sm}
    [a-z&&[^aeiou]]+ [\w&&\P{L}] [^\W\d_]+ [[a-c][x-z]] [^[:space:][:punct:]] [[:^alpha:]]+ []a]+ [a\]] [a-] [-a] [\x{61}-\x63\u0064]
    (?=\p{L})\S+ (?!\d)\S (?<=\s)\S+ (?<!\S)\S (?<=ab|c)\S (?<![[:alpha:]])\p{L} ^\s+ \s+$ \A\S+ \S\z \S+\Z \bs \B\p{L} \G\p{L}
    (?i:k)s (?i)the|s (?i)[a-s]+ a(?i)b|t (?-i:T) [^\S\r\n]+ \h+ \H+ \R \N+ \O{2} . \D+ \W \t|\n \pL (?#x)a ([!.'])\1* (?<name>a)b
""".split()


def fixture():
    generator = random.Random(18)
    assigned = [*range(0x20, 0xD800), *range(0x10000, 0x11000)]
    for count, patterns in (8, PATTERNS.values()), (3, CONSTRUCTS):
        for pattern in patterns:
            split = Split(Regex(pattern), "isolated")
            for _ in range(count):
                text = draw(generator, assigned)
                line = {"pattern": pattern, "text": text, "ends": [end for _, end in reference(split, text)]}
                print(json.dumps(line | ({"isPublished": True} if count > 3 else {})))
    for pattern in TIKTOKEN.values():
        texts = [draw(generator, assigned) for _ in range(12)]
        encoding = FancyRegex(pattern, texts)
        for text in texts:
            ends = list(itertools.accumulate(len(piece.encode()) for piece in encoding.expected(text)))
            print(json.dumps({"pattern": pattern, "text": text, "ends": ends, "dialect": "fancyRegex"}))


def compare_tiktoken(tool, name, count, generator, assigned):
    """The texts are short, since the reference has a token for each of their substrings."""
    pattern, found = TIKTOKEN[name], 0
    compiled = regex.compile(pattern, regex.V1 if name in REGEX_V1 else regex.V0)
    for first in range(0, count, 2_000):
        texts = [draw(generator, assigned) for _ in range(min(2_000, count - first))]
        encoding = FancyRegex(pattern, texts)
        for text, matches in zip(texts, run([*tool, "--fancy", "-0"], pattern, texts)):
            ours = encoding.actual(text, matches)
            if not ours == encoding.expected(text) == [match[0] for match in compiled.finditer(text) if match[0]]:
                found += 1
                if found <= 3:
                    print(f"tiktoken {name}: {text!r}\n  ours {ours}\n  tiktoken {encoding.expected(text)}")
    print(f"tiktoken {name}: {count} texts, {found} differences", flush=True)
    return found


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
    for name in sys.argv[4:] or TIKTOKEN:
        if name in TIKTOKEN:
            differences += compare_tiktoken(tool, name, count // 50, generator, assigned)
            total += count // 50
    for name in sys.argv[4:] or PATTERNS:
        if name not in PATTERNS:
            continue
        pattern = PATTERNS[name]
        split = Split(Regex(pattern), "isolated")
        compiled = None
        if name not in NOT_FOR_REGEX:
            compiled = regex.compile(pattern, regex.V1 if name in REGEX_V1 else regex.V0)
        found = 0
        for first in range(0, count, 100_000):
            texts = [draw(generator, assigned) for _ in range(min(100_000, count - first))]
            for text, matches in zip(texts, run([*tool, "-0"], pattern, texts)):
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
