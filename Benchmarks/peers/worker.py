"""What every peer's worker has in common: requests in, a line of words each; answers out, a line of JSON each."""
import json
import os
import sys
import time


def serve(requests, **about):
    """Answers requests until there are none; `about` is said first. `requests` maps a first word to a function of the
    others. What libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)
        print(json.dumps(about), file=answers)
        for line in sys.stdin:
            name, *words = line.split()
            print(json.dumps(requests[name](*words)), file=answers)


def timed(times, work):
    """How long each time took, and what the last one gave."""
    seconds = []
    for _ in range(int(times)):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def pass_ids(count):
    """The ids that every program is given for a pass of so many positions."""
    return [(7 * position + 11) % 40_000 for position in range(int(count))]


STEP_PROMPT = list(range(100, 108))  # as in WORK/prompt.jsonl
