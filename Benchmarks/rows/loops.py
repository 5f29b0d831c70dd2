"""lm-step in a shell loop with one process per call, against one process for all calls; and on many buffered records,
against one record after the other."""
from harness.answers import last_ids
from harness.goals import times
from harness.rounds import Row, Subject, rate

CALLS = 128
RECORDS, ALONE, LENGTH, PROMPT = 64, 8, 100, 8

# The state alternates between two files, so that no other program runs between the calls.
LOOP = """
cp "$1" "$2.a" && rm -f "$2.cache" && set -- "$2.a" "$2.b" "$2.cache" {calls}
while [ "$4" -gt 0 ]; do
  lm-step --ignore-eos --cache "$3" "$1" > "$2" || exit
  set -- "$2" "$1" "$3" $(($4 - 1))
done
cat "$1"
"""

# A coprocess gets the next record after it has answered the last one.
ONE_BY_ONE = """
coproc STEP {{ lm-step --ignore-eos -n {count}; }}
while IFS= read -r record; do
  printf '%s\\n' "$record" >&"${{STEP[1]}}"
  IFS= read -r answer <&"${{STEP[0]}}"
done < {file}
"""


def loop(place, name, model, what, goal):
    prompt = place.file("prompt.jsonl", [b"[100,101,102,103,104,105,106,107]\n"])
    script = f"set -- {prompt} {place.work}/{name}; " + LOOP.format(calls=CALLS)
    one = place.tool("lm-step", "-n", str(CALLS), "--ignore-eos", "-m", model, input=prompt, answer=last_ids)
    return Row(
        name, f"{CALLS} calls of `lm-step --cache FILE`, a process each, {what}", "tok/s",
        [Subject("lmpipe", place.shell(script, model, answer=last_ids), rate(CALLS)),
         Subject("`lm-step -n 128`", one, rate(CALLS))],
        [times(goal, "`lm-step -n 128`", f"{goal:g} × one process")])


def batch(place, name, model, what, goals):
    records = [b"[%s]\n" % b",".join(b"%d" % (7 * record + 31 * index + 5) for index in range(PROMPT))
               for record in range(RECORDS)]
    all_of_them, some = place.file(f"{name}.jsonl", records), place.file(f"{name}-alone.jsonl", records[:ALONE])
    count = LENGTH - PROMPT
    together = place.tool("lm-step", "-n", str(count), "--ignore-eos", "-m", model, input=all_of_them)
    alone = place.shell(ONE_BY_ONE.format(count=count, file=some), model, shell="bash")
    return Row(
        name, f"{RECORDS} buffered records extended to {LENGTH} tokens by `lm-step`, {what}", "tok/s",
        [Subject("lmpipe", together, rate(RECORDS * count)), Subject("one by one", alone, rate(ALONE * count))],
        goals, rounds=3)


ROWS = {
    "loop": lambda place, name: loop(place, name, place.gpt2, "GPT-2, F32 weights", 0.7),
    "loop-wren": lambda place, name: loop(place, name, place.wren, "wren", 0.15),
    "loop-smollm2": lambda place, name: loop(place, name, place.smollm2, "SmolLM2 135M, Q4_1 weights", 0.4),
    "batch": lambda place, name: batch(
        place, name, place.gpt2, "GPT-2, F32 weights", [times(3, "one by one", "3 × one by one")]),
    "batch-wren": lambda place, name: batch(place, name, place.wren, "wren", []),
}
