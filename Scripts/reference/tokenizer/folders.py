"""Compares bpe-encode and bpe-decode with transformers' AutoTokenizer on generated model folders.

    python folders.py BIN [LINES] [SEED] [NAME]

BIN is the folder of the built tools. For each folder, LINES random lines (default: 500) are encoded with special tokens
recognized and as ordinary text, and the ids of AutoTokenizer are decoded again. NAME selects folders by a part of the
name. Requires transformers 5.24, tokenizers 0.23.3 and sentencepiece. Prints a line for each folder that differs, and
the counts.
"""

import base64
import collections
import io
import json
import logging
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"

import sentencepiece  # noqa: E402
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

logging.disable(logging.CRITICAL)

WORDS = """the of and to in a is that it was for on are as with his they at be this have from or one had by word but not
what all were we when your can said there use an each which she do how their if will up other about out many then them
these so some her would make like him into time has look two more write go see number no way could people my than first
water been call who oil its now find long down day did get come made may part naïve café über señor façade jalapeño
Москва река слово город Привет мир жизнь это как 日本語 中国 東京 世界 こんにちは 한국어 안녕하세요 हिन्दी नमस्ते العربية مرحبا
def return print 1234 2024 3.14 0x1F foo_bar don't I'm we'll they've www.example.org ＦＵＬＬ ½ ﬁne ① ª""".split()
MARKS = list("  \t\n .,;:!?-_()[]{}<>/\\|@#$%^&*+='\"`~▁▁") + ["''", "``", "  ", "   ", " ▁", "▁ ", "\u3000", "\u00a0"]
RARE = list("ŒßþʒΩЖ☃🙂👩‍👩‍👧é\u0301\u200b\u200d\ufeff\x01\x7f𝔘ǅİſ") + ["e\u0301", "\u0300", "<0x41>", "<0x0A>"]


def random_line(generator, special):
    parts = []
    for _ in range(generator.randrange(1, 14)):
        kind = generator.random()
        if kind < 0.45:
            parts.append(generator.choice(WORDS))
        elif kind < 0.7:
            parts.append(generator.choice(MARKS))
        elif kind < 0.8:
            parts.append(generator.choice(RARE))
        elif kind < 0.9 and special:
            parts.append(generator.choice(special))
        else:
            parts.append(" " + generator.choice(WORDS))
    return "".join(parts)


def corpus(generator):
    return [" ".join(generator.choice(WORDS) for _ in range(generator.randrange(3, 20))) for _ in range(3000)]


def sentencepiece_model(path, lines, **options):
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=writer, minloglevel=2, hard_vocab_limit=False, **options
    )
    path.write_bytes(writer.getvalue())
    return path


def byte_level(path, lines, normalizer=None, digits=False, special=("<|endoftext|>",)):
    tokenizer = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Digits(individual_digits=True)] if digits else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=700, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    path.mkdir()
    tokenizer.save(str(path / "tokenizer.json"))
    model = json.loads((path / "tokenizer.json").read_text())["model"]
    (path / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
    (path / "merges.txt").write_text(
        "#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in model["merges"])
    )


def converted(path, kind, model_file, prefix, characters_map=None):
    """A tokenizer.json as older versions of transformers wrote it for a file of SentencePiece."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model_file))
    pieces = [processor.id_to_piece(i) for i in range(len(processor))]
    if kind == "llama":
        vocabulary = {piece: i for i, piece in enumerate(pieces)}
        merges = []
        for piece in pieces:
            for cut in range(1, len(piece)):
                if piece[:cut] in vocabulary and piece[cut:] in vocabulary:
                    merges.append((piece[:cut], piece[cut:]))
        merges.sort(key=lambda merge: vocabulary[merge[0] + merge[1]])
        tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        steps = [normalizers.Prepend("▁")] if prefix else []
        tokenizer.normalizer = normalizers.Sequence(steps + [normalizers.Replace(" ", "▁")])
        steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        tokenizer.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if prefix else []))
    else:
        scores = [(piece, processor.get_score(i)) for i, piece in enumerate(pieces)]
        tokenizer = Tokenizer(models.Unigram(scores, processor.unk_id(), False))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFKC() if characters_map is None else normalizers.Precompiled(characters_map)]
            + [normalizers.Replace(normalizers_regex(" {2,}"), " ")]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always" if prefix else "never")
        tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always" if prefix else "never")
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.save(str(path))


def normalizers_regex(pattern):
    from tokenizers import Regex

    return Regex(pattern)


def ranks(path):
    """A list of tokens in base64 with their ranks, from a byte-level vocabulary."""
    vocabulary = json.loads((path / "vocab.json").read_text())
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
    tokens = [
        bytes(byte_of[character] for character in token)
        for token, _ in sorted(vocabulary.items(), key=lambda item: item[1])
        if all(character in byte_of for character in token) and token != "<|endoftext|>"
    ]
    return "".join(f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens))


def token(content, special=True, normalized=False, **flags):
    return {"content": content, "special": special, "normalized": normalized, "lstrip": False, "rstrip": False,
            "single_word": False} | flags


class Folders:
    """The generated folders: files to copy, and JSON files to write."""

    def __init__(self, root):
        self.root = root
        self.names = []

    def add(self, name, files, **settings):
        folder = self.root / "folders" / name
        folder.mkdir(parents=True)
        for target, source in files.items():
            if isinstance(source, str):
                (folder / target).write_text(source)
            else:
                shutil.copy(source, folder / target)
        for file, value in settings.items():
            (folder / f"{file}.json").write_text(json.dumps(value))
        self.names.append(name)


def make_folders(root, generator):
    lines = corpus(generator)
    folders = Folders(root)
    models_of = {}
    base = {"vocab_size": 600, "character_coverage": 0.995}
    bpe = base | {"model_type": "bpe", "byte_fallback": True}
    unigram = base | {"model_type": "unigram"}
    for name, options in {
        "bpe": bpe | {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
        "bpe-nmt": bpe,
        "bpe-no-prefix": bpe | {"add_dummy_prefix": False, "normalization_rule_name": "identity"},
        "bpe-user": bpe | {"user_defined_symbols": ["<user>", "▁▁", "foo", "[x]"], "control_symbols": ["<ctl>", "<pad>"]},
        "bpe-no-fallback": base | {"model_type": "bpe", "control_symbols": ["<ctl>"]},
        "bpe-digits": bpe | {"split_digits": True, "normalization_rule_name": "nfkc_cf"},
        "bpe-names": bpe | {"bos_piece": "<begin>", "eos_piece": "<end>", "pad_id": 3, "unk_piece": "<none>"},
        "bpe-gemma": bpe | {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "bos_piece": "<bos>", "eos_piece": "<eos>",
                            "add_dummy_prefix": False, "normalization_rule_name": "identity",
                            "remove_extra_whitespaces": False,
                            "user_defined_symbols": ["<mask>", "\n\n", "▁▁", "▁▁▁", "<start_of_turn>"]},
        "unigram": unigram,
        "unigram-identity": unigram | {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
        "unigram-fallback": unigram | {"byte_fallback": True},
        "unigram-user": unigram | {"user_defined_symbols": ["<user>", "foo"], "control_symbols": ["<ctl>"]},
        "unigram-t5": unigram | {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
        "unigram-rinna": unigram | {"control_symbols": ["[PAD]", "[CLS]", "[SEP]", "[MASK]"],
                                    "normalization_rule_name": "nmt_nfkc_cf"},
        "unigram-albert": unigram | {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1, "pad_piece": "<pad>",
                                     "control_symbols": ["[CLS]", "[SEP]", "[MASK]"]},
    }.items():
        models_of[name] = sentencepiece_model(root / f"{name}.model", lines, **options)
    bpes = [name for name in models_of if name.startswith("bpe")]
    unigrams = [name for name in models_of if name.startswith("unigram")]

    # tokenizer.model without a class
    for name, model in models_of.items():
        count = len(sentencepiece.SentencePieceProcessor(model_file=str(model)))
        files = {"tokenizer.model": model}
        folders.add(f"{name}/none", files)
        folders.add(f"{name}/llama-type", files, config={"model_type": "llama", "bos_token_id": 7})
        folders.add(f"{name}/unknown-class", files, tokenizer_config={"tokenizer_class": "FooTokenizer"})
        folders.add(
            f"{name}/phi3", files, config={"model_type": "phi3"},
            tokenizer_config={
                "tokenizer_class": "LlamaTokenizer", "legacy": False,
                "added_tokens_decoder": {
                    "0": token("<unk>"), "1": token("<s>"), "2": token("</s>", rstrip=True),
                    "5": token("<|five|>"), "6": token("<|six|>", normalized=True, special=False),
                    str(count): token("<|assistant|>", rstrip=True),
                },
                "bos_token": "<s>", "eos_token": "<|assistant|>", "pad_token": "<|five|>",
            })
        folders.add(
            f"{name}/mistral", files, config={"model_type": "mistral"},
            tokenizer_config={"tokenizer_class": "LlamaTokenizer", "add_bos_token": True})
        folders.add(
            f"{name}/internlm2", files, config={"model_type": "internlm2"},
            tokenizer_config={
                "tokenizer_class": "InternLM2Tokenizer", "auto_map": {"AutoTokenizer": ["x.InternLM2Tokenizer", None]},
                "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"},
            special_tokens_map={"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
        folders.add(
            f"{name}/pre-trained", files,
            tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>",
                              "additional_special_tokens": ["<extra>", "<s>"]},
            added_tokens={"<added>": count, "<extra>": count + 1})

    # Classes of BPE of characters
    for name in bpes:
        count = len(sentencepiece.SentencePieceProcessor(model_file=str(models_of[name])))
        files = {"tokenizer.model": models_of[name]}
        for variant, settings in {
            "": {}, "legacy": {"legacy": True}, "no-legacy": {"legacy": False}, "no-prefix": {"add_prefix_space": False},
            "legacy-no-prefix": {"legacy": True, "add_prefix_space": False}, "null": {"legacy": None, "add_prefix_space": None},
            "tokens": {"bos_token": token("<s>") | {"__type": "AddedToken"}, "eos_token": "</s>", "pad_token": None,
                       "unk_token": "<unk>", "additional_special_tokens": ["<|im_start|>"], "image_token": "<image>"},
            "decoder": {"added_tokens_decoder": {"1": token("<s>", lstrip=True), str(count): token("<x>", special=False)},
                        "bos_token": "<s>", "pad_token": "<x>"},
        }.items():
            for tokenizer_class in ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer"]:
                if tokenizer_class == "LlamaTokenizer" and name == "bpe-no-fallback":
                    continue  # without byte fallback the class drops unknown characters; bpe-encode refuses the text
                folders.add(
                    f"{name}/{tokenizer_class}-{variant}", files,
                    tokenizer_config={"tokenizer_class": tokenizer_class} | settings)
        if name == "bpe-no-fallback":
            continue
        folders.add(
            f"{name}/llama-map", files, config={"tokenizer_class": "LlamaTokenizerFast", "model_type": "llama"},
            special_tokens_map={"bos_token": token("<s>"), "unk_token": "<unk>", "pad_token": "[PAD]",
                                "additional_special_tokens": ["<lost>"]},
            added_tokens={"[PAD]": count, "<new>": count + 1})
        folders.add(f"{name}/gemma-type", files, config={"model_type": "gemma2"})
        folders.add(f"{name}/code-type", files, config={"model_type": "code_llama"})

    # Classes of unigram models
    for name in unigrams:
        model = models_of[name]
        for variant, settings in {
            "": {}, "no-extra": {"extra_ids": 0}, "three": {"extra_ids": 3},
            "tokens": {"extra_ids": 0, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                       "pad_token": "[PAD]", "additional_special_tokens": []},
        }.items():
            folders.add(f"{name}/T5Tokenizer-{variant}", {"spiece.model": model},
                        tokenizer_config={"tokenizer_class": "T5Tokenizer"} | settings)
        for variant, settings in {
            "": {}, "cased": {"do_lower_case": False}, "accents": {"keep_accents": True},
            "goldfish": {"do_lower_case": False, "keep_accents": True, "bos_token": "[CLS]", "eos_token": "[SEP]",
                         "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "[MASK]"},
            "no-prefix": {"add_prefix_space": False},
        }.items():
            if name == "unigram-albert":  # the class requires "[CLS]" and "[SEP]"
                folders.add(f"{name}/AlbertTokenizer-{variant}", {"spiece.model": model},
                            tokenizer_config={"tokenizer_class": "AlbertTokenizer"} | settings)

    # vocab.json and merges.txt
    byte_level(root / "bytes", lines)
    byte_level(root / "bytes-special", lines, special=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    for source in ["bytes", "bytes-special"]:
        files = {name: root / source / name for name in ["vocab.json", "merges.txt"]}
        count = len(json.loads((root / source / "vocab.json").read_text()))
        for tokenizer_class in ["GPT2Tokenizer", "Qwen2Tokenizer", "GPTNeoXTokenizer", "CodeGenTokenizer",
                                "RobertaTokenizer", "BartTokenizer", "CohereTokenizer"]:
            for variant, settings in {
                "": {}, "prefix": {"add_prefix_space": True},
                "tokens": {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<|pad|>", "add_bos_token": True},
                "decoder": {"added_tokens_decoder": {"0": token("<|endoftext|>"), str(count): token("<x>", lstrip=True)},
                            "additional_special_tokens": ["<y>"]},
            }.items():
                folders.add(f"{source}/{tokenizer_class}-{variant}", files,
                            tokenizer_config={"tokenizer_class": tokenizer_class} | settings)
        for model_type in ["gpt2", "qwen2", "qwen3", "gpt_neox", "opt", "phi", "cohere", "roberta", "gptj", "olmo"]:
            folders.add(f"{source}/type-{model_type}", files, config={"model_type": model_type})

    # A list of ranks
    listed = ranks(root / "bytes")
    count = listed.count("\n")
    for variant, settings in {
        "": {}, "llama": {"tokenizer_class": "LlamaTokenizer"},
        "decoder": {"added_tokens_decoder": {str(count): token("<|begin_of_text|>"), str(count + 4): token("<|end|>")},
                    "bos_token": "<|begin_of_text|>", "eos_token": "<|end|>"},
        "extra": {"additional_special_tokens": ["<|a|>", "<|b|>"], "bos_token": "<|a|>"},
    }.items():
        folders.add(f"ranks/{variant or 'none'}", {"tokenizer.model": listed}, tokenizer_config=settings)

    # tokenizer.json and a class
    for name in ["bpe", "bpe-nmt", "bpe-user", "bpe-names"]:
        for prefix in [True, False]:
            converted(root / "converted.json", "llama", models_of[name], prefix)
            for tokenizer_class in ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "PreTrainedTokenizerFast"]:
                for variant, settings in {
                    "": {}, "legacy": {"legacy": True}, "no-prefix": {"add_prefix_space": False},
                    "tokens": {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
                }.items():
                    folders.add(
                        f"json-{name}-{prefix}/{tokenizer_class}-{variant}",
                        {"tokenizer.json": (root / "converted.json").read_text()},
                        tokenizer_config={"tokenizer_class": tokenizer_class} | settings)
    for name in ["unigram", "unigram-t5", "unigram-albert"]:
        from sentencepiece import sentencepiece_model_pb2

        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(models_of[name].read_bytes())
        for prefix in [True, False]:
            converted(root / "converted.json", "unigram", models_of[name], prefix,
                      proto.normalizer_spec.precompiled_charsmap)
            for tokenizer_class in ["T5Tokenizer", "XGLMTokenizer", "AlbertTokenizer"]:
                for variant, settings in {
                    "": {}, "no-prefix": {"add_prefix_space": False, "extra_ids": 0},
                    "cased": {"do_lower_case": False, "keep_accents": True, "additional_special_tokens": ["<z>"]},
                }.items():
                    if tokenizer_class == "AlbertTokenizer" and name != "unigram-albert":
                        continue
                    folders.add(
                        f"json-{name}-{prefix}/{tokenizer_class}-{variant}",
                        {"tokenizer.json": (root / "converted.json").read_text()},
                        tokenizer_config={"tokenizer_class": tokenizer_class} | settings)
    return folders


def tool(path, arguments, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    result = subprocess.run([path, *arguments], input=text.encode(), capture_output=True)
    if result.returncode:
        raise RuntimeError(result.stderr.decode(errors="replace").strip().splitlines()[-1])
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def check(folder, tools, line_count, generator):
    """Returns the differences and the number of checks."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:
        return [("transformers", f"{type(error).__name__}: {str(error)[:80]}", "", "")], 0
    # A text with "<FILL_ME>" changes the normalizer of the texts after it
    special = [token for token in tokenizer.added_tokens_encoder if token != "<FILL_ME>"]
    lines = [random_line(generator, special) for _ in range(line_count)]
    differences = []
    checks = 0
    records = [{"text": line} for line in lines]
    for arguments, splits in [([], True), (["--special"], False)]:
        try:
            got = [record["ids"] for record in tool(tools / "bpe-encode", ["--json", "--model", folder, *arguments], records)]
        except RuntimeError as error:
            return [("error", str(error), "", "")], 0
        for line, ids in zip(lines, got, strict=True):
            expected = tokenizer.encode(line, add_special_tokens=False, split_special_tokens=splits)
            checks += 1
            if ids != expected:
                differences.append(("special" if not splits else "text", line, expected, ids))
    # bpe-decode is for texts without the tokens that are added around them
    encoded = [tokenizer.encode(line, add_special_tokens=False) for line in lines]
    try:
        decoded = tool(tools / "bpe-decode", ["--model", folder, "--json"], [{"ids": ids} for ids in encoded])
    except RuntimeError as error:
        return differences + [("error", str(error), "", "")], checks
    for ids, record in zip(encoded, decoded, strict=True):
        expected = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        checks += 1
        if record["text"] != expected:
            differences.append(("decoded", ids, expected, record["text"]))
    if tokenizer.bos_token_id is not None:
        checks += 1
        got = tool(tools / "bpe-encode", ["--json", "--model", folder, "--bos"], [{"text": "x"}])[0]["ids"][0]
        expected = tokenizer.encode("x")[0]
        plain = tokenizer.encode("x", add_special_tokens=False)[0]
        if got != (tokenizer.bos_token_id if expected == plain else expected):
            differences.append(("bos", tokenizer.bos_token, tokenizer.bos_token_id, got))
    return differences, checks


def main():
    tools = pathlib.Path(sys.argv[1]).resolve()
    line_count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    selected = sys.argv[4] if len(sys.argv) > 4 else ""
    generator = random.Random(seed)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as root:
        folders = make_folders(pathlib.Path(root), generator)
        for name in folders.names:
            if selected not in name:
                continue
            differences, checks = check(f"{root}/folders/{name}", tools, line_count, generator)
            counts["folders"] += 1
            counts["checks"] += checks
            counts["differences"] += len(differences)
            if differences:
                counts["folders that differ"] += 1
                kinds = collections.Counter(kind for kind, *_ in differences)
                kind, line, expected, got = min(differences, key=lambda difference: len(difference[1]))
                print(f"{name}: {dict(kinds)}\n  {kind} {line!r}\n  {expected}\n  {got}", flush=True)
    print(", ".join(f"{value} {key}" for key, value in counts.items()))


main()
