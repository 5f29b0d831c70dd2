"""What both programs need: lm-step as a process, one state after the other."""
import os
import subprocess

BEGINNINGS = ["Once upon a time", "The old man said", "My mother", "It was a fine evening, and they", "The sun",
              "She opened the door", "\u6771\u4eac and", "A dog", "When the king", "I"]


def encode(text):
    return subprocess.run(["bpe-encode"], input=text.encode() + b"\n", stdout=subprocess.PIPE, check=True).stdout


def step_command(*options):
    # A story may end early; these go on, so that all have the same length.
    return ["lm-step", "--ignore-eos", *options]


def step(state, *options):
    """The record behind `state`, by a process of its own."""
    return subprocess.run(step_command(*options), input=state, stdout=subprocess.PIPE, check=True).stdout


def remove(path):
    if os.path.exists(path):
        os.remove(path)
