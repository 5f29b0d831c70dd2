"""Records: all members of lm-records(5), with values of all types."""
import base64
import struct

import models
import tree
import values
from case import Case, command
from mutators import common
from tree import Members, Raw

NAMES = ["text", "ids", "vocab", "tokens", "offsets", "attention_mask", "position", "logits", "logprobs", "topk", "next", "seed", "done",
         "error", "fatal", "end", "prompt", "ranks", "entropies", "space_logprobs", "words", "attentions", "id", "n", ""]
MODELS = [(models.GPT2, "model"), (models.LLAMA, "model")]
FINGERPRINT = "166e255fbb0f2c84"  # fingerprint of the vocabulary of `models`


def float_text(rng):
    number = struct.unpack("<f", values.bits32(rng))[0]
    if number != number or number in (float("inf"), float("-inf")):
        return rng.choice(("1e39", "-1e39", "0", "NaN", "3.5e38"))
    return rng.choice((repr(number), f"{number:.9g}", f"{number:e}"))


def logits(rng, count):
    kind = rng.random()
    if kind < 0.45:
        return [Raw(f"{rng.gauss(0, 3):.8g}") for _ in range(count)]
    if kind < 0.65:
        plain = [Raw(f"{rng.gauss(0, 3):.8g}") for _ in range(count)]
        for _ in range(rng.choice((1, 1, 2, 5, count))):
            if plain:
                plain[rng.randrange(len(plain))] = Raw(float_text(rng)) if rng.random() < 0.8 else values.number(rng)
        return plain
    if kind < 0.8:
        data = b"".join(values.bits32(rng) if rng.random() < 0.05 else struct.pack("<f", rng.gauss(0, 3)) for _ in range(count))
        text = base64.b64encode(data).decode()
        if rng.random() < 0.3:
            text = rng.choice((text[:-1], text + "=", text[:-4], " " + text, text.replace("A", "-"), text + "\n", ""))
        return text
    if kind < 0.9:
        return [Raw(float_text(rng))] * count
    if kind < 0.95:  # the greatest possible difference
        ends = rng.sample(values.FLOAT32[:-3], 2) if rng.random() < 0.5 else [3.4e38, -3.4e38]
        return [Raw(repr(rng.choice(ends))) for _ in range(count)]
    return [Raw(float_text(rng)) for _ in range(rng.choice((0, 1, 2, 3, 16, 17, count - 1, count, count, count + 1)))]


def id_list(rng, size):
    kind = rng.random()
    if kind < 0.75:
        return [Raw(number) for number in common.ids(rng, size, 40)]
    found = [Raw(number) for number in common.ids(rng, size, 70)]
    found.insert(rng.randrange(len(found) + 1), rng.choice(
        (Raw(size), Raw(-1), Raw("1.0"), Raw("1e0"), Raw("-0"), Raw(1 << 63), Raw(1 << 64), Raw("01"), None, "1", [Raw(1)], True, Raw(1 << 32))))
    return found if kind < 0.95 else []


def member(rng, name, size):
    if name == "ids":
        return id_list(rng, size)
    if name == "logits":
        return logits(rng, size)
    if name == "text":
        return common.text(rng).decode("utf-8", "replace") if rng.random() < 0.7 else values.string(rng)
    if name == "vocab":
        return rng.choice((FINGERPRINT, FINGERPRINT, FINGERPRINT.upper(), "0", "", "f12feb331a25a0ba"))
    if name in ("seed", "position", "prompt", "end", "n"):
        return rng.choice((Raw(0), Raw(1), Raw(2), Raw(7), Raw((1 << 53) - 1), Raw(1 << 53), Raw(-1), Raw("1.0"), Raw("1e3"), None, "7"))
    if name == "done":
        return rng.choice(("eos", "stop", "length", False, None, True, "", Raw(0)))
    if name == "error":
        return rng.choice(("x", "a\nb\x1b[31m", "", False, None, "y" * 6000, "\u202e", Raw(1), []))
    if name == "fatal":
        return rng.choice((True, False, None, "true", Raw(1)))
    if name in ("logprobs", "ranks", "entropies", "space_logprobs") and rng.random() < 0.5:
        return [rng.choice((None, Raw(-1), Raw(-0.5), Raw(0), Raw("-3.4e38"), Raw(2), Raw("1e39"))) for _ in range(rng.randrange(4))]
    if name == "words":
        return rng.choice((["a", "b"], ["a b"], [" a", "b "], [""], [], ["\u00a0"], [None], "a"))
    if name in ("tokens", "offsets", "attention_mask", "logprobs", "ranks", "entropies", "space_logprobs"):
        return rng.choice(([], ["a", None], [[Raw(0), Raw(1)]], [Raw(1)] * 3, None))
    if name == "attentions":
        rows = [[Raw(rng.choice((0, 1, 0.5, "1e-40", 2, -1)))] * rng.choice((row + 1, row + 1, row + 1, 3)) for row in range(rng.randrange(4))]
        return rng.choice(([], [{}], Raw(7), tree.build([{"layer": 1, "head": 1}]),
                           [Members([["layer", Raw(1)], ["head", Raw(rng.choice((2, -1, 1 << 62)))], ["weights", rows]])] * rng.choice((1, 1, 2))))
    if name in ("topk", "next"):
        return tree.build(rng.choice(([{"id": 1, "token": "a", "logit": 1.5}], [], {"id": 3, "token": None, "bytes": [255]}, {})))
    return values.value(rng)


def record(rng, size):
    """Returns the bytes of a line."""
    kind = rng.random()
    if kind < 0.06:
        return tree.encode(id_list(rng, size))
    if kind < 0.09:
        return rng.choice((b"", b" ", b"{}", b"[]", b"null", b'{"end":1}', b'{"end":0}', b'{"error":"x","fatal":true}', b'{"fatal":true}', b"\r",
                           b'{"ids":[1]}{"ids":[2]}', b'{"ids":[1]', b'{"ids":[1],}', b"[1,2,]", b'\xef\xbb\xbf{"ids":[1]}', b'{"ids":[1]}\r',
                           b'{"ids":[1]} \t', b'{"error":"\xff"}'))
    names = ["ids"] if rng.random() < 0.85 else []
    if rng.random() < 0.4:
        names.append("logits")
    names += rng.choices(NAMES, k=rng.choice((0, 0, 1, 1, 2, 4)))
    if rng.random() < 0.93:
        names = list(dict.fromkeys(names))
    rng.shuffle(names)
    root = Members([name, member(rng, name, size) if rng.random() < 0.85 else values.value(rng)] for name in names)
    if rng.random() < 0.06 and root:
        entry = rng.choice(root)
        entry[0] = Raw('"' + "".join(f"\\u{ord(character):04x}" for character in entry[0]) + '"')
    data = tree.encode(root)
    if rng.random() < 0.05:
        data = values.damage(rng, data)
    if rng.random() < 0.05:
        data = data.replace(b",", b" ,\t ").replace(b":", b" : ")
    return data.replace(b"\n", b" ")


def stream(rng, size):
    count = rng.choice((1, 1, 1, 2, 3, 6))
    data = b"\n".join(record(rng, size) for _ in range(count))
    return data + rng.choice((b"\n", b"\n", b"\n", b"", b"\r\n", b"\n\n"))


def commands(rng, model):
    chosen = ["-m", model]
    keep = rng.choice(([], ["--keep-going"]))
    kind = rng.randrange(18)
    step, score, topk = ["lm-step", *chosen, *keep], ["lm-logits", *chosen, *keep], ["lm-topk", *chosen, *keep]
    if kind == 0:
        return [command(["bpe-decode", *chosen, *keep, *rng.choice(([], ["-j"], ["--follow"], ["-z"], ["-n"]))])], False
    if kind == 1:
        return [command(["bpe-encode", *chosen, *keep, "-j", *rng.choice(([], ["--tokens", "--offsets"], ["--special"], ["--bos"], ["-t"]))])], False
    if kind == 2:
        return [command(topk + ["-k", str(rng.choice((0, 1, 3, 272, 1000)))] + rng.choice(([], ["-t"], ["--keep-logits"])))], False
    if kind == 3:
        return [command(topk), command(topk + ["--threads", "1"])], True
    if kind == 4:
        options = rng.choice(([], ["-n", "3"], ["--temperature", "1", "--seed", "3"], ["--temperature", "1e-3", "-k", "5", "--seed", "9"],
                              ["--top-p", "0.5", "--seed", "1", "--temperature", "2"], ["--repetition-penalty", "1e30"], ["--stop", "a", "-n", "4"]))
        return [command(step + options), command(step + options + ["--threads", "1"]), command(step + options, ["cat"])], True
    if kind == 5:
        return [command(step + ["-n", "2"]), command(step, step)], True
    if kind == 6:
        return [command(score), command(score + ["--threads", "1"])], True
    if kind == 7:
        return [command(score, topk), command(score + ["--base64"], topk)], True
    if kind == 8:
        return [command(score + ["--all"]), command(score + ["--logprobs"]), command(score + ["--all", "--logprobs"])], False
    if kind == 9:
        return [command(score), command(score + ["--cache", "kv"]), command(score + ["--cache", "kv"])], True
    if kind == 10:
        return [command(step + ["--each", "-n", "3"], ["bpe-decode", *chosen, *keep, "--follow"]), command(step + ["-e"])], False
    surprisal = ["lm-score", *chosen, *keep]
    if kind == 11:
        return [command(surprisal), command(surprisal + ["--threads", "1"]), command(surprisal, ["cat"])], True
    if kind == 12:
        form = rng.choice((["--tsv"], ["--csv"], ["--table"], ["--colour"], ["--html"]))
        unit = rng.choice(([], ["--by", "token"], ["--by", "record"]))
        more = rng.choice(([], ["--words", "words"], ["--context", "prompt"], ["--context", "text"], ["--context", "1"],
                           ["--window", "2"], ["--window", "3", "--stride", "1"]))
        return [command(surprisal + form + unit + more)], False
    if kind == 13:
        of = rng.choice((["--of", "a"], ["--of", " a", "--of", "ab"], ["--of-member", "words"]))
        return [command(topk + of + rng.choice(([], ["--tsv"], ["--table"])))], False
    if kind == 14:
        return [command(score + ["--layers", "-k", "1"] + rng.choice(([], ["--all"])), topk + ["--grid"]), command(topk + ["--grid"])], False
    if kind == 15:
        attention = score + rng.choice((["--attention", "1"], ["--attention", "2.1"], ["--attention", "1.2", "--attention", "9"]))
        return [command(attention, topk + ["--grid"]), command(topk + ["--grid"])], False
    if kind == 16:
        nearest = topk + ["--nearest", "-k", str(rng.choice((1, 3, 1000)))] + rng.choice(([], ["--tsv"], ["--table"]))
        return [command(nearest), command(nearest + ["--threads", "1"])], True
    return [command(score, step, ["bpe-decode", *chosen, *keep, "-j"], ["lm-topk", *chosen, *keep])], False


def case(rng):
    files, model = rng.choice(MODELS)
    chosen, same = commands(rng, model)
    data = stream(rng, models.VOCABULARY_SIZE)
    files = files | {"in": data}
    if rng.random() < 0.1 and data.count(b"\n") > 1:
        tool = rng.choice((["lm-logits", "-m", model], ["lm-step", "-m", model, "--seed", "5"], ["lm-topk", "-m", model], ["bpe-decode", "-m", model]))
        parts = {f"in{number}": line for number, line in enumerate(data.splitlines(True)) if b"\x0b" not in line}
        if b"".join(parts.values()) == data and "--seed" not in tool:
            return Case(files | parts, [command(tool), [([tool], name) for name in parts]], same=True)
    return Case(files, chosen, same)
