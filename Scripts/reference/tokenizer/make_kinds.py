"""Makes the folder of tokenizers that check_tokenizers.py compares: make_kinds.py SOURCES FOLDER [NAME]...

SOURCES contains what is to be had of

- `folders/NAME/`: published folders, copied as they lie; and again as NAME-file, with tokenizer.json only;
- `gguf/*.gguf`: vocabularies. Each is linked, and its tokenizer.json made, with the published pipeline (pipelines.py);
- `sentencepiece/*.model`: alone, in a folder of transformers' LlamaTokenizer, and converted in the old and the new way;
- `tiktoken/*.tiktoken`: ranks, with tiktoken's settings and as tokenizer.json;
- `tekken.json`: Mistral's format, alone and as tokenizer.json;
- `text.txt`: the text on which the families without a vocabulary are trained.

With NAME, only the kinds whose name begins so are made. A part that a library cannot make is reported and left out.
"""
import base64
import glob
import json
import os
import shutil
import sys
import traceback

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from patterns import PATTERNS
from pipelines import BYTE_FALLBACK, BYTE_LEVEL

TRAINING_SIZE = 3_000_000  # characters of text for each language
VOCABULARY = 8000


class Maker:
    def __init__(self, sources, folder, prefixes):
        self.sources, self.folder, self.prefixes = sources, folder, prefixes

    def includes(self, name):
        return not self.prefixes or any(name.startswith(prefix) for prefix in self.prefixes)

    def make(self, name, write):
        """Calls write(path) for a new folder, unless it is not wanted."""
        if not self.includes(name):
            return
        path = f"{self.folder}/{name}"
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        try:
            write(path)
        except Exception as error:  # of any of the libraries
            shutil.rmtree(path)
            print(f"{name}: left out: {type(error).__name__}: {error}")
            if os.environ.get("TRACE"):
                traceback.print_exc()

    def save(self, name, tokenizer, **files):
        """Makes a folder with tokenizer.json and other JSON files."""
        def write(path):
            (tokenizer() if callable(tokenizer) else tokenizer).save(f"{path}/tokenizer.json")
            write_files(path, files)
        self.make(name, write)


def write_files(path, files):
    for name, value in files.items():
        with open(f"{path}/{name}.json", "w", encoding="utf-8") as file:
            json.dump(value, file)


def link(source, path):
    if os.path.lexists(path):
        os.remove(path)
    os.symlink(os.path.realpath(source), path)


# MARK: published folders


def published(maker):
    for source in sorted(glob.glob(f"{maker.sources}/folders/*")):
        name = os.path.basename(source)
        others = [file for file in os.listdir(source) if file != "tokenizer.json"]

        def copy(path, files):
            for file in files:
                shutil.copy(f"{source}/{file}", path)

        if others:
            maker.make(name, lambda path: copy(path, os.listdir(source)))
        if os.path.exists(f"{source}/tokenizer.json"):
            maker.make(f"{name}-file", lambda path: copy(path, ["tokenizer.json"]))
        if others and os.path.exists(f"{source}/merges.txt"):
            maker.make(f"{name}-lists", lambda path: copy(path, others))


# MARK: GGUF vocabularies


def byte_level(vocabulary, merges, family, ignores_merges=False):
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.model.ignore_merges = ignores_merges
    normalizer, pre_tokenizer = BYTE_LEVEL[family]
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def byte_fallback(vocabulary, merges, family):
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    normalizer, pre_tokenizer, decoder = BYTE_FALLBACK[family]
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    return tokenizer


def merges_of(pieces):
    """The merges of SentencePiece pieces: (text, score) for each normal piece, by falling score, then by id."""
    ids = {text: index for index, (text, _) in enumerate(pieces)}
    ranked = []
    for index, (text, score) in enumerate(pieces):
        for at in range(1, len(text)):
            left, right = text[:at], text[at:]
            if left in ids and right in ids:
                ranked.append((-score, index, left, right))
    return [(left, right) for _, _, left, right in sorted(ranked)]


def is_padding(text):
    return text.startswith(("[PAD", "<dummy"))


def from_gguf(maker):
    from gguf import GGUFReader

    for source in sorted(glob.glob(f"{maker.sources}/gguf/*.gguf")):
        name = os.path.basename(source).removesuffix(".gguf").removeprefix("ggml-vocab-")
        if not maker.includes(f"gguf-{name}"):
            continue
        fields = GGUFReader(source).fields

        def get(key):
            field = fields.get(f"tokenizer.ggml.{key}")
            return field.contents() if field else None

        tokens, types, model = get("tokens"), get("token_type"), get("model")
        link(source, f"{maker.folder}/gguf-{name}.gguf")
        count = len(tokens)
        while types[count - 1] in (3, 4) or is_padding(tokens[count - 1]):  # added after the training, as in tokenizer.json
            count -= 1
        if model == "t5":
            count = len(tokens)
        vocabulary = {token: index for index, token in enumerate(tokens[:count])}
        added = [AddedToken(token, normalized=False, special=kind != 4)
                 for token, kind in zip(tokens, types) if kind in (2, 3, 4) and not is_padding(token)]

        def tokenizer():
            if model == "gpt2":
                family = get("pre") or name
                merges = [tuple(merge.split(" ")) for merge in get("merges")]
                result = byte_level(vocabulary, merges, family, family == "llama-bpe")
            elif model == "gemma4":
                merges = [tuple(merge.split(" ")) for merge in get("merges")]
                result = byte_fallback(vocabulary, merges, "gemma")
            elif model == "llama":
                normal = {token for token, kind in zip(tokens, types) if kind == 1}
                pairs = merges_of([(token if token in normal else "", score) for token, score in zip(tokens, get("scores"))])
                result = byte_fallback(vocabulary, pairs, "gemma" if get("add_space_prefix") is False else "llama2")
            else:  # t5: the vocabulary of XLM-R
                result = Tokenizer(models.Unigram(list(zip(tokens, get("scores"))), get("unknown_token_id"), False))
                result.normalizer = normalizers.Precompiled(bytes(get("precompiled_charsmap")))
                result.pre_tokenizer = pre_tokenizers.Sequence(
                    [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always", True)])
                result.decoder = decoders.Metaspace("▁", "always", True)
            result.add_tokens(added)
            if any(result.token_to_id(token.content) != tokens.index(token.content) for token in added):
                raise ValueError("added tokens have other ids")
            return result

        if model in ("gpt2", "gemma4", "llama", "t5"):
            maker.save(f"gguf-{name}", tokenizer)


# MARK: SentencePiece


def read_proto(path):
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    with open(path, "rb") as file:
        proto.ParseFromString(file.read())
    return proto


def by_transformers(files, config, **settings):
    """Returns a function that makes the folder that transformers saves after it opens these files with a class."""
    def write(path):
        import transformers

        original = f"{path}/original"
        os.makedirs(original)
        for name, source in files.items():
            shutil.copy(source, f"{original}/{name}")
        write_files(original, {"config": config, "tokenizer_config": settings})
        transformers.AutoTokenizer.from_pretrained(original).save_pretrained(path)
        shutil.rmtree(original)
        write_files(path, {"config": config})
    return write


def as_it_lies(files, config, **settings):
    """Returns a function that makes a folder with these files and settings."""
    def write(path):
        for name, source in files.items():
            shutil.copy(source, f"{path}/{name}")
        write_files(path, {"config": config} if config else {})
        write_files(path, {"tokenizer_config": settings} if settings else {})
    return write


def from_sentencepiece(maker):
    llama = {"model_type": "llama"}
    for source in sorted(glob.glob(f"{maker.sources}/sentencepiece/*.model")):
        name = os.path.basename(source).removesuffix(".model")
        proto = read_proto(source)
        files = {"tokenizer.model": source}
        maker.make(f"{name}-model", as_it_lies(files, None))
        if proto.trainer_spec.model_type == 1:
            if len(proto.pieces) < 100_000:
                unigram_classes(maker, name, source)
            continue
        settings = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        maker.make(f"{name}-model-llama", as_it_lies(files, llama, **settings))
        maker.make(f"{name}-model-legacy", as_it_lies(files, llama, **settings, legacy=True))
        maker.make(f"{name}-model-no-prefix", as_it_lies(files, llama, **settings, add_prefix_space=False))
        maker.make(f"{name}-llama", by_transformers(files, llama, **settings))
        normal = [(piece.piece if piece.type == 1 else "", piece.score) for piece in proto.pieces]
        vocabulary = {piece.piece: index for index, piece in enumerate(proto.pieces)}
        merges = merges_of(normal)
        special = [AddedToken(piece.piece, normalized=False, special=piece.type != 4)
                   for piece in proto.pieces if piece.type in (2, 3, 4)]
        for family in BYTE_FALLBACK if name == "llama2" else ("llama2", "mistral"):
            def tokenizer():
                result = byte_fallback(vocabulary, merges, family)
                result.add_tokens(special)
                result.post_processor = processors.TemplateProcessing(
                    single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
                return result
            maker.save(f"{name}-as-{family}", tokenizer)
        if name == "llama2":
            families_of_llama2(maker, vocabulary, merges, special)


def families_of_llama2(maker, vocabulary, merges, special):
    """Phi-3 and Code Llama: the vocabulary of Llama 2, with more tokens."""
    phi = ["<|endoftext|>", "<|assistant|>", "<|placeholder1|>", "<|placeholder2|>", "<|placeholder3|>", "<|placeholder4|>",
           "<|system|>", "<|end|>", "<|placeholder5|>", "<|placeholder6|>", "<|user|>"]

    def phi3():
        result = byte_fallback(vocabulary, merges, "llama2")
        result.add_special_tokens(special[:2])
        result.add_tokens([AddedToken("</s>", rstrip=True, normalized=False)])
        result.add_special_tokens([AddedToken(token, rstrip=token not in ("<|endoftext|>", "<|end|>"), normalized=False)
                                   for token in phi])
        return result

    def code_llama():
        words = vocabulary | {token: 32007 + index for index, token in enumerate(["▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"])}
        words |= {f"▁<unused{index}>": 32000 + index for index in range(7)}
        result = byte_fallback(words, merges, "llama2")
        result.add_special_tokens([*special, *(
            AddedToken(token, normalized=False) for token in ["▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"])])
        return result

    settings = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    maker.save("phi-3", phi3, config={"model_type": "phi3"}, tokenizer_config={
        **settings, "eos_token": "<|endoftext|>", "tokenizer_class": "LlamaTokenizer", "add_bos_token": True,
        "add_eos_token": False, "legacy": False})
    maker.save("code-llama", code_llama, config={"model_type": "llama"}, tokenizer_config={
        **settings, "tokenizer_class": "CodeLlamaTokenizer"})


def unigram_classes(maker, name, source):
    """The folders of the classes that read Unigram models: as they lie, and as transformers saves them."""
    if name == "goldfish":
        files = {"spiece.model": source}
        config, settings = {"model_type": "gpt2"}, {
            "tokenizer_class": "AlbertTokenizer", "do_lower_case": False, "keep_accents": True, "bos_token": "[CLS]",
            "eos_token": "[SEP]"}
        maker.make("goldfish-lists", as_it_lies(files, config, **settings))
        maker.make("goldfish", by_transformers(files, config, **settings))
        maker.make("goldfish-lower", by_transformers(files, config, **settings | {"do_lower_case": True, "keep_accents": False}))
        return
    for kind, file, config, settings in [
            ("t5", "spiece.model", {"model_type": "t5"}, {"tokenizer_class": "T5Tokenizer"}),
            ("rinna", "spiece.model", {"model_type": "gpt2"}, {
                "tokenizer_class": "T5Tokenizer", "extra_ids": 0, "bos_token": "<s>", "eos_token": "</s>",
                "unk_token": "<unk>", "do_lower_case": True}),
            ("xlm-r", "sentencepiece.bpe.model", {"model_type": "xlm-roberta"}, {"tokenizer_class": "XLMRobertaTokenizer"}),
            ("general", "tokenizer.model", {"model_type": "gpt2"}, {"tokenizer_class": "PreTrainedTokenizerFast"})]:
        maker.make(f"{name}-{kind}-lists", as_it_lies({file: source}, config, **settings))
        maker.make(f"{name}-{kind}", by_transformers({file: source}, config, **settings))

    def xglm():
        """As XGLMConverter of convert_slow_tokenizer.py makes it. XGLMTokenizer of transformers 5.24 opens no .model file."""
        proto = read_proto(source)
        words = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
        words += [(piece.piece, piece.score) for piece in proto.pieces][3:] + [(f"<madeupword{n}>", 0.0) for n in range(7)]
        result = Tokenizer(models.Unigram(words, 3, False))
        charsmap = proto.normalizer_spec.precompiled_charsmap
        result.normalizer = normalizers.Sequence(
            [normalizers.Precompiled(charsmap)] * bool(charsmap)
            + [normalizers.Strip(False, True), normalizers.Replace(Regex(" {2,}"), "▁")])
        result.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always", True)
        result.decoder = decoders.Metaspace("▁", "always", True)
        result.post_processor = processors.TemplateProcessing(
            single="</s> $A", pair="</s> $A </s> </s> $B", special_tokens=[("<s>", 0), ("</s>", 2)])
        result.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
        return result
    maker.save(f"{name}-xglm", xglm, config={"model_type": "xglm"}, tokenizer_config={
        "tokenizer_class": "XGLMTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})


def train_sentencepiece(maker):
    """Writes models that are trained in three languages to SOURCES/sentencepiece."""
    import sentencepiece

    lines = [line for line in training_lines(maker.sources) if line.strip()]
    for name, options in {
            "unigram": {"model_type": "unigram"},
            "unigram-bytes": {"model_type": "unigram", "byte_fallback": True},
            "unigram-identity": {"model_type": "unigram", "normalization_rule_name": "identity",
                                 "remove_extra_whitespaces": False, "user_defined_symbols": ["<|sep|>", "http", "  "]},
            "unigram-identity-bytes": {"model_type": "unigram", "normalization_rule_name": "identity", "byte_fallback": True,
                                       "remove_extra_whitespaces": False, "split_digits": True},
            "unigram-folded": {"model_type": "unigram", "normalization_rule_name": "nmt_nfkc_cf", "add_dummy_prefix": False},
            "goldfish": {"model_type": "unigram", "pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3, "bos_piece": "[CLS]",
                         "eos_piece": "[SEP]", "control_symbols": ["[MASK]"]},
            "bpe-nmt": {"model_type": "bpe", "byte_fallback": True},
            "yi": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity",
                   "add_dummy_prefix": False, "remove_extra_whitespaces": False, "split_digits": True,
                   "user_defined_symbols": ["<|im_start|>", "<|im_end|>", "\t", "   "]}}.items():
        target = f"{maker.sources}/sentencepiece/{name}.model"
        if os.path.exists(target) or not maker.includes(name):
            continue
        options.setdefault("vocab_size", VOCABULARY)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_prefix=target.removesuffix(".model"), minloglevel=2, num_threads=2,
            input_sentence_size=60_000, shuffle_input_sentence=True, character_coverage=0.9995, **options)


def training_lines(sources):
    """Lines of the text, from three places of it, that is, in three languages."""
    with open(f"{sources}/text.txt", encoding="utf-8") as file:
        text = file.read()
    parts = [text[int(len(text) * place):][:TRAINING_SIZE] for place in (0.0, 0.4, 0.6)]
    return "".join(parts).split("\n")


# MARK: tiktoken


SPECIAL = {
    "cl100k_base": {"<|endoftext|>": 100257, "<|fim_prefix|>": 100258, "<|fim_middle|>": 100259, "<|fim_suffix|>": 100260,
                    "<|endofprompt|>": 100276},
    "o200k_base": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    "llama3": {token: 128000 + index for index, token in enumerate([
        "<|begin_of_text|>", "<|end_of_text|>", *(f"<|reserved_special_token_{n}|>" for n in range(4)),
        "<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>"])},
    "llama4": {"<|begin_of_text|>": 200000, "<|end_of_text|>": 200001, "<|header_start|>": 200005},
    "qwen": {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645},
}
FAMILIES = {"cl100k_base": "cl100k", "o200k_base": "o200k", "llama3": "llama-bpe", "llama4": "llama4", "qwen": "qwen1"}
PATTERN_NAMES = {"llama3": "llama3", "llama4": "o200k", "qwen": "qwen2", "cl100k_base": "cl100k", "o200k_base": "o200k"}


def vocabulary_of_ranks(ranks):
    """Returns the vocabulary in byte-level spelling, and the merges, of tokens with ranks: of each token all pairs."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spelling = {byte: chr(byte) for byte in printable}
    spelling |= {byte: chr(256 + index) for index, byte in enumerate(byte for byte in range(256) if byte not in printable)}
    merges = []
    for token, rank in ranks.items():
        pairs = [(token[:at], token[at:]) for at in range(1, len(token))]
        merges += sorted((rank, ranks[left], ranks[right], left, right) for left, right in pairs
                         if left in ranks and right in ranks)

    def spelled(token):
        return "".join(spelling[byte] for byte in token)

    return ({spelled(token): rank for token, rank in ranks.items()},
            [(spelled(left), spelled(right)) for _, _, _, left, right in sorted(merges)])


def from_tiktoken(maker):
    from tiktoken.load import load_tiktoken_bpe

    for source in sorted(glob.glob(f"{maker.sources}/tiktoken/*.tiktoken")):
        name = os.path.basename(source).removesuffix(".tiktoken")
        special = SPECIAL[name]

        def write(path):
            vocabulary, merges = vocabulary_of_ranks(load_tiktoken_bpe(source))
            tokenizer = byte_level(vocabulary | special, merges, FAMILIES[name], ignores_merges=True)
            tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
            if name.startswith("llama"):
                tokenizer.post_processor = processors.TemplateProcessing(
                    single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B",
                    special_tokens=[("<|begin_of_text|>", special["<|begin_of_text|>"])])
            tokenizer.save(f"{path}/tokenizer.json")
            if name != "qwen":  # normalizes in Python, before tiktoken
                link(source, f"{path}/ranks.tiktoken")
                write_files(path, {"encoding": {
                    "name": name, "pattern": PATTERNS[PATTERN_NAMES[name]], "ranks": "ranks.tiktoken",
                    "special_tokens": special}})

        maker.make(name, write)
        maker.make(f"{name}-ranks", lambda path: as_it_lies(
            {"qwen.tiktoken" if name == "qwen" else "tokenizer.model": source}, {"model_type": "llama"},
            tokenizer_class="PreTrainedTokenizerFast")(path))


def from_tekken(maker):
    source = f"{maker.sources}/tekken.json"
    if not os.path.exists(source):
        return

    def converted(path):
        with open(source, encoding="utf-8") as file:
            tekken = json.load(file)
        count = tekken["config"]["default_num_special_tokens"]
        inner = tekken["config"]["default_vocab_size"] - count
        ranks = {base64.b64decode(token["token_bytes"]): index + count for index, token in enumerate(tekken["vocab"][:inner])}
        special = {token["rank"]: token["token_str"] for token in tekken.get("special_tokens") or []}
        special = {special.get(index, f"<SPECIAL_{index}>"): index for index in range(count)}
        vocabulary, merges = vocabulary_of_ranks(ranks)
        tokenizer = byte_level(special | vocabulary, merges, "tekken", ignores_merges=True)
        tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
        tokenizer.save(f"{path}/tokenizer.json")

    maker.make("tekken", converted)
    maker.make("tekken-alone", as_it_lies({"tekken.json": source}, {"model_type": "mistral"}))


# MARK: trained families


def trained(maker):
    lines = training_lines(maker.sources)
    vocabulary = merges = None
    for family in ("bloom", "nanochat", "kimi", "removed-inverted", "merged-with-previous", "merged-with-next", "contiguous",
                   "removed-spaces", "whitespace-split", "byte-level-first", "nfkc", "nfd-stripped", "nfkd",
                   "byte-level-normalizer"):
        if not maker.includes(f"trained-{family}"):
            continue
        if vocabulary is None:  # one training for all: only the pipelines differ
            tokenizer = byte_level({}, [], "gpt-2")
            tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
                vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
                special_tokens=["<|endoftext|>", "<unk>", "<s>", "</s>", "<pad>"]))
            model = json.loads(tokenizer.to_str())["model"]
            vocabulary, merges = model["vocab"], [tuple(pair) for pair in model["merges"]]

        def make():
            result = byte_level(vocabulary, merges, family)
            result.add_special_tokens(["<|endoftext|>", "<s>", "</s>", "<pad>"])
            if family == "nanochat":
                result.add_special_tokens(["<|bos|>", "<|user_start|>", "<|user_end|>", "<|python_start|>"])
            if family == "nfkc":
                result.add_tokens(["ﬁ", "e\u0301", AddedToken("ﬂ", normalized=False), "①x"])
            if family == "nfd-stripped":
                result.add_tokens(["Été", AddedToken("Über", normalized=False), "straße"])
            return result
        maker.save(f"trained-{family}", make)

    def roberta():
        words = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
        with open(f"{maker.sources}/folders/gpt2/vocab.json", encoding="utf-8") as file:
            for token in json.load(file):
                words.setdefault(token, len(words))
        with open(f"{maker.sources}/folders/gpt2/merges.txt", encoding="utf-8") as file:
            pairs = [tuple(line.split()) for line in file if not line.startswith("#version")]
        words["<mask>"] = len(words)
        result = byte_level(words, pairs, "roberta")
        result.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
        result.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, normalized=False)])
        return result
    maker.save("roberta", roberta)

    def added():
        """Added tokens with every option, on GPT-2's rule."""
        result = byte_level(vocabulary, merges, "qwen2")
        result.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<r>", rstrip=True), "<|endoftext|>"])
        result.add_tokens([
            AddedToken("the", single_word=True), AddedToken("<b>", lstrip=True, rstrip=True), "été", "e\u0301e",
            AddedToken("ol", normalized=False), AddedToken("hello", single_word=True, lstrip=True), "東京", "  ", "   ",
            AddedToken("a\u0301", normalized=False), "<|endoftext|><|endoftext|>", AddedToken("der", single_word=True)])
        return result
    if vocabulary is not None:
        maker.save("trained-added", added)


def main(sources, folder, *prefixes):
    os.makedirs(folder, exist_ok=True)
    maker = Maker(sources, folder, prefixes)
    for part in (published, from_gguf, from_tiktoken, from_tekken, trained, train_sentencepiece, from_sentencepiece):
        part(maker)
    print(f"{len(os.listdir(folder))} kinds")


if __name__ == "__main__":
    main(*sys.argv[1:])
