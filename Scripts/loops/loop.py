"""Common code of both programs: runs lm-step as a process."""
import os
import subprocess

BEGINNINGS = ["Once upon a time", "The old man said", "My mother", "It was a fine evening, and they", "The sun",
              "She opened the door", "\u6771\u4eac and", "A dog", "When the king", "I"]


def encode(text):
    return subprocess.run(["bpe-encode"], input=text.encode() + b"\n", stdout=subprocess.PIPE, check=True).stdout


def step_command(*options):
    # Without --ignore-eos a text could end early; all must have the same length.
    return ["lm-step", "--ignore-eos", *options]


def step(state, *options):
    """Returns the record that lm-step prints for `state`."""
    return subprocess.run(step_command(*options), input=state, stdout=subprocess.PIPE, check=True).stdout


def remove(path):
    if os.path.exists(path):
        os.remove(path)
