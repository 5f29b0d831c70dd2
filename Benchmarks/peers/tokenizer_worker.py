"""Worker for other tokenizers: tokenizer_worker.py tiktoken|riptoken|tokenizers MODEL THREADS

Encodes documents that are strings in memory, and writes nothing. RAYON_NUM_THREADS must also be THREADS.
"""
import array
import hashlib
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


encode = {"tiktoken": tiktoken_encode, "riptoken": riptoken_encode, "tokenizers": tokenizers_encode}[library]()


def encode_file(path, times):
    texts = documents(path)
    if library == "tokenizers":
        texts = texts[::20]  # too slow for the whole text
    seconds, ids = timed(times, lambda: encode(texts))
    amount = sum(len(text.encode()) + 1 for text in texts)
    return {"seconds": seconds, "amount": amount, "answer": None if library == "tokenizers" else digest(ids)}


serve({"encode": encode_file}, **{library: __import__(library).__version__})
