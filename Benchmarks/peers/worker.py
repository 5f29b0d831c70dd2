"""Common code of the workers: a request is a line of words, an answer is a line of JSON."""
import json
import os
import sys
import time


def serve(requests, **about):
    """Prints `about`, then answers requests until standard input ends. `requests` maps the first word of a request to a
    function of the other words. Output of libraries goes to standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)
        print(json.dumps(about), file=answers)
        for line in sys.stdin:
            name, *words = line.split()
            print(json.dumps(requests[name](*words)), file=answers)


def timed(times, work):
    """Returns the duration of each repetition and the result of the last."""
    seconds = []
    for _ in range(int(times)):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def pass_ids(count):
    """Returns the ids that every program gets for a prefill of `count` tokens."""
    return [(7 * position + 11) % 40_000 for position in range(int(count))]


STEP_PROMPT = list(range(100, 108))  # as in WORK/prompt.jsonl
