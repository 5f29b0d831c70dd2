"""Worker for CTranslate2 in float32: ctranslate2_worker.py MODEL CONVERTED THREADS

Converts the model folder to CONVERTED unless that exists.
"""
import json
import os
import sys

import ctranslate2

from worker import STEP_PROMPT, pass_ids, serve, timed

folder, converted, threads = sys.argv[1:]
if not os.path.exists(converted):
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
    ctranslate2.converters.TransformersConverter(folder).convert(converted + ".new", force=True)
    os.replace(converted + ".new", converted)
generator = ctranslate2.Generator(
    converted, "cpu", compute_type="float32", inter_threads=1, intra_threads=int(threads))
with open(f"{folder}/vocab.json", encoding="utf-8") as file:
    token_of = {id: token for token, id in json.load(file).items()}


def generate(ids, count):
    """Returns greedy tokens. CTranslate2 computes all tokens of the prompt but the last in one batch without logits; the
    last token is the first step."""
    results = generator.generate_batch(
        [[token_of[id] for id in ids]], beam_size=1, sampling_topk=1, min_length=count, max_length=count,
        include_prompt_in_result=False)
    return results[0].sequences_ids[0]


def one_pass(count, wanted, times):
    ids = pass_ids(count)
    if wanted == "all":
        # The logits are not copied out of CTranslate2, so there is no answer to compare.
        seconds, _ = timed(times, lambda: generator.forward_batch([ids]))
        return {"seconds": seconds}
    # forward_batch computes the logits of every position, which is more than requested. Generating one token computes
    # those of one position: a batch of all positions but the last, then one step. That is CTranslate2's fastest way.
    seconds, tokens = timed(times, lambda: generate(ids, 1))
    return {"seconds": seconds, "answer": tokens}


def steps(count, times):
    seconds, tokens = timed(times, lambda: generate(STEP_PROMPT, int(count)))
    return {"seconds": seconds, "answer": tokens}


serve({"pass": one_pass, "steps": steps}, ctranslate2=ctranslate2.__version__)
