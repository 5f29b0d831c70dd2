#!/usr/bin/env python3
"""Writes the model card from what the other programs measured.

usage: card.py WORK_DIR MODEL_DIR     writes MODEL_DIR/README.md
"""
import json
import os
import sys
from pathlib import Path

from safetensors import safe_open
from tokenizers import Tokenizer

import recipe

TEXTS = {
    "austen": ("Jane Austen's six novels", "r-cran-janeaustenr", "public domain"),
    "melville": ("Herman Melville, *Moby-Dick*", "r-cran-tokenizers", "public domain"),
    "bible": ("the story-telling books of the World English Bible", "sword-text-web", "public domain"),
    "wordnet": ("example sentences of WordNet 3.0", "wordnet-base", "WordNet licence (permissive)"),
}

CARD = """---
license: apache-2.0
language: en
pipeline_tag: text-generation
tags: [gpt2]
---
# wren

A small first language model that comes with lmpipe, so that the tools run a trained model without a download. It is
a GPT-2 in shape, has {parameters:,} parameters, and was trained for {minutes:.0f} minutes on {cores} processor cores.
It writes lines that sound like old novels and soon lose their thread.

| | |
| --- | --- |
| architecture | GPT-2, tied embeddings |
| layers, heads, width | {layers}, {heads}, {width} |
| context | {context} tokens |
| vocabulary | {vocabulary:,} tokens, byte-level BPE of its own; `<|endoftext|>` is {end} |
| weights | bfloat16, {bytes:,} bytes |

## Texts

All are in English and come from Debian packages. One document in twenty-five was held out; a document is a chapter
of a book, or fifty example sentences. The held-out chapters come from the same books as the others.

| kind | text | package | licence | to learn from | held out |
| --- | --- | --- | --- | ---: | ---: |
{texts}

Lines were joined to paragraphs, quotation marks made straight, headings, notes and verse numbers left out.

## Training

AdamW (betas {betas}, weight decay {decay} on the matrices), batches of {batch} windows of {context} tokens, learning
rate up to {rate} over the first {warm:.0%} and down along a cosine to {floor:.0%} of it, gradients clipped at {clip},
no dropout, float32, seed {seed}. {steps:,} steps, {tokens:,} tokens, {epochs:.1f} times through the texts. The
budget is time, so another machine takes another number of steps: the recipe can be repeated, the bits can't.

| minutes | tokens | training, nats per token | held out, bits per byte |
| ---: | ---: | ---: | ---: |
{curve}

## Bits per byte on held-out text

| kind | bits per byte |
| --- | ---: |
{scores}

Of the weights as they are here, in bfloat16; each token was seen with at least half a context before it where the
document has one.

## Samples

A dozen beginnings, each continued once by 60 tokens at temperature 0.8, as they came.

{samples}

## What it can't do

Nearly everything. It knows no facts, follows no instructions, can't count, and has hardly seen the English of today:
expect carriages, whales and kings. It keeps to a subject for a sentence at best. What it says about people is what
its old books say about them. It is here to show how the tools work, and a larger one is meant to follow.

## Licence

The weights are under the Apache License 2.0, as lmpipe is. WordNet 3.0 Copyright 2006 by Princeton University.
"""


def main() -> None:
    work, folder = Path(sys.argv[1]), Path(sys.argv[2])
    size: dict[tuple[str, str], int] = {}
    for side in ("train", "heldout"):
        for text in recipe.documents(work / f"{side}.jsonl"):
            key = (text["kind"], side)
            size[key] = size.get(key, 0) + len(text["text"].encode())
    versions = dict(line.split("\t") for line in (work / "fetched.tsv").read_text().splitlines())
    texts = [f"| {kind} | {title} | {package} {versions[package]} | {licence} "
             f"| {size.get((kind, 'train'), 0):,} bytes | {size.get((kind, 'heldout'), 0):,} bytes |"
             for kind, (title, package, licence) in TEXTS.items()]
    curve = [json.loads(line) for line in (work / "training.jsonl").open()]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with safe_open(folder / "model.safetensors", "numpy") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys()]
    parameters = sum(shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in shapes)
    scores = json.loads((work / "scores.json").read_text())
    samples = json.loads((work / "samples.json").read_text())
    last = curve[-1]
    corpus = len(recipe.stream(tokenizer, recipe.documents(work / "train.jsonl")))
    (folder / "README.md").write_text(CARD.format(
        parameters=parameters, cores=os.cpu_count(), minutes=last["minutes"],
        layers=recipe.LAYERS, heads=recipe.HEADS, width=recipe.WIDTH,
        context=recipe.CONTEXT, vocabulary=tokenizer.get_vocab_size(), end=tokenizer.token_to_id(recipe.END),
        bytes=(folder / "model.safetensors").stat().st_size, texts="\n".join(texts), betas=recipe.BETAS,
        decay=recipe.WEIGHT_DECAY, batch=recipe.BATCH, rate=recipe.PEAK_RATE, warm=recipe.WARM_UP,
        floor=recipe.FLOOR, clip=recipe.CLIP, seed=recipe.SEED, steps=last["step"], tokens=last["tokens"],
        epochs=last["tokens"] / corpus,
        curve="\n".join(f"| {at['minutes']:.1f} | {at['tokens']:,} | {at['train_nats_per_token']:.3f} "
                        f"| {at['heldout_bits_per_byte']['all']:.3f} |" for at in curve),
        scores="\n".join(f"| {kind} | {score:.3f} |" for kind, score in scores.items()),
        samples="\n\n".join("> " + sample.replace("\n", "  \n> ") for sample in samples)))


if __name__ == "__main__":
    main()
