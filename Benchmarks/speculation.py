#!/usr/bin/env python3
"""Measures lm-step with and without speculation for 20 prompts of four kinds, and compares the bytes of the output.

    Benchmarks/speculation.py [--model MODEL] [--draft DRAFT] [--tokens N] [--rounds N] [--threads N] [--cpu] [--kind KIND]

MODEL is an instruction-tuned model with ChatML markup, such as SmolLM2-135M-Instruct. Rounds alternate; the time of a run
is its minimum over the rounds, less the time of a run without tokens. --cpu measures processor time of one thread, for a
machine with other load. The table has the ratio of the time without speculation to that with it. The exit status is 1
if two outputs differ.
"""
import argparse
import math
import os
import pathlib
import resource
import subprocess
import sys
import time

tools = pathlib.Path(__file__).resolve().parent.parent / ".build/release"
settings = {"greedy": [], "temperature 0.7": ["--temperature", "0.7", "--seed", "7"]}

passages = [
    "The harbour of Lindholm lies on the northern shore of the island, where two rivers meet the sea. In the spring of 1843 "
    "the council ordered a new pier of granite, ninety metres long and six metres wide. The stone came from the quarry at "
    "Vester, forty kilometres inland, and was carried on barges that could float only at high water. The work took seven "
    "years, and eleven men lost their lives in the storm of October 1847. When the pier was opened, the old wooden jetty "
    "was left standing for the fishermen, who said that the granite was too cold for their nets.",
    "Annual report of the seed bank, section four. In the past year the collection grew from 12,418 to 13,077 samples. Of "
    "these, 214 samples were germination tests of seeds that had been stored for more than thirty years. The average rate of "
    "germination was 71 percent for cereals, 64 percent for legumes and 38 percent for wild grasses. Two freezers failed in "
    "August; no samples were lost, because duplicates are stored in the second building. The board decided to buy a third "
    "generator, to hire one more technician, and to repeat the tests of all wild grasses in the coming year.",
    "Dear Ms. Okafor, thank you for your letter of the third of March about the repair of the church organ. Our workshop has "
    "inspected the instrument twice. The bellows are sound, but the leather of forty pallets is worn, and nine pipes of the "
    "trumpet stop have been bent by heat. We propose to replace the leather, to straighten the pipes and to tune the whole "
    "instrument, for a price of 18,400 euros. The work would begin on the first of June and would take eleven weeks. If you "
    "agree, please sign the enclosed copy of this letter and return it to our office before the end of April.",
    "To make the dough, mix 500 grams of flour, 7 grams of dry yeast, 10 grams of salt and 320 grams of lukewarm water. Knead "
    "the dough for ten minutes until it is smooth, cover it with a damp cloth, and let it rise for one hour in a warm place. "
    "Divide it into eight pieces, shape each piece into a ball, and let the balls rest for fifteen minutes. Roll each ball "
    "into an oval, brush it with olive oil, and sprinkle it with sesame. Bake the breads for twelve minutes at 230 degrees "
    "until they are golden brown, and let them cool on a rack for at least half an hour before you cut them.",
    "The committee met on Tuesday at nine o'clock in the small hall. Mr. Ferreira opened the meeting and read the minutes of "
    "the previous meeting, which were approved without changes. Mrs. Lindqvist presented the accounts: income of 42,350 "
    "crowns, expenses of 39,875 crowns, and a balance of 2,475 crowns. Mr. Adeyemi proposed to paint the fence in the summer "
    "and to plant twelve apple trees along the western wall. The proposal was accepted with seven votes against two. Mrs. "
    "Lindqvist will ask three companies for an offer. The next meeting will take place on the fourteenth of September.",
]

code = [
    "Write a Python class Matrix with the methods add, subtract, multiply, transpose and determinant. Do not explain it.",
    "Write an HTML page with a table of the twelve months, their numbers and their numbers of days.",
    "Write a C program that reads ten numbers into an array, prints them, sorts them with bubble sort, and prints them again.",
    "Write SQL statements that create the tables customers, products, orders and order_items, with primary and foreign keys.",
    "Write unit tests in Python with unittest for the functions add, subtract, multiply and divide of a calculator.",
]
stories = [
    "Write a story about a lighthouse keeper who finds a letter in a bottle.",
    "Tell a fairy tale about a fox and a raven who build a boat together.",
    "Write a short story about a train that leaves the station an hour too early.",
    "Write a story about an old clockmaker and his apprentice in a small mountain village.",
    "Tell a story about a girl who discovers a hidden garden behind her school.",
]
lists = [
    "List thirty countries of the world with their capitals, one per line.",
    "List the planets of the solar system with their diameter, distance from the sun and number of moons.",
    "Give me a numbered list of twenty English proverbs.",
    "Make a packing list for a week of hiking in the mountains, in groups with bullet points.",
    "List twenty chemical elements with symbol and atomic number, one per line.",
]
questions = [
    "Repeat the following text word for word.", "Copy this text exactly.", "Write this text again without any changes.",
    "Quote this text word for word.", "Print the following text once more.",
]
# Two passages in a row have more than 200 tokens. The beginning of the answer is given, because a model of 135 million
# parameters follows such a request only sometimes.
quotations = [(f'{question}\n\n"{passage} {other}"', 'Here is the text, word for word:\n\n"')
              for question, passage, other in zip(questions, passages, passages[1:] + passages[:1])]
prompts = ([("story", text, "") for text in stories] + [("code", text, "") for text in code]
           + [("quoted passage", *quotation) for quotation in quotations] + [("list", text, "") for text in lists])


def encode(model, text, answer):
    markup = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n{answer}"
    return subprocess.run([tools / "bpe-encode", "-m", model, "--special", "-z"], input=markup.encode(),
                          capture_output=True, check=True).stdout


def run(command, record, cpu):
    """Returns the output of a command and its seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    output = subprocess.run(command, input=record, capture_output=True, check=True).stdout
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return output, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime if cpu else seconds


def measure(step, record, setting, variants, options):
    """Returns the outputs of the variants, and the time of the first divided by that of the last."""
    best, outputs = {}, {}
    for _ in range(options.rounds):
        for variant, option in variants.items():
            _, start = run(step + ["1"] + setting + option, record, options.cpu)
            outputs[variant], seconds = run(step + [str(options.tokens)] + setting + option, record, options.cpu)
            best[variant] = min(best.get(variant, math.inf), seconds - start)
    first, *_, last = best.values()
    return outputs, first / last


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=os.environ.get("LM_MODEL"), required="LM_MODEL" not in os.environ)
    parser.add_argument("--draft")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--kind", choices=sorted({kind for kind, *_ in prompts}))
    options = parser.parse_args()
    threads = 1 if options.cpu else options.threads
    step = [tools / "lm-step", "-m", options.model, "--threads", str(threads), "--ignore-eos", "-n"]
    variants = {"without": ["--no-speculation"], "with": ["--draft", options.draft] if options.draft else []}
    ratios, differ = {}, False
    print("| kind | prompt | " + " | ".join(settings) + " |\n| --- | --- |" + " ---: |" * len(settings))
    for number, (kind, text, answer) in enumerate(prompts):
        if options.kind not in (None, kind):
            continue
        record = encode(options.model, text, answer)
        cells = []
        for name, setting in settings.items():
            outputs, ratio = measure(step, record, setting, variants, options)
            if outputs["with"] != outputs["without"]:
                print(f"speculation: prompt {number + 1}, {name}: the outputs differ", file=sys.stderr)
                differ = True
            for group in name, kind, f"{kind}, {name}", "all":
                ratios.setdefault(group, []).append(ratio)
            cells.append(f"{ratio:.2f}")
        print(f"| {kind} | {text.splitlines()[0][:60]} | {' | '.join(cells)} |", flush=True)
    print("\nGeometric means:")
    for group, values in ratios.items():
        print(f"{group}: {math.exp(sum(map(math.log, values)) / len(values)):.2f}, least {min(values):.2f}")
    return differ


if __name__ == "__main__":
    sys.exit(main())
