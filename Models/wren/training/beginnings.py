#!/usr/bin/env python3
"""Scores a model on fifty fixed prompts: counts the prompts for which one of the five most likely tokens is an accepted word.
beginnings.tsv lists the prompts with the accepted words; it was written before the model was trained.

usage: beginnings.py [MODEL]     uses the tools in PATH, or else in .build/release
"""
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
REQUIRED = 40


def main() -> None:
    rows = [line.split("\t") for line in (HERE / "beginnings.tsv").read_text().splitlines()]
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:{HERE.parents[2] / '.build/release'}"}
    if len(sys.argv) > 1:
        environment["LM_MODEL"] = sys.argv[1]
    answers = subprocess.run("bpe-encode | lm-logits | lm-topk -k 5", shell=True, check=True, env=environment, text=True,
                             input="".join(f"{beginning}\n" for beginning, _ in rows), stdout=subprocess.PIPE).stdout
    found = 0
    for (beginning, accepted), line in zip(rows, answers.splitlines(), strict=True):
        tokens = [each["token"] for each in json.loads(line)["topk"]]
        good = any(token and token.strip() in accepted.split() for token in tokens)
        found += good
        print(f"{'+' if good else '-'} {beginning:28}", " ".join(json.dumps(token, ensure_ascii=False) for token in tokens))
    print(f"{found} of {len(rows)} prompts continue with an accepted word; {REQUIRED} are required")
    sys.exit(found < REQUIRED)


if __name__ == "__main__":
    main()
