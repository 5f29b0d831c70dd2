"""tokenizer.json, and vocab.json with merges.txt."""
import models
import tree
import values
from case import Case, command
from mutators import common, json_tree
from tree import Members, Raw

NAMES = ["version", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model", "vocab", "merges", "type",
         "add_prefix_space", "use_regex", "pretokenizers", "normalizers", "pattern", "Regex", "behavior", "invert",
         "individual_digits", "ignore_merges", "byte_fallback", "dropout", "unk_token", "content", "id", "special", "lstrip",
         "rstrip", "normalized", "single_word", "single", "processors", "SpecialToken"]
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
SPLIT = {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": GPT4}, "behavior": "Isolated", "invert": False},
                                               BYTE_LEVEL | {"use_regex": False}]}
DIGITS = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL]}
TEMPLATE = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"<|start|>": {"id": "<|start|>", "ids": [1], "tokens": ["<|start|>"]}}}
WHOLE = {"normalizer": [{"type": "NFC"}, {"type": "Sequence", "normalizers": [{"type": "NFC"}]}, {"type": "NFKC"}],
         "pre_tokenizer": [SPLIT, DIGITS, BYTE_LEVEL], "post_processor": [TEMPLATE, BYTE_LEVEL], "decoder": [BYTE_LEVEL, None]}
TOKENS = ["ab", "ĠĠ", "é", "Ã©", "<|x|>", "", " ", "a" * 70000, "Ġ" * 400, "the", "\ud800", "😀"]


def often(rng, name):
    if name in WHOLE:
        return tree.build(rng.choice(WHOLE[name]))
    if name in ("id",) or rng.random() < 0.4:
        return Raw(rng.choice((0, 1, 2, 5, 100, 271, 272, 273, 300, 5000, 65535, 16777215, 16777216, 1 << 31, -1)))
    if name == "merges":
        return [[rng.choice(models.TOKENS), rng.choice(models.TOKENS)] for _ in range(rng.choice((0, 1, 3)))]
    if name == "added_tokens":
        return tree.build([{"id": 272 + number, "content": rng.choice(TOKENS[:9]), "single_word": rng.random() < 0.1, "lstrip": rng.random() < 0.2,
                            "rstrip": rng.random() < 0.2, "normalized": rng.random() < 0.3, "special": rng.random() < 0.5}
                           for number in range(rng.choice((0, 1, 2, 9)))])
    return rng.choice(TOKENS)


def _with_merges(rng, vocabulary, merges):
    """Adds merges of existing tokens, with their results, in any order of ranks."""
    tokens = list("abc Ġ".replace(" ", "")) + ["the", "in"]
    for _ in range(rng.choice((1, 2, 5))):
        left, right = rng.choice(tokens), rng.choice(tokens)
        merges.insert(rng.randrange(len(merges) + 1), (left, right))
        tokens.append(left + right)
        if not any(name == left + right for name, _ in vocabulary):
            vocabulary.append([left + right, Raw(max(int(number) for _, number in vocabulary) + 1)])


def _case(rng, files):
    encode = ["bpe-encode", "-m", "model"]
    files = files | {"in": common.lines(rng)}
    kind = rng.randrange(8)
    if kind == 0:
        return Case(files, [command(encode), command(encode + ["--threads", "1"]), command(encode, ["cat"])], same=True)
    if kind == 1:
        return Case(files, [command(encode + ["--tokens", "--offsets", "--special"]), command(encode + ["-t"])])
    if kind == 2:
        return Case(files, [command(encode, ["bpe-decode", "-m", "model"])])
    if kind == 3:
        lines = files["in"].splitlines(True)
        parts = {f"in{number}": line for number, line in enumerate(lines)}
        options = rng.choice(([], ["--special"], ["--tokens", "--offsets"], ["--bos"], ["--add-prefix-space"], ["--max-length", "3"]))
        alone = [([encode + options], name) for name in parts]
        return Case(files | parts, [command(encode + options), alone], same=True)
    if kind == 4:
        files["in"] = b"".join(common.record(rng) for _ in range(2))
        return Case(files, [command(["bpe-decode", "-m", "model", "-j"]), command(["bpe-decode", "-m", "model", "--follow"]),
                            command(["lm-info", "-m", "model"])])
    if kind == 5:
        files["in"] = rng.choice((b"abc" * 400, b"ab" * 700, b" " * 2000, b"a" * 3000, b"thethein" * 200, "é".encode() * 500)) + b"\n"
        return Case(files, [command(encode), command(encode + ["--colour"])])
    if kind == 6:
        return Case(files, [command(encode + ["-w", "--special", "--bos"], ["lm-step", "-m", "model", "-n", "3", "--stop", "a"])])
    return Case(files, [command(encode + ["-z"]), command(encode + ["--keep-going", "-j"]), command(["lm-info", "-m", "model", "-j"])])


def case(rng):
    root = models.tokenizer_json()
    for name in list(WHOLE):
        if rng.random() < 0.15:
            root.put(name, tree.build(rng.choice(WHOLE[name])))
    if rng.random() < 0.3:
        model = root.get("model")
        merges = []
        _with_merges(rng, model.get("vocab"), merges)
        model.get("merges")[:0] = [list(merge) for merge in merges]
    if rng.random() < 0.8:
        json_tree.mutate(rng, root, NAMES, often)
    return _case(rng, models.GPT2 | {"model/tokenizer.json": json_tree.document(rng, root)})


def vocabulary_case(rng):
    """vocab.json and merges.txt."""
    vocabulary = tree.build(models.VOCABULARY | {models.END_OF_TEXT: 0, models.START: 1})
    merges = [tuple(merge.split(" ")) for merge in models.MERGES]
    if rng.random() < 0.3:
        _with_merges(rng, vocabulary, merges)
    lines = ["#version: 0.2"] + [" ".join(merge) for merge in merges]
    kind = rng.random()
    if kind < 0.5:
        json_tree.mutate(rng, vocabulary, ["ab", "<|endoftext|>"], often)
    if kind > 0.4:
        for _ in range(rng.choice((1, 2, 5))):
            place = rng.randrange(len(lines))
            lines[place] = rng.choice((
                "", "a", "a b c", " ", "a  b", lines[place] + " ", lines[place] + "\r", "\ufeff" + lines[place], "é e", "# x",
                rng.choice(models.TOKENS) + " " + rng.choice(models.TOKENS), "x" * 5000 + " y", "\0 a", lines[rng.randrange(len(lines))]))
    text = "\n".join(lines).encode("utf-8", "replace") + rng.choice((b"\n", b"\n", b"", b"\n\n"))
    if rng.random() < 0.1:
        text = values.damage(rng, text)
    files = {name: content for name, content in models.GPT2.items() if name != "model/tokenizer.json"}
    files |= {"model/vocab.json": json_tree.document(rng, vocabulary), "model/merges.txt": text}
    if rng.random() < 0.1:
        files["model/tokenizer_config.json"] = tree.encode(tree.build({"bos_token": values.value(rng), "add_prefix_space": rng.random() < 0.5}))
    if rng.random() < 0.02:
        del files[rng.choice(("model/vocab.json", "model/merges.txt"))]
    return _case(rng, files)
