#!/usr/bin/env python3
"""Trains the model for a number of minutes. An interrupted run continues from the last checkpoint.

usage: train.py WORK_DIR MINUTES     reads train.jsonl, heldout.jsonl, tokenizer.json
                                     writes checkpoint.pt, and a line of training.jsonl at each checkpoint

The budget is time, so the learning rates depend on the fraction of the time: warm-up, then cosine decay.
"""
import json
import math
import os
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from evaluate import bits_per_byte
from muon import Muon
from recipe import (BATCH, BETAS, CLIP, CONTEXT, DEVICE, FLOOR, MATRIX_RATE, PEAK_RATE, SEED, WARM_UP, WEIGHT_DECAY,
                    config, documents, stream)

CHECKPOINT_EVERY = 180  # seconds of training
GLANCE = 6              # at a checkpoint, every sixth held-out document is scored


def batch(ids: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the windows of a step. They depend only on the step, so that a resumed run sees the same windows.

    Each epoch cuts the stream at other positions and shuffles the windows differently.
    """
    steps_an_epoch = (len(ids) - CONTEXT - 1) // CONTEXT // BATCH
    epoch, step = divmod(step, steps_an_epoch)
    chance = torch.Generator().manual_seed(SEED + epoch)
    shift = torch.randint(CONTEXT, (), generator=chance)
    order = torch.randperm(steps_an_epoch * BATCH, generator=chance)
    starts = order[step * BATCH : (step + 1) * BATCH] * CONTEXT + shift
    windows = torch.stack([ids[start : start + CONTEXT + 1] for start in starts]).to(DEVICE)
    return windows[:, :-1], windows[:, 1:]


def rate(part: float) -> float:
    """Returns the learning rate as a fraction of its peak, after a fraction of the training."""
    if part < WARM_UP:
        return max(part, 1e-3) / WARM_UP
    cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, (part - WARM_UP) / (1 - WARM_UP)))
    return FLOOR + (1 - FLOOR) * cosine


def optimizers_for(model: GPT2LMHeadModel) -> list[tuple[torch.optim.Optimizer, float]]:
    """Returns the optimizers with their peak rates. Weight decay applies to matrices and embeddings only."""
    matrices = [p for p in model.transformer.h.parameters() if p.dim() > 1]
    embeddings = [p for p in model.transformer.parameters() if p.dim() > 1 and all(p is not m for m in matrices)]
    others = [p for p in model.parameters() if p.dim() <= 1]
    return [(Muon(matrices, lr=MATRIX_RATE, weight_decay=WEIGHT_DECAY), MATRIX_RATE),
            (torch.optim.AdamW([{"params": embeddings, "weight_decay": WEIGHT_DECAY},
                                {"params": others, "weight_decay": 0.0}], lr=PEAK_RATE, betas=BETAS, fused=True),
             PEAK_RATE)]


def main() -> None:
    work, budget = Path(sys.argv[1]), float(sys.argv[2]) * 60
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    ids = stream(tokenizer, documents(work / "train.jsonl"))
    heldout = documents(work / "heldout.jsonl")[::GLANCE]
    torch.manual_seed(SEED)
    model = GPT2LMHeadModel(config(tokenizer)).to(DEVICE)
    optimizers = optimizers_for(model)
    step, spent = 0, 0.0
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=DEVICE)
        model.load_state_dict(saved["model"])
        for (optimizer, _), state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
        step, spent = saved["step"], saved["spent"]
        print(f"continuing from step {step}, minute {spent / 60:.1f}", flush=True)

    @torch.compile
    def loss_of(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        # On CPUs bfloat16 is not faster than float32; on GPUs it is.
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            logits = model(inputs, use_cache=False).logits
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    def save(loss: float) -> None:
        # Written to a temporary name and renamed, so that the checkpoint is always complete.
        torch.save({"model": model.state_dict(), "optimizers": [each.state_dict() for each, _ in optimizers],
                    "step": step, "spent": spent}, checkpoint.with_suffix(".new"))
        os.replace(checkpoint.with_suffix(".new"), checkpoint)
        scores = bits_per_byte(model, tokenizer, heldout)
        line = {"step": step, "tokens": step * BATCH * CONTEXT, "minutes": round(spent / 60, 2),
                "train_nats_per_token": round(loss, 4),
                "heldout_bits_per_byte": {kind: round(score, 4) for kind, score in scores.items()}}
        with (work / "training.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(ids):,} training tokens", flush=True)
    if spent < budget:
        loss_of(*batch(ids, 0)).backward()  # compiling takes about a minute, which does not count
        model.zero_grad()
    last_save, mean = spent, None
    while spent < budget:
        started = time.monotonic()
        loss = loss_of(*batch(ids, step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        for optimizer, peak in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = peak * rate(spent / budget)
            optimizer.step()
        model.zero_grad()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1
        spent += time.monotonic() - started
        if spent - last_save >= CHECKPOINT_EVERY or spent >= budget:
            save(mean)
            last_save = spent


if __name__ == "__main__":
    main()
