"""Worker for llama.cpp: llama_worker.py MODEL.gguf THREADS"""
import sys

from llama import Model, about
from worker import STEP_PROMPT, pass_ids, serve, timed

path, threads = sys.argv[1:]
model = Model(path, int(threads), 1024)


def one_pass(count, wanted, times):
    ids = pass_ids(count)

    def work():
        model.forget()
        return model.decode(ids, every_position=wanted == "all")

    seconds, logits = timed(times, work)
    return {"seconds": seconds, "answer": [int(logits.argmax())]}


def steps(count, times):
    def work():
        model.forget()
        tokens, new = [], STEP_PROMPT
        for _ in range(int(count)):
            new = [int(model.decode(new).argmax())]
            tokens += new
        return tokens

    seconds, tokens = timed(times, work)
    return {"seconds": seconds, "answer": tokens}


serve({"pass": one_pass, "steps": steps}, **about)
