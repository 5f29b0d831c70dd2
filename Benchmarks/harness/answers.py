"""Converts the output of the tools to the form of the peers' answers, for comparison."""
import array
import hashlib
import json


def last_ids(output):
    """Returns the tokens that lm-step appended to a prompt of eight."""
    return json.loads(output.read())["ids"][8:]


def top_ids(output):
    return [candidate["id"] for candidate in json.loads(output.read())["topk"]]


def printed_list(output):
    return json.loads(output.read())


def ids_digest(output):
    """Returns a digest of all ids of all records, as tokenizer_worker.py computes it."""
    sha = hashlib.sha256()
    for line in output:
        sha.update(array.array("i", json.loads(line)["ids"]).tobytes())
    return sha.hexdigest()
