"""Worker for other tokenizers: tokenizer_worker.py LIBRARY MODEL THREADS

LIBRARY is tiktoken, riptoken, fastokens, gigatoken or tokenizers, which encode documents that are strings in memory and
write nothing; or gigatoken+orjson, which also writes records of the text and the ids to /dev/null. RAYON_NUM_THREADS must
also be THREADS.
"""
import array
import hashlib
import importlib.metadata
import sys

from worker import serve, timed

library, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])


def documents(path):
    with open(path, "rb") as file:
        return [document.decode() for document in file.read().split(b"\0")[:-1]]


def tiktoken_encode():
    import tiktoken
    from vocabulary import SPLITTING, ranks
    encoding = tiktoken.Encoding("gpt2", pat_str=SPLITTING, mergeable_ranks=ranks(folder), special_tokens={})
    if threads == 1:
        return lambda texts: [encoding.encode_ordinary(text) for text in texts]
    return lambda texts: encoding.encode_ordinary_batch(texts, num_threads=threads)


def riptoken_encode():
    import riptoken
    from vocabulary import SPLITTING, ranks
    core = riptoken.CoreBPE(ranks(folder), {}, SPLITTING)
    if threads == 1:
        return lambda texts: [core.encode_ordinary(text) for text in texts]
    return core.encode_ordinary_batch


def fastokens_encode():
    import fastokens
    tokenizer = fastokens.Tokenizer.from_file(f"{folder}/tokenizer.json")
    if threads == 1:
        return lambda texts: [tokenizer.encode(text).ids for text in texts]
    return lambda texts: [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def gigatoken_encode():
    import gigatoken
    tokenizer = gigatoken.Tokenizer(folder)
    if threads == 1:
        return lambda texts: [tokenizer.encode(text) for text in texts]
    return lambda texts: tokenizer.encode_batch(texts, parallel=True)


def gigatoken_records():
    import orjson
    encode = gigatoken_encode()

    def encode_and_write(texts):
        documents = encode(texts)
        with open("/dev/null", "wb") as file:
            for text, ids in zip(texts, documents):
                record = {"text": text, "ids": ids if threads == 1 else ids.to_numpy()}
                file.write(orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE))
        return documents

    return encode_and_write


def tokenizers_encode():
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.encode_special_tokens = True
    return lambda texts: [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def digest(ids_of_documents):
    """Returns the digest that harness/answers.py computes from lmpipe's records."""
    sha = hashlib.sha256()
    for ids in ids_of_documents:
        sha.update(array.array("i", ids).tobytes())
    return sha.hexdigest()


make_encoder = {
    "tiktoken": tiktoken_encode, "riptoken": riptoken_encode, "fastokens": fastokens_encode,
    "gigatoken": gigatoken_encode, "gigatoken+orjson": gigatoken_records, "tokenizers": tokenizers_encode}[library]


def encode_file(path, times):
    texts = documents(path)
    encode = make_encoder()  # a new one, because some libraries cache what they have encoded
    if library == "tokenizers":
        texts = texts[::20]  # too slow for the whole text
    seconds, ids = timed(times, lambda: encode(texts))
    amount = sum(len(text.encode()) + 1 for text in texts)
    return {"seconds": seconds, "amount": amount, "answer": None if library == "tokenizers" else digest(ids)}


serve({"encode": encode_file}, **{name: importlib.metadata.version(name) for name in library.split("+")})
