"""Command lines: all options in --help, with extreme values."""
import os
import re
import subprocess

import models
from case import Case, command
from mutators import common, records

TOOLS = ["bpe-encode", "bpe-decode", "lm-logits", "lm-topk", "lm-step", "lm-score", "lm-info"]
OPTION = re.compile(r"^  (?:(-\w), |    )--([\w-]+)(?:=(\w+))?", re.MULTILINE)
NUMBERS = ["0", "1", "2", "3", "7", "64", "272", "273", "1023", "1024", "1025", "1000000", "2147483647", "2147483648", "9007199254740991",
           "9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551616", "-1", "-0", "+1", "0.5", "1.0", "0.9999999",
           "1e-3", "1e-30", "1e-38", "1e-45", "1e-46", "5e-324", "1e-400", "1e30", "3.4e38", "3.5e38", "1e308", "1e309", "inf", "nan", "NaN",
           "-inf", "0x10", "", " 1", "1 ", "١", "1_000", "9" * 400]
TEXTS = ["", " ", "a", "the", "\n", "\x1b[31m", "é", "\udcff", "\udcc3", "😀", "x" * 300, "-", "--", "\u202e"]
FILES = ["kv", "kv", "missing/kv", "model", "in", "model/config.json", "/dev/null", "", ".", "x" * 300, "\udcff"]
MODELS = ["model", "model", "model", "model/", "./model", "missing", "gpt2", "", "in", "model/model.safetensors", "\udcff", "a/../model", "/dev/null"]
OPERANDS = ["in", "in", "-", "-", "missing", "model", "/dev/null", "", "\udcff", "--", "in2"]

# Options that all tools accept; --help omits those without effect.
ACCEPTED = [("", "threads", "N"), ("", "keep-going", ""), ("-q", "quiet", "")]

_options = {}


def read_help(tools):
    """Reads the options of each tool. Must be called before the first case."""
    for tool in TOOLS:
        text = subprocess.run([os.path.join(tools, tool), "--help"], capture_output=True, text=True, check=True,
                              env={**os.environ, "COLUMNS": "80"}).stdout
        _options[tool] = OPTION.findall(text)
        assert len(_options[tool]) > 4, f"{tool} --help: unknown format"
        _options[tool] += [option for option in ACCEPTED if option not in _options[tool]]


def _value(rng, kind):
    usual = {"MODEL": MODELS, "FILE": FILES, "TEXT": TEXTS}.get(kind, NUMBERS)
    return rng.choice(usual) if rng.random() < 0.93 else rng.choice(NUMBERS + TEXTS + FILES)


def option(rng, tool):
    short, name, value = rng.choice(_options[tool])
    if name in ("help", "version") and rng.random() < 0.8:
        return []
    spelled = "--" + name
    kind = rng.random()
    if kind < 0.2 and short:
        spelled = short
    elif kind < 0.26:
        spelled = spelled[:rng.randrange(2, len(spelled) + 1)]
    elif kind < 0.28:
        spelled = rng.choice((spelled + "x", spelled.upper(), "--no-" + name, "-" + name))
    if not value:
        return [spelled + "=1"] if rng.random() < 0.02 else [spelled]
    text = _value(rng, value)
    if rng.random() < 0.03:
        return [spelled]
    if spelled.startswith("--"):
        return [f"{spelled}={text}"] if rng.random() < 0.5 else [spelled, text]
    return [spelled + text] if rng.random() < 0.5 else [spelled, text]


def words(rng, tool, usual_model):
    found = [tool] + (["-m", "model"] if usual_model else [])
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
        found += option(rng, tool)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 2))):
        found.append(rng.choice(OPERANDS))
    return found


def case(rng):
    files, _ = rng.choice(records.MODELS)
    tool = rng.choice(TOOLS)
    first = words(rng, tool, rng.random() < 0.9)
    if tool == "bpe-encode" and not any(word in ("-j", "--json") for word in first):
        data = common.lines(rng)
    elif rng.random() < 0.6:
        data = b"".join(common.record(rng) for _ in range(rng.choice((1, 2, 3))))
        if tool == "lm-topk":
            data = b'{"logits":[' + b",".join(b"%d.5" % rng.randrange(-9, 9) for _ in range(models.VOCABULARY_SIZE)) + b"]}\n"
    else:
        data = records.stream(rng, models.VOCABULARY_SIZE)
    files = files | {"in": data, "in2": common.record(rng)}
    kind = rng.random()
    if kind < 0.25 and not any(word.startswith("--c") for word in first):
        if tool == "lm-step":
            first[1:1] = ["--seed", "5"]  # before a "--"; a later --seed replaces it
        return Case(files, [command(first), command(first, ["cat"])], same=True)
    if kind < 0.4 and tool == "bpe-encode":
        return Case(files, [command(first, words(rng, rng.choice(("lm-step", "lm-logits", "bpe-decode")), True))])
    if kind < 0.4 and tool in ("lm-logits", "lm-step"):
        return Case(files, [command(first, words(rng, rng.choice(("lm-topk", "lm-step", "bpe-decode")), True))])
    return Case(files, [command(first)])
