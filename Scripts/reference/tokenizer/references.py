"""Reference implementations of tokenizers with one interface, for check_tokenizers.py.

Each class has

- `name`, for the report;
- `encode_ids(texts, special)`: the ids of each text;
- `encode(texts, special)`: for each text its ids, and for each token the least and the greatest end in bytes
  (`byte_ends`), or None if the reference has none;
- `has_exact_ends(text)`: whether its ends are right in this text;
- `decode(sequences, special)`: the text of each sequence of ids, or None if the reference does not decode;
- `loses_bytes(ids)`: whether `decode` replaces tokens for single bytes, because they are not UTF-8 together, or changes
  added tokens: it takes the characters of é for bytes in byte-level spelling, and normalizes tokens that it finds in
  normalized text;
- `before` and `after`: the ids that the reference puts before and after a text, or None if unknown;
- `special_tokens` and `vocabulary()`: the texts of added tokens, and of some tokens, to draw texts from.
"""
import ctypes
import json
import os
import sys
import unicodedata

import numpy


def second_characters():
    """Returns the characters that a normalization form can join to the one before, or move before it."""
    found = {chr(scalar) for scalar in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    for scalar in range(sys.maxunicode + 1):
        decomposition = unicodedata.decomposition(chr(scalar)).split()
        if unicodedata.combining(chr(scalar)):
            found.add(chr(scalar))
        elif len(decomposition) > 1 and not decomposition[0].startswith("<"):
            found.add(chr(int(decomposition[-1], 16)))
    return found | {chr(scalar) for scalar in range(0xA0, sys.maxunicode + 1) if unicodedata.decomposition(chr(scalar))
                    and unicodedata.normalize("NFKD", chr(scalar))[0] in found}


SECOND = second_characters()


def byte_ends(text, offsets, is_composed=False):
    """Returns for each token the least and the greatest end in bytes. The offsets are in characters.

    The two are the reference's end and the start of the next token. The next token is before the end if the tokens share
    a character, and after it if no token has the character in between. If a normalization form was applied
    (`is_composed`), the least end is not in the middle of characters that the form can join or reorder.
    """
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]
    starts.append(len(text))
    low = [min(end, start) for end, start in zip(ends, starts[1:])]
    high = [max(end, start) for end, start in zip(ends, starts[1:])]
    if text.isascii():
        return list(zip(low, high))
    if is_composed:
        for index, position in enumerate(low):
            while 0 < position < len(text) and text[position] in SECOND:
                position -= 1
            low[index] = position
    scalars = numpy.frombuffer(text.encode("utf-32-le"), "<u4")
    sizes = 1 + (scalars >= 0x80) + (scalars >= 0x800) + (scalars >= 0x10000).astype(int)
    positions = numpy.concatenate([[0], numpy.cumsum(sizes)])
    return list(zip(positions[numpy.array(low, int)].tolist(), positions[numpy.array(high, int)].tolist()))


class Reference:
    before = after = None
    garbled = set()  # the added tokens that `decode` changes

    def piece(self, index):
        """Returns the spelling of a token in the vocabulary."""
        return ""

    def encode_ids(self, texts, special):
        return [ids for ids, _ in self.encode(texts, special)]

    def has_exact_ends(self, text):
        """Returns whether the ends in this text are right."""
        return True

    def loses_bytes(self, ids):
        if not self.garbled.isdisjoint(ids):
            return True
        run = bytearray()
        for index in [*ids, None]:
            piece = "" if index is None else self.piece(index)
            if len(piece) == 6 and piece.startswith("<0x"):
                run.append(int(piece[3:5], 16))
            elif run:
                try:
                    run.decode()
                except UnicodeDecodeError:
                    return True
                run.clear()
        return False


class Tokenizers(Reference):
    """tokenizers, with the file tokenizer.json and nothing else."""
    name = "tokenizers"

    def __init__(self, tokenizer):
        from tokenizers import processors

        self.before, self.after = self.template(tokenizer)
        tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B")  # changes no offsets
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.is_composed = "NF" in str(tokenizer.normalizer)
        added = tokenizer.get_added_tokens_decoder()
        self.special_tokens = [token.content for token in added.values()]
        self.garbled = {index for index, token in added.items() if tokenizer.id_to_token(index) != token.content or (
            "ByteLevel" in str(tokenizer.decoder) and tokenizer.decode([index], skip_special_tokens=False) != token.content)}

    @classmethod
    def open(cls, path):
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_file(path))

    @staticmethod
    def template(tokenizer):
        """Returns the ids that the post-processor puts before and after a text."""
        with_template, bare = (tokenizer.encode("a", add_special_tokens=added).ids for added in (True, False))
        for start in range(len(with_template) - len(bare) + 1):
            if with_template[start:start + len(bare)] == bare:
                return with_template[:start], with_template[start + len(bare):]
        return None, None

    def piece(self, index):
        return self.tokenizer.id_to_token(index) or ""

    def has_exact_ends(self, text):
        # `Precompiled` shifts the ends if it removes or adds characters
        normalizer = self.tokenizer.normalizer
        return "Precompiled" not in str(normalizer)[:2000] or len(normalizer.normalize_str(text)) == len(text) and all(
            len(normalizer.normalize_str(character)) == 1 for character in set(text))

    def vocabulary(self, indices):
        decode = self.tokenizer.decode
        return [decode([index], skip_special_tokens=False) for index in indices]

    @property
    def size(self):
        return self.tokenizer.get_vocab_size()

    def encode(self, texts, special):
        self.tokenizer.encode_special_tokens = not special
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [(encoding.ids, byte_ends(text, encoding.offsets, self.is_composed))
                for text, encoding in zip(texts, encodings)]

    def encode_ids(self, texts, special):
        self.tokenizer.encode_special_tokens = not special
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, sequences, special):
        return self.tokenizer.decode_batch(sequences, skip_special_tokens=not special)


class Transformers(Tokenizers):
    """transformers' AutoTokenizer, with all the files of a folder."""
    name = "transformers"

    def __init__(self, folder):
        import transformers

        transformers.logging.set_verbosity_error()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.class_name = type(tokenizer).__name__
        if not hasattr(tokenizer, "backend_tokenizer"):
            raise ValueError(f"{self.class_name} does not use tokenizers")
        super().__init__(tokenizer.backend_tokenizer)
        self.before = self.before or [tokenizer.bos_token_id]
        self.after = self.after or [tokenizer.eos_token_id]


class SentencePiece(Reference):
    """sentencepiece, with the file tokenizer.model. It finds no control symbols in a text."""
    name = "sentencepiece"

    def __init__(self, path):
        import sentencepiece

        self.processor = sentencepiece.SentencePieceProcessor(model_file=path)
        self.special_tokens = [self.processor.id_to_piece(index) for index in range(self.size)
                               if self.processor.is_control(index) or self.processor.is_unknown(index)]

    @property
    def size(self):
        return self.processor.get_piece_size()

    def piece(self, index):
        return self.processor.id_to_piece(index)

    def loses_bytes(self, ids):  # the unknown token is decoded to U+2047
        return any(map(self.processor.is_unknown, ids)) or super().loses_bytes(ids)

    def vocabulary(self, indices):
        return [self.processor.id_to_piece(index).replace("▁", " ") for index in indices]

    def encode(self, texts, special):
        if special:
            return None
        results = []
        for text in texts:
            pieces = self.processor.encode(text, return_type="proto").pieces if text else []
            ends = [piece.end for piece in pieces]  # in bytes
            starts = [*(piece.begin for piece in pieces), len(text.encode())][1:]
            limits = [(min(end, start), max(end, start)) for end, start in zip(ends, starts)]
            for index in reversed(range(len(pieces) - 1)):  # the last token of a character has the whole character
                if pieces[index].begin == pieces[index].end:
                    limits[index] = limits[index][0], max(limits[index][1], limits[index + 1][1])
            results.append(([piece.id for piece in pieces], limits))
        return results

    def decode(self, sequences, special):
        return None if special else [self.processor.decode(sequence) if sequence else "" for sequence in sequences]


class TikToken(Reference):
    """tiktoken, with a file of ranks and the pattern of its encoding (tiktoken_ext/openai_public.py)."""
    name = "tiktoken"

    def __init__(self, folder):
        import tiktoken
        from tiktoken.load import load_tiktoken_bpe

        with open(f"{folder}/encoding.json", encoding="utf-8") as file:
            settings = json.load(file)
        self.encoding = tiktoken.Encoding(
            settings["name"], pat_str=settings["pattern"], special_tokens=settings["special_tokens"],
            mergeable_ranks=load_tiktoken_bpe(f"{folder}/{settings['ranks']}"))
        self.special_tokens = list(settings["special_tokens"])

    def encode(self, texts, special):
        if special:
            results = self.encoding.encode_batch(texts, allowed_special="all", num_threads=2)
        else:
            results = self.encoding.encode_ordinary_batch(texts, num_threads=2)
        return [(ids, None) for ids in results]

    def decode(self, sequences, special):
        return self.encoding.decode_batch(sequences, errors="replace") if special else None


class LlamaParameters(ctypes.Structure):
    """`llama_model_params` of llama.h."""
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("devices", "overrides")),
        *((name, ctypes.c_int32) for name in ("gpu_layers", "split_mode", "load_mode", "lazy_mode", "main_gpu")),
        *((name, ctypes.c_void_p) for name in ("tensor_split", "progress", "progress_data", "kv_overrides")),
        *((name, ctypes.c_bool) for name in ("vocab_only", "check", "extra", "no_host", "no_alloc", "mtp")),
        ("reserve", ctypes.c_char * 64)]


class LlamaCpp(Reference):
    """llama.cpp, with a GGUF file. It has no ends."""
    name = "llama.cpp"

    def __init__(self, path, library):
        self.library = ctypes.CDLL(library)
        self.library.llama_model_default_params.restype = LlamaParameters
        self.library.llama_model_load_from_file.restype = ctypes.c_void_p
        self.library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, LlamaParameters]
        self.library.llama_model_get_vocab.restype = ctypes.c_void_p
        self.library.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
        self.library.llama_tokenize.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32, ctypes.c_bool, ctypes.c_bool]
        self.quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
        self.library.llama_log_set(self.quiet, None)
        parameters = self.library.llama_model_default_params()
        parameters.vocab_only = True
        model = self.library.llama_model_load_from_file(path.encode(), parameters)
        if not model:
            raise ValueError("llama.cpp cannot open the file")
        self.vocab = self.library.llama_model_get_vocab(model)
        from gguf import GGUFReader

        fields = GGUFReader(path).fields
        self.tokens = fields["tokenizer.ggml.tokens"].contents()
        types = fields["tokenizer.ggml.token_type"].contents()
        self.special_tokens = [token for token, kind in zip(self.tokens, types) if kind in (3, 4)]

    @property
    def size(self):
        return len(self.tokens)

    def vocabulary(self, indices):
        return [self.tokens[index].replace("▁", " ").replace("Ġ", " ") for index in indices]

    def encode(self, texts, special):
        results = []
        for text in texts:
            data = text.encode()
            room = len(data) + 8
            ids = (ctypes.c_int32 * room)()
            count = self.library.llama_tokenize(self.vocab, data, len(data), ids, room, False, special)
            results.append((ids[:max(count, 0)], None))
        return results

    def decode(self, sequences, special):
        return None


def references_of(path, llama):
    """Returns the references that can read a folder or a .gguf file, the decisive one first, and notes on the others.

    A .gguf file without its suffix can be the name of a folder with the same tokenizer, whose references then come first.
    """
    found, notes = [], []

    def add(make, *arguments):
        try:
            found.append(make(*arguments))
        except Exception as error:  # of any of the libraries
            notes.append(f"{make.__qualname__}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")

    if path.endswith(".gguf"):
        twin = path.removesuffix(".gguf")
        if os.path.exists(f"{twin}/tokenizer.json"):
            add(Tokenizers.open, f"{twin}/tokenizer.json")
        elif os.path.exists(f"{twin}/tokenizer.model"):
            add(SentencePiece, f"{twin}/tokenizer.model")
        if llama:
            add(LlamaCpp, path, llama)
        return found, notes
    has = {name: os.path.exists(f"{path}/{name}") for name in (
        "config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "encoding.json")}
    if has["config.json"] or has["tokenizer.model"]:
        add(Transformers, path)
    if has["tokenizer.json"]:
        add(Tokenizers.open, f"{path}/tokenizer.json")
    if has["tokenizer.model"]:
        add(SentencePiece, f"{path}/tokenizer.model")
    if has["encoding.json"]:
        add(TikToken, path)
    return found, notes
