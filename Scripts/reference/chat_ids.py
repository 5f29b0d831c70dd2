"""Compares the ids of `bpe-encode --chat` with transformers' `apply_chat_template`.

    chat_ids.py BPE-ENCODE COUNT SEED TOKENIZERS TEMPLATE...

TOKENIZERS is a folder of tokenizer folders. For each TEMPLATE (see chat_templates.py) a tokenizer is drawn, the control
tokens of the template are added to it, some as special tokens, some not, some with `rstrip` or `lstrip`, and the model
folder is saved with the template in one of the places that transformers reads. COUNT conversations are drawn.

The ids of a conversation whose strings contain no added token must be equal. For the others, the control tokens must be
the same, in order, as with `sanitize_control_tokens`, which encodes the text around a token in parts.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile

import transformers
from transformers import AddedToken, AutoTokenizer

from chat_templates import Conversations, templates
from transformers.utils.chat_template_utils import _get_template_literal_text

CONTROL = re.compile(r"<[|｜][^|｜\s<>]{1,40}[|｜]>|</?[a-zA-Z_:\]\[]{1,30}>|\[/?[A-Z_]{3,20}\]")


def make_model(template, base, folder, rng):
    tokenizer = AutoTokenizer.from_pretrained(base)
    known = set(tokenizer.get_vocab())
    found = sorted(set(CONTROL.findall(template)) - known)
    # A normalizer that puts a prefix before each part of the text puts it before a normalized token too, which is then
    # found at the start of a part only: whether there is one depends on the tokens before it
    normalizes = tokenizer.backend_tokenizer.normalizer is None
    special, ordinary = [], []
    for text in found:
        token = AddedToken(
            text, special=rng.random() < 0.7, normalized=normalizes and rng.random() < 0.2, rstrip=rng.random() < 0.15, lstrip=rng.random() < 0.1)
        (special if token.special else ordinary).append(token)
    tokenizer.add_tokens(special, special_tokens=True)
    tokenizer.add_tokens(ordinary)
    if rng.random() < 0.5:
        tokenizer.add_tokens([AddedToken(text, normalized=normalizes) for text in ["\n\n", "   "]])
    tokenizer.chat_template = template if rng.random() < 0.7 else {"default": template, "other": "x"}
    tokenizer.save_pretrained(folder, save_jinja_files=rng.random() < 0.6)
    return AutoTokenizer.from_pretrained(folder)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def encoded(tokenizer, record, sanitize=False):
    kwargs = dict(record.get("chat_template_kwargs", {}))
    try:
        return tokenizer.apply_chat_template(
            record["messages"], tools=record.get("tools"), documents=record.get("documents"),
            add_generation_prompt=True, sanitize_control_tokens=sanitize, return_dict=False, **kwargs)
    except Exception as error:  # noqa: BLE001
        return error


def main():
    program, count, seed, bases = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    transformers.logging.set_verbosity_error()
    rng = random.Random(seed)
    names = sorted(n for n in os.listdir(bases) if os.path.exists(f"{bases}/{n}/tokenizer.json"))
    counts = dict.fromkeys(["equal ids", "equal control tokens", "errors in both", "left out", "differences", "models"], 0)
    for path in sys.argv[5:]:
        for name, template in templates(path):
            base = rng.choice(names)
            with tempfile.TemporaryDirectory() as folder:
                try:
                    tokenizer = make_model(template, f"{bases}/{base}", folder, rng)
                    special = set(tokenizer.all_special_tokens)
                except Exception as error:  # noqa: BLE001
                    print("left out", name, base, str(error)[:100])
                    continue
                check(program, count, seed, name, base, tokenizer, special, folder, counts)
    print(counts)
    return counts["differences"] > 0


def check(program, count, seed, name, base, tokenizer, special, folder, counts):
    conversations = Conversations(f"{seed} {name.rsplit('/', 1)[-1]}")
    added = [t.content for t in tokenizer.added_tokens_decoder.values()]
    literal = _get_template_literal_text(tokenizer.get_chat_template())
    # The tokenizers of transformers close gaps in the ids of a vocabulary, and this project does not
    gaps = ["cl100k_base", "o200k_base"]
    if base in gaps:
        return
    control = {
        i for i, t in tokenizer.added_tokens_decoder.items()
        if i != tokenizer.unk_token_id
        if t.special or (t.content in literal and not t.content.isspace())}
    records = []
    for _ in range(count):
        record = {"messages": conversations.messages()}
        variables = conversations.variables()
        for key in ["tools", "documents"]:
            if variables.pop(key):
                record[key] = [conversations.tool() for _ in range(2)] if key == "tools" else [{"title": "t", "text": "u"}]
        del variables["add_generation_prompt"]
        record["chat_template_kwargs"] = variables
        records.append(record)
    lines = "".join(json.dumps(r) + "\n" for r in records)
    run = subprocess.run([program, "--chat", "--keep-going", "-m", folder], input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = run.stdout.splitlines()
    if len(output) != len(records):
        print("left out", name, base, run.stderr.decode()[-300:])
        return
    counts["models"] += 1
    shown = 0
    for record, line in zip(records, output, strict=True):
        result = json.loads(line)
        texts = [text for text in strings(record) if text]
        is_plain = not any(token in text for text in texts for token in added if not token.isspace())
        reference = encoded(tokenizer, record, sanitize=not is_plain)
        if not isinstance(reference, Exception) and re.search(r"\\[uU](000f|db8)|%F3%B0", tokenizer.decode(reference)):
            kind = "left out"  # the template has escaped the marks of `sanitize_control_tokens`
        elif str(reference).startswith("Can't sanitize") and "error" not in result:
            kind = "left out"  # a token that is not special, and that the model makes of ordinary text too
        elif isinstance(reference, Exception) or "error" in result:
            kind = "errors in both" if isinstance(reference, Exception) and "error" in result else "differences"
        elif is_plain:
            kind = "equal ids" if reference == result["ids"] else "differences"
        else:
            expected, found = ([i for i in ids if i in control] for ids in (reference, result["ids"]))
            kind = "equal control tokens" if expected == found else "differences"
            # Templates cut the reasoning out of an answer and write it again with tokens of their own, which the marks
            # of the reference survive
            answers = list(strings([m for m in record["messages"] if m["role"] == "assistant"]))
            if expected != found and any(token in text for text in answers for token in added if not token.isspace()):
                kind = "left out"
        counts[kind] += 1
        if kind == "differences" and shown < 1:
            shown += 1
            print("DIFFERENCE", name, base, "plain" if is_plain else "with control tokens")
            if isinstance(reference, Exception) or "error" in result:
                print("  ", reference if isinstance(reference, Exception) else "", result.get("error"))
            else:
                ids = result["ids"]
                if not is_plain:
                    print("   control tokens:", tokenizer.decode(expected), "|", tokenizer.decode(found))
                start = next((i for i, (a, b) in enumerate(zip(reference, ids)) if a != b), 0)
                print("  reference:", [tokenizer.decode([i]) for i in reference[max(0, start - 5):start + 10]])
                print("  found:    ", [tokenizer.decode([i]) for i in ids[max(0, start - 5):start + 10]])


if __name__ == "__main__":
    sys.exit(main())
