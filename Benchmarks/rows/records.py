"""Records of 50,257 logits: printing as in lm-logits, without the model's arithmetic; reading in lm-topk."""
import os

from harness.goals import at_least, times
from harness.rounds import Row, Subject, own_rate, rate

COUNT = 64


def printed(place, name):
    source = place.ask("print json 2", "lm-measure", place.gpt2, threads=1)
    return Row(
        name, "records of 50,257 logits printed", "MB/s", [Subject("lmpipe", source, own_rate(1e6))], [at_least(400)])


def printed_base64(place, name):
    def records_a_second(taken):
        return [taken.answer[0] / seconds for seconds in taken.seconds]
    return Row(
        name, "the same with `--base64`", "records/s",
        [Subject(who, place.ask(f"print {form} 2", "lm-measure", place.gpt2, threads=1), records_a_second)
         for form, who in (("base64", "lmpipe"), ("json", "without it"))],
        [times(5, "without it", "5 × without it")])


def read(place, name):
    path = place.records("records.jsonl", COUNT)
    source = place.tool("lm-topk", "-k", "5", "-m", place.gpt2, input=path)
    return Row(
        name, "records of 50,257 logits read by `lm-topk -k 5`", "MB/s",
        [Subject("lmpipe", source, rate(os.path.getsize(path) / 1e6))], [at_least(400)])


def read_base64(place, name):
    subjects = []
    for who, path in (("lmpipe", place.records("records-base64.jsonl", COUNT, "--base64")),
                      ("without it", place.records("records.jsonl", COUNT))):
        subjects.append(Subject(who, place.tool("lm-topk", "-k", "5", "-m", place.gpt2, input=path), rate(COUNT)))
    return Row(
        name, "the same with `--base64`", "records/s", subjects, [times(5, "without it", "5 × without it")])


ROWS = {
    "print-logits": printed,
    "print-logits-base64": printed_base64,
    "read-logits": read,
    "read-logits-base64": read_base64,
}
