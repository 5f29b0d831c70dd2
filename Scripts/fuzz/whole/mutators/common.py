"""Common code of the mutators: texts, records of ids, and commands that run a model on several routes."""
import models
import tree
import values
from case import Case, command

WORDS = ["the", " and", " on", "ing", " 00", "x", "é", "\n", "  ", "<|endoftext|>", "<|start|>", "'ll", "日本", "\t", "0", "😀", " a"]


def text(rng, limit=12):
    """Returns a line of text as bytes without a newline."""
    words = "".join(rng.choice(WORDS) for _ in range(rng.randrange(limit)))
    data = words.replace("\n", "\\n" if rng.random() < 0.5 else "").encode()
    if rng.random() < 0.05:
        data += rng.choice((b"\xff", b"\0", b"\xc3", b"\r", b"\xed\xa0\x80", b"a" * 3000, b"ab" * 500, b" " * 1000))
    return data


def lines(rng):
    return b"".join(text(rng) + b"\n" for _ in range(rng.choice((1, 1, 2, 5))))


def ids(rng, size=models.VOCABULARY_SIZE, context=30):
    """Returns ids, mostly valid ones."""
    length = rng.choice((1, 2, 3, 5, 8, 15, 16, 17, context))
    return [rng.randrange(max(1, size)) for _ in range(length)]


def record(rng, size=models.VOCABULARY_SIZE, context=30):
    return tree.encode(tree.build({"ids": ids(rng, size, context)})) + b"\n"


def model_case(rng, files, model="model", size=models.VOCABULARY_SIZE, context=30):
    """Returns a case that runs a model, on one route or on several that must agree."""
    first = record(rng, size, context)
    files = files | {"in": first}
    score, step = ["lm-logits", "-m", model], ["lm-step", "-m", model]
    kind = rng.randrange(12)
    if kind == 0:
        return Case(files, [command(["lm-info", "-m", model]), command(["lm-info", "-m", model, "--json"]),
                            command(score + ["--logprobs"])])
    if kind == 1:
        return Case(files, [command(step + ["-n", "3"]), command(step + ["-n", "3", "--threads", "1"])], same=True)
    if kind == 2:
        return Case(files, [command(score), command(score + ["--all"], ["tail", "-n", "1"], ["sed", 's/"position":[0-9]*,//'])], same=True)
    if kind == 3:
        return Case(files, [command(score), command(score + ["--cache", "kv"]), command(score + ["--cache", "kv"])], same=True)
    if kind == 4:
        return Case(files, [command(step + ["-n", "3"]), command(step + ["-n", "3", "--cache", "kv"]),
                            command(step, step, step), command(step + ["-n", "3", "--cache", "kv"])], same=True)
    if kind == 5:
        files["in"] += record(rng, size, context) + record(rng, size, context)
        parts = files["in"].splitlines(True)
        for number, part in enumerate(parts):
            files[f"in{number}"] = part
        tool = rng.choice((score, score + ["--all"], score + ["--logprobs"], score + ["--base64"], step + ["-n", "2"]))
        alone = [([tool], f"in{number}") for number in range(len(parts))]
        return Case(files, [command(tool), alone, command(tool + ["in0", "in1", "-"], source="in2")], same=True)
    if kind == 6:
        topk = ["lm-topk", "-m", model, "-k", str(rng.choice((1, 3, size)))]
        return Case(files, [command(score, topk), command(score + ["--base64"], topk)], same=True)
    if kind == 7:  # the position of "vocab" differs, and a full sequence keeps its logits
        rest = ["sed", r's/,"vocab":"[0-9a-f]*"//; s/,"logits":\[[^]]*\]//']
        return Case(files, [command(step, rest), command(score, step, rest)], same=True)
    if kind == 8:
        options = ["-n", "4", "--temperature", str(rng.choice((0.5, 1, 3, 1e-3, 1e-30))), "--seed", "7", "--top-p", "0.9", "-k", "20"]
        return Case(files, [command(step + options), command(step + options + ["--threads", "1"])], same=True)
    if kind == 9 and rng.random() < 0.5:
        files["in"] = lines(rng)
        encode, count = ["bpe-encode", "-m", model, "--bos"], ["-n", "3"]
        return Case(files, [command(encode, step + count),
                            command(encode + ["--sealed-output"], step + count + ["--sealed"], ["sed", "$d"])], same=True)
    if kind == 9:
        files["in"] = lines(rng)
        return Case(files, [command(["bpe-encode", "-m", model], score, ["lm-topk", "-m", model, "-k", "3"]),
                            command(["bpe-encode", "-m", model], step + ["-n", "5"], ["bpe-decode", "-m", model])])
    if kind == 10:
        files["in"] += record(rng, size, context)
        return Case(files, [command(score + ["--keep-going"], ["lm-topk", "-m", model, "--keep-going"]),
                            command(step + ["--each", "-n", "4", "--keep-going"])])
    return Case(files, [command(["lm-info", "-m", model, "--json"]), command(step + ["-n", "2"])])


def damaged(rng, files, name):
    return files | {name: values.damage(rng, files[name])}
