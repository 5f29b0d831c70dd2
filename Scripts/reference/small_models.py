"""Compares small random models of every family and of every stored type with transformers in float32.

small_models.py LM_LOGITS [--only PATTERN] [--folder FOLDER]
    compares the logits of the program, from folders and GGUF files; FOLDER: of --write, otherwise the models are made
small_models.py --write FOLDER [--only PATTERN]
    writes the models of families.py as folders NAME and files NAME.gguf, and expected.jsonl: model, ids, last logits
small_models.py --fixture FOLDER
    writes the fixture of LanguageModelTests: some of the models of stored_types.py and of families.py, and logits.jsonl

PATTERN is of the names, as in a shell; those of the models of stored_types.py begin with types/. GGUF files of
families.py need LLAMA_CPP (see gguf_files.py); without it they are left out. The exit status is 1 if a model fails: if
the program ends with an error, if a logit differs by more than 2e-5 of the greatest, or if the order of the ten most
likely tokens differs although neighbors differ by more than that.
"""

import argparse
import fnmatch
import itertools
import json
import os
import subprocess
import sys
import tempfile

import gguf_files  # the first of these: it chooses the gguf package
import families
import make
import numpy as np
import stored_types

TOLERANCE = 2e-5  # relative to the greatest logit; exact GELU and its approximation by tanh differ by 1e-4 here


def chosen(pattern):
    models = itertools.chain.from_iterable(families.FAMILIES.values())
    return [model for model in models if fnmatch.fnmatchcase(model.name, pattern)]


def write(folder, pattern):
    """Writes the models and the records of each. A pattern adds to expected.jsonl."""
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/expected.jsonl"
    open(path, "w" if pattern == "*" else "a", encoding="utf-8").close()
    for spec in chosen(pattern):
        model = make.make(spec)
        make.save(spec, model, f"{folder}/{spec.name}")
        if spec.gguf and gguf_files.LLAMA_CPP:
            gguf_files.write(f"{folder}/{spec.name}", f"{folder}/{spec.name}.gguf", spec.gguf)
        with open(path, "a", encoding="utf-8") as output:
            for ids in make.prompts(spec):
                logits = [float(f"{value:.7g}") for value in make.logits(model, ids)]
                output.write(
                    json.dumps({"model": spec.name, "ids": ids, "logits": logits}, separators=(",", ":")) + "\n"
                )


# The files of the fixture: the smallest of each family that llama.cpp writes.
FILES = [
    "bloom-hub", "cohere-hub", "cohere2-hub", "falcon-7b", "gemma-hub", "gemma2-hub", "gemma3-hub", "gpt_neox-defaults",
    "granite-hub", "olmo-hub", "olmo2-hub", "olmo3-groups", "phi-hub", "phi3-hub", "smollm3-hub", "stablelm-defaults",
    "starcoder2-hub",
]


def write_fixture(folder):
    """Writes the smallest models of each family as folders and files, and adds their records to logits.jsonl."""
    with open(f"{folder}/logits.jsonl", "a", encoding="utf-8") as output, tempfile.TemporaryDirectory() as work:
        def add(name, spec, model):
            prompts = sorted(make.prompts(spec), key=len)
            for ids in (prompts[0], prompts[1], prompts[-3], prompts[-1]):
                last = [float(f"{value:.7g}") for value in make.logits(model, ids)]
                output.write(json.dumps({"model": name, "ids": ids, "logits": last}) + "\n")

        for spec in chosen("*-small"):
            model = make.make(spec)
            make.save(spec, model, f"{folder}/{spec.name}")
            add(spec.name, spec, model)
        for name in FILES:
            (spec,) = chosen(name)
            model = make.make(spec)
            make.save(spec, model, f"{work}/{name}")
            gguf_files.write(f"{work}/{name}", f"{folder}/{name}.gguf", spec.gguf)
            add(f"{name}.gguf", spec, model)


def expected(folder, pattern):
    """Returns the prompts and logits of each model by name. The last record of a prompt counts."""
    models = {}
    with open(f"{folder}/expected.jsonl", encoding="utf-8") as file:
        for record in map(json.loads, file):
            if fnmatch.fnmatchcase(record["model"], pattern):
                models.setdefault(record["model"], {})[tuple(record["ids"])] = np.array(record["logits"])
    return models


def check(program, name, path, prompts, options=(), tolerance=TOLERANCE):
    """Runs the program once with the prompts, prints a line, and returns whether the logits are right.

    prompts: the expected logits of each tuple of ids: of the last position, or with the option --all of each position.
    """
    lines = "".join(json.dumps(ids) + "\n" for ids in prompts)
    run = subprocess.run([program, "-m", path, *options], input=lines, capture_output=True, text=True, check=False)
    if run.returncode:
        print(f"{name}: FAILED: {run.stderr.strip() or run.returncode}", flush=True)
        return False
    found = np.array([json.loads(line)["logits"] for line in run.stdout.splitlines()])
    wanted = np.vstack([np.atleast_2d(logits) for logits in prompts.values()])
    if found.shape != wanted.shape:
        print(f"{name}: FAILED: logits of shape {found.shape}, not {wanted.shape}", flush=True)
        return False
    worst, swapped = 0.0, 0
    for ours, theirs in zip(found, wanted):
        greatest = np.abs(theirs).max()
        difference = np.abs(ours - theirs).max() / greatest
        worst = difference if np.isnan(difference) else max(worst, difference)
        order, reference = np.argsort(-ours)[:10], np.argsort(-theirs)[:10]
        swapped += any(abs(theirs[a] - theirs[b]) > tolerance * greatest for a, b in zip(order, reference))
        if np.isnan(worst):
            break
    good = worst <= tolerance and not swapped
    order = f", another order of the most likely tokens in {swapped} of {len(wanted)} positions" if swapped else ""
    print(f"{name}: {'' if good else 'FAILED: '}greatest difference {worst:.1e}{order}", flush=True)
    return good


def compare(program, pattern, folder):
    results = []
    for name, prompts in expected(folder, pattern).items():
        results.append(check(program, name, f"{folder}/{name}", prompts))
        if os.path.exists(f"{folder}/{name}.gguf"):
            results.append(check(program, f"{name}.gguf", f"{folder}/{name}.gguf", prompts))
    return results


def compare_stored_types(program, pattern, folder):
    ids = tuple(stored_types.IDS)
    models = stored_types.models(folder, lambda name: fnmatch.fnmatchcase(f"types/{name}", pattern))
    return [
        check(program, f"types/{name}", path, {ids: stored_types.logits(model)}, ["--all"])
        for name, path, model in models
    ]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n\n")[2])
    parser.add_argument("program", nargs="?")
    parser.add_argument("--write", metavar="FOLDER")
    parser.add_argument("--fixture", metavar="FOLDER")
    parser.add_argument("--folder")
    parser.add_argument("--only", metavar="PATTERN", default="*")
    options = parser.parse_args()
    if options.fixture:
        stored_types.write_fixture(options.fixture)
        write_fixture(options.fixture)
    elif options.write:
        write(options.write, options.only)
    elif not options.program:
        parser.error("the program is missing")
    else:
        with tempfile.TemporaryDirectory() as work:
            folder = options.folder or work
            if not options.folder:
                write(work, options.only)
            results = compare(options.program, options.only, folder)
            if not options.folder:
                results += compare_stored_types(options.program, options.only, work)
        print(f"{len(results)} models, {results.count(False)} failed")
        sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
