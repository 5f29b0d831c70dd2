"""The notebook's pipeline with transformers, as one process: transformers_once.py MODEL TEXT"""
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, text = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
with torch.no_grad():
    logits = model(**tokenizer(text, return_tensors="pt")).logits[0, -1]
    print(torch.softmax(logits, dim=-1).topk(5).indices.tolist())
