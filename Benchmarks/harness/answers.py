"""What programs printed, in the form in which others say it, to compare."""
import array
import hashlib
import json


def last_ids(output):
    """The tokens that lm-step has added to a prompt of eight."""
    return json.loads(output.read())["ids"][8:]


def top_ids(output):
    return [candidate["id"] for candidate in json.loads(output.read())["topk"]]


def printed_list(output):
    return json.loads(output.read())


def ids_digest(output):
    """All ids of all records, as tokenizer_worker.py digests its own."""
    sha = hashlib.sha256()
    for line in output:
        sha.update(array.array("i", json.loads(line)["ids"]).tobytes())
    return sha.hexdigest()
