"""Compares lm-score with minicons and transformers: scores.py PROGRAMS MODEL [--count N] TEXT_FILE…

PROGRAMS is the folder of the built programs, MODEL a folder or a GGUF file. The sentences of the text files are scored by
`bpe-encode --bos | lm-score`, and by minicons (`pip install minicons pillow`; use its Python), with and without its
bow_correction. The exit status is 1 if

- a word score differs by more than 1e-3 bits from the sum of minicons' token scores over the tokens of the word, or from
  `word_score_tokenized`, for sentences in which minicons finds the tokens of each word (it encodes words one by one, so
  several spaces, for example, shift its words);
- a rank differs from transformers' although no other logit is within 1e-4, or an entropy by more than 1e-4 bits (GGUF: 1e-3,
  because of the rounding errors of transformers in float32);
- the score of the whole text in windows differs by more than 1e-4 nats per token from transformers' sliding-window recipe
  (https://huggingface.co/docs/transformers/perplexity).
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from minicons import scorer
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)
LN2 = float(torch.tensor(2.0).log())


def sentences(paths, count):
    """Sentences of 3 to 40 words in random order, a tenth of them with changes that are rare in the files."""
    text = " ".join(open(path, encoding="utf-8", errors="ignore").read() for path in paths)
    text = re.sub(r"[^\x20-\x7E\u00A1-\uFFFF]+", " ", text)
    found = [s.strip() for s in re.split(r"(?<=[.!?][\"' ])", text)]
    found = sorted({s for s in found if 3 <= len(s.split()) <= 40 and len(s) < 300})
    generator = random.Random(1)
    generator.shuffle(found)
    changes = [
        lambda s: s.replace(" ", "  ", 1), lambda s: "“" + s + "”", lambda s: s.replace("e", "é"), lambda s: s + " 1,234.5",
        lambda s: s.replace(" ", "-", 1), lambda s: " " + s, lambda s: s + " ", lambda s: s.replace(" ", "\t", 1),
        lambda s: s.replace(" ", " ", 1), lambda s: s + " 日本 😀"]
    return [generator.choice(changes)(s) if generator.random() < .1 else s for s in found[:count]]


class Remembering(torch.nn.Module):
    """A model that returns the output of the last call if it has the same input, so that minicons computes it once."""

    def __init__(self, model):
        super().__init__()
        self.model, self.last = model, None

    def forward(self, input_ids, attention_mask):
        if self.last is None or not torch.equal(self.last[0], input_ids):
            with torch.inference_mode():
                self.last = input_ids, self.model(input_ids=input_ids, attention_mask=attention_mask)
        return self.last[1]


class Comparison:
    def __init__(self, arguments):
        path = arguments.model
        is_file = path.endswith(".gguf")
        folder, source = (os.path.dirname(path), {"gguf_file": os.path.basename(path)}) if is_file else (path, {})
        self.model = AutoModelForCausalLM.from_pretrained(
            folder, **source, dtype=torch.float32, attn_implementation="eager").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder, **source)
        self.scorer = scorer.IncrementalLMScorer(Remembering(self.model), "cpu", tokenizer=self.tokenizer)
        self.tolerance = 1e-3 if is_file else 1e-4
        self.path, self.programs = path, arguments.programs
        self.worst = {"surprisal": 0, "corrected": 0, "minicons": 0, "minicons corrected": 0, "entropy": 0}
        self.other_ids = []
        self.bad, self.misaligned, self.words, self.near_ranks = 0, [], 0, 0

    def ours(self, texts, *options):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        command = f'"$0/bpe-encode" -m "$1" -j --bos | "$0/lm-score" -m "$1" {" ".join(options)}'
        result = subprocess.run(
            ["sh", "-c", command, self.programs, self.path], input=lines, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def note(self, name, difference, limit, what):
        self.worst[name] = max(self.worst[name], difference)
        if not difference <= limit:
            self.bad += 1
            if self.bad < 20:
                print(f"{name}: {difference:.2e}: {what}")

    def compare(self, texts, records):
        encoded = self.scorer.prepare_text(texts, bos_token=True)
        scores = {correction: self.scorer.compute_stats(encoded, bow_correction=correction, base_two=True)
                  for correction in (False, True)}
        words = {correction: self.scorer.word_score_tokenized(
            texts, str.split, bow_correction=correction, bos_token=True, surprisal=True, base_two=True)
            for correction in (False, True)}
        logits = self.scorer.model(**encoded[0]).logits
        for index, (text, record) in enumerate(zip(texts, records, strict=True)):
            ids = record["ids"]
            if ids != encoded[0]["input_ids"][index][encoded[0]["attention_mask"][index] == 1].tolist():
                self.other_ids.append(text)  # transformers does not read all settings of a GGUF file's tokenizer
                continue
            # minicons counts the tokens of each word, encoded by itself.
            pieces = [(" " if place else "") + word for place, word in enumerate(text.split())]
            alone = [id for piece in pieces for id in self.tokenizer(piece, add_special_tokens=False)["input_ids"]]
            is_aligned = alone == ids[1:]
            if not is_aligned:
                self.misaligned.append(text)
            assert [word["word"] for word in record["word_scores"]] == text.split(), text
            for place, word in enumerate(record["word_scores"]):
                self.words += 1
                begin, end = word["tokens"]
                for name, correction, member in (
                        ("surprisal", False, "surprisal"), ("corrected", True, "corrected_surprisal")):
                    tokens = -sum(scores[correction][index][begin - 1:end - 1])
                    self.note(name, abs(tokens - word[member]), 1e-3, (text, word))
                    if is_aligned:
                        theirs = words[correction][index][place]
                        name = "minicons corrected" if correction else "minicons"
                        self.note(name, abs(theirs[1] - word[member]), 1e-3, (text, word, theirs))
            rows = logits[index, :len(ids) - 1]
            own = rows.gather(1, torch.tensor(ids[1:])[:, None])
            # The sum over the vocabulary in float64: in float32 its rounding errors are greater than the tolerance.
            logprobs = rows.double().log_softmax(-1)
            entropies = -(logprobs.exp() * logprobs).sum(-1) / LN2
            for place, entropy in enumerate(record["entropies"][1:]):
                self.note("entropy", abs(entropy - entropies[place].item()), self.tolerance, (text, place))
            for place, rank in enumerate(record["ranks"][1:]):
                least, most = ((rows[place] > own[place] + d).sum().item() + 1 for d in (self.tolerance, -self.tolerance))
                self.near_ranks += rank != (rows[place] > own[place]).sum().item() + 1
                if not least <= rank <= most:
                    self.note("entropy", float("inf"), 0, (text, place, rank, least, most))

    def compare_windows(self, text, window, stride):
        [record] = self.ours([text], "--window", str(window), "--stride", str(stride))
        ids = torch.tensor([record["ids"]])
        previous, sum, count = 0, 0, 0
        for begin in range(0, ids.shape[1], stride):
            end = min(begin + window, ids.shape[1])
            labels = ids[:, begin:end].clone()
            labels[:, :previous - end] = -100
            with torch.inference_mode():
                loss = self.model(ids[:, begin:end], labels=labels).loss.item()
            scored = (labels[:, 1:] != -100).sum().item()
            sum, count, previous = sum + loss * scored, count + scored, end
            if end == ids.shape[1]:
                break
        score = record["text_score"]
        difference = abs(-score["logprob"] / count - sum / count)
        print(f"windows of {window}, stride {stride}: {count} tokens, {difference:.1e} nats per token")
        self.bad += score["tokens"] != count or difference > 1e-4


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("model")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--count", type=int, default=10_000)
    arguments = parser.parse_args()
    comparison = Comparison(arguments)
    texts = sentences(arguments.files, arguments.count)
    records = comparison.ours(texts)
    order = sorted(range(len(texts)), key=lambda index: len(records[index]["ids"]))
    for begin in range(0, len(order), 16):
        batch = order[begin:begin + 16]
        comparison.compare([texts[index] for index in batch], [records[index] for index in batch])
    context = comparison.model.config.max_position_embeddings
    window = min(512, context)
    long = " ".join(texts[:200])
    comparison.compare_windows(long, window, window // 2)
    comparison.compare_windows(long, window, window * 3 // 4)
    comparison.compare_windows(long, 64, 13)
    name = arguments.model.rstrip("/").rsplit("/", 1)[-1]
    print(f"{name}: {len(texts)} sentences, {comparison.words} words, {len(comparison.misaligned)} sentences whose words "
          f"minicons shifts, {len(comparison.other_ids)} that transformers encodes differently, {comparison.near_ranks} ranks differ at equal logits, {comparison.bad} bad; greatest "
          "differences: " + ", ".join(f"{name} {worst:.1e}" for name, worst in comparison.worst.items()))
    for text in comparison.misaligned[:5]:
        print(f"shifted: {text!r}")
    sys.exit(comparison.bad > 0)


main()
