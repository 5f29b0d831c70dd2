"""Whole processes: the pipeline as typed in a shell, start of a process, memory."""
from harness.answers import printed_list, top_ids
from harness.goals import at_most, times
from harness.rounds import Row, Subject, megabytes, milliseconds
from harness.sources import Program

PHRASE = "Once upon a time, generative models"
PIPELINE = f"echo '{PHRASE}' | bpe-encode | lm-logits | lm-topk -k 5"
TOOLS = ["lm-logits", "lm-topk", "lm-step", "bpe-encode", "bpe-decode"]


def transformers(place):
    return place.peer_process("transformers_once.py", place.gpt2, PHRASE, answer=printed_list)


def llama(place):
    """llama.cpp without the start of Python, which a C program does not have."""
    return place.peer_self_timed("llama_once.py", place.gguf("F32"), "2", PHRASE)


def pipeline(place, name):
    return Row(
        name, "`echo … \\| bpe-encode \\| lm-logits \\| lm-topk -k 5`, GPT-2, F32 weights", "ms",
        [Subject("lmpipe", place.shell(PIPELINE, place.gpt2, answer=top_ids), milliseconds),
         Subject.peer("transformers", lambda: transformers(place), milliseconds),
         Subject.peer("llama.cpp", lambda: llama(place), milliseconds)],
        [times(80, "transformers"), times(4, "llama.cpp"), at_most(40, stretch=True)], lower_is_better=True)


def wren_pipeline(place, name):
    return Row(
        name, "the same with wren, the bundled model", "ms",
        [Subject("lmpipe", place.shell(PIPELINE, place.wren), milliseconds)], lower_is_better=True)


def start(place, name):
    return Row(
        name, "start of a process: `lm-logits --version`", "ms",
        [Subject("lmpipe" if tool == "lm-logits" else tool, place.tool(tool, "--version"), milliseconds)
         for tool in TOOLS] + [Subject("`true`", Program(["true"]), milliseconds)],
        lower_is_better=True, is_contest=False)


def memory(place, name, positions, goals):
    """One round, because the figure does not vary."""
    ids = ",".join(str((7 * position + 11) % 40_000) for position in range(positions))
    source = place.tool("lm-logits", "-m", place.gpt2, input=place.file(f"{name}.jsonl", [f"[{ids}]\n".encode()]))
    file = f"{place.gpt2}/model.safetensors"
    subjects = [Subject("lmpipe", source, megabytes(beyond=file))]
    if positions < 10:
        subjects += [
            Subject.peer("llama.cpp", lambda: llama(place), megabytes(beyond=place.gguf("F32"))),
            Subject.peer("transformers", lambda: transformers(place), megabytes(beyond=file))]
    return Row(
        name, f"memory of `lm-logits` beyond the file, GPT-2, F32 weights, {positions:,} tokens", "MB",
        subjects, goals, same_answer=False, lower_is_better=True, rounds=1)


ROWS = {
    "start": start,
    "pipeline-wren": wren_pipeline,
    "pipeline": pipeline,
    "memory": lambda place, name: memory(place, name, 8, [at_most(25)]),
    "memory-1024": lambda place, name: memory(place, name, 1024, []),
}
