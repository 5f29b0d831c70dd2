#!/usr/bin/env python3
"""Kills stages of sealed pipelines at random times: kills.py [--kills N] [--tools DIR]

With LM_SEALED=1 each tool ends its records with {"end":N}, and fails if the end record of its input is missing. The status of
the last stage must be 0 only if the output is complete, whatever stage was killed.
"""
import argparse
import collections
import os
import random
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "../fuzz/whole"))
import models
from case import write_files

RECORDS = 400
MODEL = ["-m", "model"]
PIPELINES = [
    [["bpe-encode", *MODEL, "text"], ["lm-logits", *MODEL, "--base64"], ["lm-topk", *MODEL]],
    [["bpe-encode", *MODEL, "text"], ["lm-step", *MODEL, "-n", "4"], ["bpe-decode", *MODEL]],
    [["bpe-encode", *MODEL, "text"], ["lm-step", *MODEL], ["lm-step", *MODEL], ["bpe-decode", *MODEL, "-j"]],
    [["bpe-encode", *MODEL, "text"], ["lm-logits", *MODEL], ["lm-step", *MODEL]],
    [["bpe-encode", *MODEL, "text"], ["lm-step", *MODEL, "-n", "4", "--each"], ["bpe-decode", *MODEL, "--follow"]],
]


def run(stages, tools, folder, victim=None, after=0.0):
    """Runs the stages and kills stage `victim` after some seconds. Returns the statuses, the last output and the duration."""
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HF_HUB_CACHE": "/nonexistent", "LM_SEALED": "1"}
    processes, given = [], None
    start = time.monotonic()
    with open(os.path.join(folder, "out"), "wb") as out, open(os.path.join(folder, "errors"), "wb") as errors:
        for number, stage in enumerate(stages):
            is_last = number == len(stages) - 1
            process = subprocess.Popen([os.path.join(tools, stage[0]), *stage[1:]], stdin=given or subprocess.DEVNULL,
                                       stdout=out if is_last else subprocess.PIPE, stderr=errors, cwd=folder, env=environment)
            if given:
                given.close()
            given = process.stdout
            processes.append(process)
        if victim is not None:
            time.sleep(max(0.0, start + after - time.monotonic()))
            processes[victim].kill()
        statuses = [process.wait() for process in processes]
    with open(os.path.join(folder, "out"), "rb") as out:
        return statuses, out.read(), time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tools", default=os.path.join(CHECKOUT, ".build/release"))
    arguments = parser.parse_args()
    tools = os.path.abspath(arguments.tools)
    rng = random.Random(arguments.seed)
    killed, wrong = 0, 0
    last = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        lines = (f"the {rng.choice(('one', 'road', 'x'))} and {number}\n" for number in range(RECORDS))
        write_files(folder, models.LLAMA | {"text": "".join(lines).encode()})
        expected = []
        for stages in PIPELINES:
            statuses, output, seconds = run(stages, tools, folder)
            if any(statuses):
                sys.exit(f"{stages}: statuses {statuses} without a kill")
            if stages[-1][0] != "bpe-decode" and not output.endswith(b'{"end":%d}\n' % RECORDS):
                sys.exit(f"{stages}: the output does not end with the number of records: {output[-60:]}")
            expected.append((output, seconds))
        while killed < arguments.kills:
            number = rng.randrange(len(PIPELINES))
            stages, (output, seconds) = PIPELINES[number], expected[number]
            victim = rng.randrange(len(stages)) if rng.random() < 0.2 else rng.randrange(len(stages) - 1)
            statuses, found, _ = run(stages, tools, folder, victim, rng.uniform(0, seconds))
            killed += statuses[victim] < 0
            last[statuses[-1]] += 1
            if statuses[-1] == 0 and found != output:
                wrong += 1
                print(f"{' | '.join(stage[0] for stage in stages)}: stage {victim + 1} killed, statuses {statuses}, and "
                      f"{found.count(10)} of {output.count(10)} lines", flush=True)
    print(f"{killed} stages killed; status 0 with incomplete output: {wrong} times")
    print("statuses of the last stage: " + ", ".join(f"{status}: {count} times" for status, count in sorted(last.items())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
