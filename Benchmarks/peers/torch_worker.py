"""Worker for transformers on torch in float32: torch_worker.py MODEL THREADS"""
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
import transformers

from worker import STEP_PROMPT, pass_ids, serve, timed

folder, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
torch.set_num_interop_threads(1)
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@torch.inference_mode()
def forward(ids, everything):
    return model(ids, use_cache=False, logits_to_keep=0 if everything else 1).logits


def one_pass(count, wanted, times):
    ids = torch.tensor([pass_ids(count)])
    seconds, logits = timed(times, lambda: forward(ids, wanted == "all"))
    return {"seconds": seconds, "answer": [logits[0, -1].argmax().item()]}


@torch.inference_mode()
def greedy(count):
    ids, past, tokens = torch.tensor([STEP_PROMPT]), None, []
    for _ in range(count):
        output = model(ids, past_key_values=past, use_cache=True, logits_to_keep=1)
        past = output.past_key_values
        ids = output.logits[:, -1].argmax(dim=-1, keepdim=True)
        tokens.append(ids.item())
    return tokens


def steps(count, times):
    seconds, tokens = timed(times, lambda: greedy(int(count)))
    return {"seconds": seconds, "answer": tokens}


serve({"pass": one_pass, "steps": steps}, torch=torch.__version__, transformers=transformers.__version__)
