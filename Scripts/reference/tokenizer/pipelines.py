"""The published pipelines of families of tokenizers: normalizer, pre-tokenizer, decoder, as in their tokenizer.json.

Sources: the published tokenizer.json files; transformers' tokenization_*.py and convert_slow_tokenizer.py; tiktoken's
openai_public.py; the patterns of llama.cpp's llama-vocab.cpp for the names of `tokenizer.ggml.pre`.
"""
from tokenizers import Regex, decoders, normalizers, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

from patterns import PATTERNS

DEEPSEEK_LETTERS = (
    "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373"
    "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
    "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-"
    "\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec"
    "\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-"
    "\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3"
    "\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17"
    "\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-"
    "\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+")


def split(pattern, behavior="isolated", invert=False):
    return Split(Regex(pattern), behavior, invert)


def bytes_after(*steps):
    """The steps, then a byte-level pre-tokenizer without a pattern of its own."""
    return Sequence([*steps, ByteLevel(add_prefix_space=False, use_regex=False)])


def digits(individual):
    return Sequence([Digits(individual), ByteLevel(add_prefix_space=False)])


def named(name):
    return bytes_after(split(PATTERNS[name]))


# Name: (normalizer, pre-tokenizer). The names are those of `tokenizer.ggml.pre`, and others
BYTE_LEVEL = {
    "gpt-2": (None, ByteLevel(add_prefix_space=False)),
    "mpt": (normalizers.NFC(), ByteLevel(add_prefix_space=False)),
    "gpt-neox": (normalizers.NFC(), ByteLevel(add_prefix_space=False)),
    "aquila": (None, ByteLevel(add_prefix_space=False)),
    "roberta": (None, ByteLevel(add_prefix_space=False)),
    "starcoder": (None, digits(True)), "refact": (None, digits(True)), "smollm": (None, digits(True)),
    "command-r": (normalizers.NFC(), digits(True)),
    "llama-bpe": (None, named("llama3")),
    "qwen2": (normalizers.NFC(), named("qwen2")),
    "qwen35": (normalizers.NFC(), bytes_after(split(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+"))),
    "falcon": (None, Sequence([
        pre_tokenizers.Punctuation("contiguous"), ByteLevel(add_prefix_space=False), Digits(False), split("[0-9][0-9][0-9]")])),
    "deepseek-llm": (normalizers.Sequence([]), bytes_after(
        split("[\r\n]"), split(DEEPSEEK_LETTERS), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"),
        split("[一-龥ࠀ-一가-퟿]+"), Digits(True))),
    "deepseek-coder": (normalizers.Sequence([]), bytes_after(
        split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), Digits(True))),
    "deepseek-v3": (normalizers.Sequence([]), bytes_after(
        split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(PATTERNS["deepseek-v3"]))),
    "bloom": (None, bytes_after(split(PATTERNS["bloom"]))),
    "nanochat": (None, named("nanochat")),
    "cl100k": (None, named("cl100k")), "o200k": (None, named("o200k")), "tekken": (None, named("tekken")),
    "kimi": (None, named("kimi")), "qwen1": (normalizers.NFC(), named("qwen2")),
    "llama4": (None, named("o200k")), "chatglm4": (None, named("llama3")),
    # Not published families, but settings of tokenizers that files contain
    "removed-inverted": (None, bytes_after(split(PATTERNS["llama3"], "removed", True))),
    "merged-with-previous": (None, bytes_after(split(r"[\s\p{P}]", "merged_with_previous"))),
    "merged-with-next": (None, bytes_after(split(r"[\s\p{P}]", "merged_with_next"))),
    "contiguous": (None, bytes_after(split(r"[\s\p{P}]", "contiguous"), Split("a", "isolated"))),
    "removed-spaces": (None, bytes_after(pre_tokenizers.Whitespace())),
    "whitespace-split": (None, bytes_after(pre_tokenizers.WhitespaceSplit())),
    "byte-level-first": (None, Sequence([ByteLevel(add_prefix_space=True, use_regex=True), Digits(True), split("[0-9]")])),
    "nfkc": (normalizers.NFKC(), ByteLevel(add_prefix_space=False)),
    "nfd-stripped": (normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]),
                     ByteLevel(add_prefix_space=True)),
    "nfkd": (normalizers.Sequence([normalizers.Strip(True, True), normalizers.NFKD(), normalizers.Replace("a", "bb"),
                                   normalizers.Replace(Regex(r"\s{2,}"), " "), normalizers.Prepend("x")]),
             ByteLevel(add_prefix_space=False)),
    "byte-level-normalizer": (normalizers.ByteLevel(), None),
}

SPACES_TO_MARKS = normalizers.Replace(" ", "▁")


def sentencepiece_decoder(strips):
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)] * strips)


# Name: (normalizer, pre-tokenizer, decoder) of BPE over characters with byte fallback
BYTE_FALLBACK = {
    "llama2": (normalizers.Sequence([normalizers.Prepend("▁"), SPACES_TO_MARKS]), None, sentencepiece_decoder(True)),
    "yi": (normalizers.Sequence([SPACES_TO_MARKS]), None, sentencepiece_decoder(False)),
    "mistral": (None, pre_tokenizers.Metaspace("▁", "first", False), sentencepiece_decoder(True)),
    "metaspace": (None, pre_tokenizers.Metaspace("▁", "always", True), decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace("▁", "always", True)])),
    "metaspace-never": (None, pre_tokenizers.Metaspace("▁", "never", True), sentencepiece_decoder(False)),
    "gemma": (SPACES_TO_MARKS, Split(" ", "merged_with_previous"), sentencepiece_decoder(False)),
}
