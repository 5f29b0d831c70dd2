"""Trains the small SentencePiece models of the tokenizer tests: make_sentencepiece_fixture.py FOLDER
(Tests/TokenizerTests/Fixtures/sentencepiece)

Writes bpe.model and unigram.model; merges.txt, the merges of bpe.model in the order of tokenizer.json; and golden.jsonl:
texts with their ids and ends according to `sentencepiece`, and with their ids according to `tokenizers` for the same
pieces in tokenizer.json. The ends are -1 for the tokens of bytes, to which the references give other ends.
"""
import io
import json
import os
import sys
import tempfile

import sentencepiece
from fixture_texts import GOLDEN, TEXT
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

# Character rules in hexadecimal: a ligature, a digit, a decomposed letter, capital letters, spaces, and a removal.
RULES = """FB01\t66 69
2460\t31
65 301\tE9
41\t61
C5\tE5
3000\t20
A0\t20
200B\t
DF\t73 73
"""
TEXTS = GOLDEN + [
    "ﬁve ①x e\u0301a\u0301 A Å\u3000B\u00a0\u00a0c\u200bd\u200b ", "\u200b", " \u200b ", "e\u0301\u0323 \r\ne\u0301", "<|x|>a<|x|", "▁the ▁ a▁b",
    "https <|x|><|x|>hthttp", "\U0001F1E9\U0001F1EA\U0001F600", "xᚠᚢᚦy ᚠ ᚢ", "  two  spaces  ", "", " ", "<0x41><unk><s>",
]


def train(folder, name, **options):
    model = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write(RULES)
        rules.flush()
        if options.pop("has_rules", False):
            options["normalization_rule_tsv"] = rules.name
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TEXT.split("\n")), model_writer=model, minloglevel=2, num_threads=1, **options)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    proto.normalizer_spec.ClearField("normalization_rule_tsv")  # the name of the temporary file
    with open(f"{folder}/{name}.model", "wb") as file:
        file.write(proto.SerializeToString())
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString()), proto


def merges_of(proto):
    """The merges that transformers gives a model without a class of its own (convert_slow_tokenizer.py)."""
    normal = {piece.piece: (piece.score, index) for index, piece in enumerate(proto.pieces) if piece.type == 1}
    ranked = []
    for token, (score, index) in normal.items():
        for split in range(1, len(token)):
            if token[:split] in normal and token[split:] in normal:
                ranked.append((-score, index, token[:split], token[split:]))
    return [(left, right) for _, _, left, right in sorted(ranked)]


def ids_and_ends(processor, text):
    pieces = processor.encode(text, return_type="proto").pieces if text else []
    return [piece.id for piece in pieces], [-1 if processor.is_byte(piece.id) else piece.end for piece in pieces]


def main(folder):
    os.makedirs(folder, exist_ok=True)
    bpe, bpe_proto = train(
        folder, "bpe", model_type="bpe", vocab_size=420, byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, user_defined_symbols=["<|x|>", "http"])
    unigram, unigram_proto = train(
        folder, "unigram", model_type="unigram", vocab_size=160, has_rules=True, user_defined_symbols=["<|x|>"],
        character_coverage=0.99)
    merges = merges_of(bpe_proto)
    with open(f"{folder}/merges.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{left} {right}\n" for left, right in merges)
    listed = Tokenizer(models.BPE(
        vocab={piece.piece: index for index, piece in enumerate(bpe_proto.pieces)}, merges=merges, unk_token="<unk>",
        fuse_unk=True, byte_fallback=True))
    listed.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always", False)
    listed.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    lattice = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in unigram_proto.pieces], 0, False))
    lattice.normalizer = normalizers.Precompiled(unigram_proto.normalizer_spec.precompiled_charsmap)
    lattice.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always", True)
    lattice.decoder = decoders.Metaspace("▁", "always", True)
    with open(f"{folder}/golden.jsonl", "w", encoding="utf-8") as file:
        for text in TEXTS:
            record = {"text": text, "listed": listed.encode(text).ids, "lattice": lattice.encode(text).ids}
            record["bpe"], record["bpe_ends"] = ids_and_ends(bpe, text)
            record["unigram"], record["unigram_ends"] = ids_and_ends(unigram, text)
            record["listed_text"] = listed.decode(record["listed"])
            record["lattice_text"] = lattice.decode(record["lattice"], skip_special_tokens=False)
            file.write(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
