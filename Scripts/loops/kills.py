#!/usr/bin/env python3
"""Kills the processes of a loop with a cache at random times: kills.py [KILLS] (see README.md here)

Each process gets its input at once and is killed after a random time, mostly before it ends. The next call must print what a
loop without a cache prints, whatever the killed process left in the file. Now and then the file is truncated as well.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

from loop import BEGINNINGS, encode, remove, step, step_command

LENGTH = 150  # tokens of a loop: more than two pages of a cache


def states_without_cache(begin):
    states = [begin]
    for _ in range(LENGTH):
        states.append(step(states[-1]))
    return states


def duration(state, cache):
    start = time.monotonic()
    step(state, "--cache", cache)
    return time.monotonic() - start


def kill_after(seconds, state, cache):
    """Starts a call and kills it. Returns whether it was still running."""
    process = subprocess.Popen(step_command("--cache", cache), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        process.stdin.write(state)
        process.stdin.close()
    except BrokenPipeError:
        pass
    time.sleep(seconds)
    was_running = process.poll() is None
    process.kill()
    process.wait()
    return was_running


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    generator = random.Random(20261125)
    killed = checked = 0
    with tempfile.TemporaryDirectory() as folder:
        cache = os.path.join(folder, "cache")
        while killed < wanted:
            states = states_without_cache(encode(generator.choice(BEGINNINGS)))
            remove(cache)
            duration_of_step = min(duration(states[length], cache) for length in (0, LENGTH, LENGTH))
            for length in range(LENGTH):
                # Anywhere in the sequence, so that the killed process computes one position or a hundred.
                place = length if generator.random() < 0.8 else generator.randrange(LENGTH)
                killed += kill_after(generator.uniform(0, 1.2 * duration_of_step), states[place], cache)
                if generator.random() < 0.05:
                    with open(cache, "r+b") as file:  # as after a system crash that lost a part of the file
                        file.truncate(generator.randrange(os.path.getsize(cache) + 1))
                if step(states[length], "--quiet", "--cache", cache) != states[length + 1]:
                    sys.exit(f"after {killed} kills, the call at {length} tokens is wrong")
                checked += 1
                if killed >= wanted:
                    break
    print(f"{killed} processes killed, {checked} subsequent calls correct")


if __name__ == "__main__":
    main()
