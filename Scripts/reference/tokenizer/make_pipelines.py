#!/usr/bin/env python3
"""Writes Tests/TokenizerTests/Fixtures/pipelines.jsonl: small tokenizers of many kinds, and what `tokenizers` makes of
some texts with each.

Usage: make_pipelines.py   (needs `tokenizers`; see Scripts/reference/README.md)
"""
import json
import os

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers, AddedToken

from fixture_texts import GOLDEN

FILE = os.path.join(os.path.dirname(__file__), "../../../Tests/TokenizerTests/Fixtures/pipelines.jsonl")
TRAINING = [
    "The cat sat on the mat, and the dog didn't sit; they've 1234 mats.",
    "Das ist größer als 12.345 €, l'été à Paris, mañana café naïve.",
    "Привет мир, съешь ещё этих мягких французских булок 2024",
    "日本語のテキスト、中文文本。안녕하세요 세계",
    "def f(x):\n    return x**2  # tabs\tand  spaces\r\n",
] * 3
EXTRA = ["", " ", "  two  spaces ", "▁mark", "a<s>b</s> <x> c", "don't WON'T I'll", "x\u0301\u0323 ｶﾞ ﬁ ① ½", "12345678 ١٢٣ Ⅷ ²",
         "a-b_c...!?", "\n\n\t x", "🙂👩‍👩‍👧 \U0001F1E9\U0001F1EA", "ÀÉ ſ K", "end  "]
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|"
          r"\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BYTES = pre_tokenizers.ByteLevel.alphabet()


def sequence(*steps):
    return pre_tokenizers.Sequence(list(steps))


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(pattern, behavior, invert)


def byte_level(add_prefix_space=False, use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)


def bpe(pre_tokenizer, normalizer=None, size=330, **options):
    """Byte-level BPE."""
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        TRAINING, trainers.BpeTrainer(vocab_size=size, initial_alphabet=BYTES, show_progress=False))
    return tokenizer


def characters(normalizer, pre_tokenizer, decoder, byte_fallback=True, unknown="<unk>", size=420, **options):
    """BPE of characters, with the byte tokens that SentencePiece has."""
    special = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else [])
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    if normalizer:
        trained.normalizer = normalizer
    if pre_tokenizer:
        trained.pre_tokenizer = pre_tokenizer
    limit = {} if not byte_fallback else {"limit_alphabet": 60}
    trained.train_from_iterator(
        TRAINING, trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False, **limit))
    model = json.loads(trained.to_str())["model"]
    tokenizer = Tokenizer(models.BPE(
        vocab=model["vocab"], merges=[tuple(merge) for merge in model["merges"]], unk_token=unknown,
        byte_fallback=byte_fallback, **options))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    if decoder:
        tokenizer.decoder = decoder
    tokenizer.add_special_tokens(["<s>", "</s>"])
    return tokenizer


def unigram(normalizer, pre_tokenizer, decoder, byte_fallback=False):
    special = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else [])
    trained = Tokenizer(models.Unigram())
    trained.normalizer = normalizer
    trained.pre_tokenizer = pre_tokenizer
    trained.train_from_iterator(TRAINING, trainers.UnigramTrainer(
        vocab_size=200 + len(special), special_tokens=special, unk_token="<unk>", show_progress=False))
    model = json.loads(trained.to_str())["model"]
    tokenizer = Tokenizer(models.Unigram(
        [tuple(piece) for piece in model["vocab"]], unk_id=0, byte_fallback=byte_fallback))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoder
    tokenizer.add_special_tokens(["<s>", "</s>"])
    return tokenizer


def sentencepiece_decoder(strips=True):
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strips else []))


def with_added(tokenizer):
    tokenizer.add_tokens([AddedToken("<x>", lstrip=True, rstrip=True, normalized=False)])
    return tokenizer


def kinds():
    yield "cl100k", bpe(sequence(split(Regex(CL100K)), byte_level()))
    yield "o200k", with_added(bpe(sequence(split(Regex(O200K)), byte_level()), ignore_merges=True))
    yield "deepseek", bpe(sequence(
        split(Regex(r"\p{N}{1,3}")), split(Regex("[一-龥぀-ゟ゠-ヿ]+")),
        split(Regex(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
                    r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")), byte_level()))
    yield "falcon", bpe(sequence(
        pre_tokenizers.Punctuation("contiguous"), byte_level(use_regex=True), pre_tokenizers.Digits(False),
        split(Regex("[0-9][0-9][0-9]"))))
    yield "bytes first, then digits", bpe(sequence(byte_level(), pre_tokenizers.Digits(True)))
    yield "prefix space after digits", bpe(sequence(pre_tokenizers.Digits(True), byte_level(True, True)))
    yield "removed", bpe(sequence(split(Regex(r"\s+"), "removed"), byte_level()))
    yield "removed, inverted", bpe(sequence(split(Regex(r"\w+|[^\w\s]+"), "removed", True), byte_level()))
    yield "contiguous", bpe(sequence(split(Regex(r"\p{L}"), "contiguous"), byte_level()))
    yield "merged with previous", bpe(sequence(split(" ", "merged_with_previous"), byte_level()))
    yield "merged with next", bpe(sequence(split(" ", "merged_with_next"), byte_level()))
    yield "empty matches", bpe(sequence(split(Regex(r"(?=\d)")), split(Regex(r"(?<=-)|(?=_)")), byte_level()))
    yield "whitespace and punctuation", bpe(sequence(
        pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("isolated"), byte_level()))
    yield "whitespace split", bpe(sequence(pre_tokenizers.WhitespaceSplit(), byte_level()))
    yield "bert", bpe(sequence(pre_tokenizers.BertPreTokenizer(), byte_level()))
    yield "delimiter", bpe(sequence(pre_tokenizers.CharDelimiterSplit("e"), byte_level()))
    yield "replace by pattern", bpe(byte_level(use_regex=True), normalizers.Sequence(
        [normalizers.Replace(Regex(r"\s{2,}"), " "), normalizers.NFKC()]))
    yield "byte-level normalizer", characters(
        normalizers.ByteLevel(), None, decoders.ByteLevel(), byte_fallback=False)
    yield "words", characters(
        None, pre_tokenizers.Whitespace(), None, byte_fallback=False, fuse_unk=True)
    yield "llama", with_added(characters(
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, sentencepiece_decoder(),
        fuse_unk=True))
    yield "mistral", with_added(characters(
        None, pre_tokenizers.Metaspace("▁", "first", split=False), sentencepiece_decoder(), fuse_unk=True))
    yield "gemma", characters(
        normalizers.Replace(" ", "▁"), split(" ", "merged_with_previous"), sentencepiece_decoder(False), fuse_unk=True)
    yield "metaspace", characters(
        None, pre_tokenizers.Metaspace("▁", "always", split=True), decoders.Metaspace("▁", "always"),
        byte_fallback=False)
    yield "metaspace, never", characters(
        normalizers.NFKC(), pre_tokenizers.Metaspace("▁", "never", split=True), decoders.Metaspace("▁", "never"))
    folded = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    yield "unigram", with_added(unigram(folded, pre_tokenizers.Metaspace("▁", "always"), decoders.Metaspace()))
    yield "unigram with bytes", unigram(
        folded, sequence(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "first")),
        decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", "first")]), byte_fallback=True)


def main():
    texts = list(dict.fromkeys(EXTRA + GOLDEN))[:60]
    with open(FILE, "w", encoding="utf-8") as file:
        for name, tokenizer in kinds():
            tokenizer.encode_special_tokens = False
            special = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
            decoded = [tokenizer.decode(ids, skip_special_tokens=True) for ids in special]
            tokenizer.encode_special_tokens = True
            plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
            tokenizer.encode_special_tokens = False
            line = {"name": name, "json": tokenizer.to_str(), "texts": texts, "ids": plain, "special": special,
                    "decoded": decoded}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
