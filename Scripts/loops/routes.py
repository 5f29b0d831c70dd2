#!/usr/bin/env python3
"""Checks that lm-step prints the same text on every route: routes.py [TOKENS [SEEDS]] (see README.md here)"""
import os
import sys
import tempfile

from loop import BEGINNINGS, encode, remove, step

SETTINGS = {
    "greedy": [],
    "temperature": ["--temperature", "0.9"],
    "filters": ["--temperature", "1.1", "--top-k", "50", "--top-p", "0.9", "--min-p", "0.02",
                "--repetition-penalty", "1.1"],
}


def calls(state, lengths, *options):
    for length in lengths:
        state = step(state, "-n", str(length), *options)
    return state


def routes(begin, tokens, options, cache):
    """Yields name and result of each route that is compared with one call with all threads."""
    ones = [1] * tokens
    sevens = [7] * (tokens // 7) + [tokens % 7] * (tokens % 7 > 0)
    yield "one call, one thread", calls(begin, [tokens], "--threads", "1", *options)
    yield "one call, two threads", calls(begin, [tokens], "--threads", "2", *options)
    yield "one call, without speculation", calls(begin, [tokens], "--no-speculation", *options)
    yield "one call, the model as its draft model", calls(begin, [tokens], "--draft", "wren", *options)
    yield "a call for each token", calls(begin, ones, *options)
    yield "a call for each token, with a cache", calls(begin, ones, "--cache", cache, *options)
    remove(cache)
    yield "calls of seven tokens, with a cache", calls(begin, sevens, "--cache", cache, *options)
    remove(cache)


def main():
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    count, different = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, seeds + 1):
            begin = encode(BEGINNINGS[seed % len(BEGINNINGS)])
            for setting, options in SETTINGS.items():
                options = options + (["--seed", str(seed)] if options else [])
                whole = step(begin, "-n", str(tokens), *options)
                for route, result in routes(begin, tokens, options, os.path.join(folder, "cache")):
                    count += 1
                    if result != whole:
                        different += 1
                        print(f"{setting}, seed {seed}: {route}: the text differs from that of one call")
    print(f"{count} routes of {tokens} tokens, {different or 'no'} difference{'s' * (different > 1)}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
