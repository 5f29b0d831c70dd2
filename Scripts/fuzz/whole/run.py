#!/usr/bin/env python3
"""Fuzzes the built tools: run.py --seed S --runs N (see ../README.md).

The seed and the number of a run determine it completely: `--only K` repeats run K. Each finding is stored in a folder with the
input files, the commands (`case`) and a script that repeats them.
"""
import argparse
import collections
import multiprocessing
import os
import random
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import checks
import minimize
from mutators import config, gguf, options, records, shards, tokenizer, weights
from process import Runner, scratch_folder

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
# kind: (function, weight)
KINDS = {"config": (config.case, 3), "weights": (weights.case, 3), "shards": (shards.case, 1), "tokenizer": (tokenizer.case, 3),
         "vocabulary": (tokenizer.vocabulary_case, 1), "gguf": (gguf.case, 4), "records": (records.case, 4), "options": (options.case, 4)}
EXAMPLES = 3  # stored findings per signature


def case_of(seed, number, kinds):
    """Returns kind and case of a run. The case is None if the kind is not selected."""
    rng = random.Random(seed << 40 | number)
    kind = rng.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
    return kind, KINDS[kind][0](rng) if kind in kinds else None


def numbers(seed, runs, kinds):
    """Yields the numbers of the first `runs` runs of these kinds."""
    number = found = 0
    while found < runs:
        rng = random.Random(seed << 40 | number)
        if rng.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0] in kinds:
            found += 1
            yield number
        number += 1


def store(finding, case, seed, number, folder):
    """Stores a finding and returns its folder."""
    name = "".join(character if character.isalnum() else "-" for character in f"{finding.check}-{finding.program}")
    path = os.path.join(folder, f"{name}-{seed}-{number}")
    case.about = f"{finding.check}: {finding.program}: {finding.detail}\nrun.py --seed {seed} --only {number}"
    case.store(path)
    with open(os.path.join(path, "finding"), "w", encoding="utf-8") as file:
        file.write(finding.text())
    minimize.write_script(case, path)
    return path


def work(arguments, job, queue):
    """Worker process: runs every jobs-th number."""
    folder = scratch_folder()
    runner = Runner(arguments.tools, folder)
    examples = collections.Counter()
    counts = collections.Counter()
    commands = 0
    last = time.monotonic()
    try:
        chosen = [arguments.only] if arguments.only is not None else numbers(arguments.seed, arguments.runs, arguments.kinds)
        for place, number in enumerate(chosen):
            if place % arguments.jobs != job:
                continue
            kind, case = case_of(arguments.seed, number, arguments.kinds)
            found, outcomes = checks.run_case(runner, case)
            if any(word.startswith("--c") for command in case.commands for stages, _ in command for stage in stages for word in stage):
                runner.renew(case.files)  # any of them can be a cache file
            commands += sum(len(result.stages) for results in outcomes for result in results)
            counts[kind] += 1
            if arguments.only is not None:
                print(case.text())
                for results in outcomes:
                    for result in results:
                        print(result.status, result.output[:2000], *(stage.errors[:2000] for stage in result.stages))
            for signature, finding in {finding.signature: finding for finding in found}.items():
                examples[signature] += 1
                if examples[signature] <= EXAMPLES or arguments.only is not None:
                    path = store(finding, case, arguments.seed, number, arguments.findings)
                    queue.put(("found", signature, kind, path))
                else:
                    queue.put(("found", signature, kind, None))
            if time.monotonic() - last > 10:
                last = time.monotonic()
                queue.put(("count", job, sum(counts.values())))
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
        queue.put(("done", counts, commands, job))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--kinds", default=",".join(KINDS), help="a subset of " + ",".join(KINDS))
    parser.add_argument("--tools", default=os.path.join(CHECKOUT, ".build/release"), help="folder with the tools")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="K", help="repeat run K and print its case")
    parser.add_argument("--findings", default=os.path.join(CHECKOUT, ".build-fuzz/whole"), help="folder for findings")
    parser.add_argument("--minimize", metavar="FOLDER", help="minimize a finding in its folder")
    parser.add_argument("--replay", metavar="FOLDER", nargs="+", help="replay stored cases")
    arguments = parser.parse_args()
    arguments.tools = os.path.abspath(arguments.tools)
    arguments.findings = os.path.abspath(arguments.findings)
    arguments.kinds = arguments.kinds.split(",")
    if not set(arguments.kinds) <= set(KINDS):
        parser.error(f"--kinds must be a subset of {','.join(KINDS)}")
    os.makedirs(arguments.findings, exist_ok=True)
    if arguments.minimize:
        return minimize.main(arguments.tools, arguments.minimize)
    if arguments.replay:
        return minimize.replay(arguments.tools, arguments.replay)
    options.read_help(arguments.tools)
    if arguments.only is not None:
        arguments.jobs, arguments.kinds = 1, list(KINDS)

    start = time.monotonic()
    queue = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(arguments, job, queue)) for job in range(arguments.jobs)]
    for worker in workers:
        worker.start()
    counts, found, places = collections.Counter(), collections.Counter(), {}
    by_kind, progress = collections.Counter(), collections.Counter()
    commands = 0
    running = len(workers)
    while running:
        message = queue.get()
        if message[0] == "found":
            _, signature, kind, path = message
            found[signature] += 1
            by_kind[kind] += 1
            if path and signature not in places:
                places[signature] = path
                print(f"found: {signature}\n       {path}", flush=True)
        elif message[0] == "count":
            progress[message[1]] = message[2]
            if sys.stderr.isatty():
                print(f"\r{sum(progress.values())} runs", end="", file=sys.stderr, flush=True)
        else:
            counts += message[1]
            commands += message[2]
            running -= 1
    for worker in workers:
        worker.join()
    seconds = time.monotonic() - start
    total = sum(counts.values())
    print(f"\n{'kind':<12}{'runs':>9}{'findings':>10}")
    for kind in arguments.kinds:
        print(f"{kind:<12}{counts[kind]:>9}{by_kind[kind]:>10}")
    print(f"{'total':<12}{total:>9}{sum(by_kind.values()):>10}   {commands} processes, {seconds:.0f} s, "
          f"{total / max(seconds, 0.001):.0f} runs/s")
    for signature, count in found.most_common():
        print(f"{count:>8}  {signature}\n          {places[signature]}")
    if any(worker.exitcode for worker in workers):
        print("a worker process of the fuzzer failed", file=sys.stderr)
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
