"""Computes golden logits of the bundled model: golden.py MODEL_FOLDER > Tests/PipelineTests/Fixtures/golden-logits.jsonl

Uses transformers in float32. For each of fifty sentences: the ten most likely tokens and the logits of every eighth token. (All
logits would be a megabyte of incompressible digits; `logits.py` compares all.)
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SENTENCES = """She opened the door and looked into the room.
I don't know what you mean.
Thank you very much for your letter, which I received this morning.
Once upon a time there was a king who had three daughters.
He was born in the year 1775, in a small town by the sea.
What do you think of it?
It was raining, so we stayed at home.
The old man said nothing.
"My dear," said she, "you must not go alone."
They walked together along the river until it was dark.
There were twelve of them, and not one could swim.
The sun had set; the wind was rising.
You ought to have told me sooner.
In the beginning nobody believed him.
A ship came in from the north with news of the war.
Let us go and see it for ourselves.
The house stood on a hill, a mile from the village.
He could not sleep that night.
Is there anything more to be done?
My mother was very much surprised to hear it.
The children ran across the field and shouted.
I am sorry that I cannot come on Sunday.
Nothing in the world would have made her happier.
The captain ordered the boats to be lowered.
A whale of that size is rarely seen so close to the shore.
And the people answered with one voice.
It is a truth which everybody knows, and nobody says.
We had bread and cheese for dinner.
"Where have you been?" cried the mother.
He gave her a ring of gold.
She was not handsome, but she had fine eyes.
The letter was short, and it was written in haste.
After breakfast they went into the garden.
No man can serve two masters.
The road was long and the horses were tired.
He laughed, shook his head, and went away.
If you had been there, you would have laughed too.
The bell rang twice.
On Tuesday the doctor came again.
They were very poor, but they were never unhappy.
This is the place where the two rivers meet.
I have not seen him since Christmas.
The water was cold and perfectly clear.
Do not be afraid.
Her brother had gone to London on business.
At last the door was opened by a servant.
There is a time to speak and a time to be silent.
He had lost everything that he loved.
The night was dark, and there was no moon.
So they all lived happily together for many years.""".split("\n")

folder = sys.argv[1]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
for text in SENTENCES:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
    top = sorted(range(len(logits)), key=lambda token: (-logits[token].item(), token))[:10]
    sampled = [float(f"{value:.7g}") for value in logits[::8].tolist()]
    print(json.dumps({"text": text, "ids": ids, "top": top, "logits": sampled}, separators=(",", ":")))
