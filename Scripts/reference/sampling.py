"""Applies transformers' logits processors to some logits: sampling.py > Tests/SamplingTests/Fixtures/choices.json

For each setting: the remaining tokens and their probabilities after the processors, in the order in which `generate` applies
them. Numbers are float32, as in transformers.
"""
import json
import os

os.environ.update(TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import (LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
                          TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

VOCABULARY = 300
PROCESSORS = {"repetition_penalty": RepetitionPenaltyLogitsProcessor, "temperature": TemperatureLogitsWarper,
              "top_k": TopKLogitsWarper, "top_p": TopPLogitsWarper, "min_p": MinPLogitsWarper}
SETTINGS = [{}, {"temperature": 0.7}, {"temperature": 1.5}, {"top_k": 1}, {"top_k": 40}, {"top_k": 1000},
            {"top_p": 0.9}, {"top_p": 0.05}, {"top_p": 0.999}, {"min_p": 0.05}, {"min_p": 1.0},
            {"repetition_penalty": 1.3}, {"repetition_penalty": 0.8, "top_k": 25},
            {"temperature": 0.8, "top_k": 50, "top_p": 0.95},
            {"temperature": 1.2, "top_p": 0.8, "min_p": 0.02},
            {"repetition_penalty": 1.2, "temperature": 0.9, "top_k": 100, "top_p": 0.9, "min_p": 0.05}]

torch.manual_seed(3)
logits = torch.randn(VOCABULARY) * 2.5 - 3
logits[200:204] = logits[logits.argsort(descending=True)[39]]  # ties at the 40th place
ids = [5, 17, 17, 250, 3] + logits.argsort(descending=True)[:4].tolist()
cases = []
for setting in SETTINGS:
    processors = LogitsProcessorList(PROCESSORS[name](value) for name, value in sorted(
        setting.items(), key=lambda item: list(PROCESSORS).index(item[0])))
    scores = processors(torch.tensor([ids]), logits[None].clone())[0]
    kept = (scores > -torch.inf).nonzero()[:, 0].tolist()
    cases.append({**setting, "kept": kept, "probabilities": scores.softmax(-1)[kept].tolist()})
print(json.dumps({"logits": logits.tolist(), "ids": ids, "cases": cases}))
