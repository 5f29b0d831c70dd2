"""The model's arithmetic: decoding, which streams all weights for each token, and prefill of many tokens."""
from harness.answers import last_ids
from harness.costs import bytes_read_per_token, operations_of_pass
from harness.goals import share_of_limit, times, times_best
from harness.rounds import Limit, Row, Subject, own_rate, rate

STEPS = 128
EVERYONE = ["torch", "ctranslate2", "llama.cpp"]


def command(place, peer, kind):
    """Returns the command of the peer's worker, with weights of this kind."""
    if peer == "llama.cpp":
        return "llama_worker.py", place.gguf(kind)
    if peer == "ctranslate2":
        return "ctranslate2_worker.py", place.gpt2, f"{place.work}/gpt2-rand-ct2"
    return "torch_worker.py", place.gpt2


def steps(place, name, kind, threads, peers, goals):
    folder = place.gpt2 if kind == "F32" else place.half(kind)
    prompt = place.file("prompt.jsonl", [b"[100,101,102,103,104,105,106,107]\n"])
    ours = place.tool(
        "lm-step", "-n", str(STEPS), "--ignore-eos", "--threads", str(threads), "-m", folder,
        input=prompt, answer=last_ids)
    request = f"steps {STEPS} 1"
    subjects = [Subject("lmpipe", ours, rate(STEPS))]
    subjects += [
        Subject.peer(peer, lambda: place.ask(request, *command(place, peer, kind), threads=threads), rate(STEPS))
        for peer in peers]
    return Row(
        name, f"`lm-step -n {STEPS}`, {kind} weights, {threaded(threads)}", "tok/s", subjects, goals,
        limit=Limit(Subject("read bandwidth", place.ask(
            f"read-bandwidth {folder}/model.safetensors 20", "lm-measure", folder, threads=threads), own_rate(1e9)),
            "GB/s read", bytes_read_per_token(folder) / 1e9),
        # With rounded weights, and with llama.cpp's float16 KV cache, the output may diverge after some tokens.
        same_answer=kind == "F32")


def passes(place, name, positions, wanted, threads, times_a_round, goals):
    folder = place.gpt2
    request = f"pass {positions} {wanted} {times_a_round}"
    subjects = [Subject("lmpipe", place.ask(request, "lm-measure", folder, threads=threads), rate(positions))]
    subjects += [
        Subject.peer(peer, lambda: place.ask(request, *command(place, peer, "F32"), threads=threads), rate(positions))
        for peer in EVERYONE]
    logits = "all logits" if wanted == "all" else "last logits"
    return Row(
        name, f"prefill of {positions:,} tokens, {logits}, F32 weights, {threaded(threads)}", "tok/s",
        subjects, goals,
        limit=Limit(Subject("multiply-add peak", place.ask(
            "multiply-add-peak 5", "lm-measure", folder, threads=threads), own_rate(1e9)),
            "GFLOP/s", operations_of_pass(folder, positions, positions if wanted == "all" else 1) / positions / 1e9))


def quantized(place, name, file, what, request, amount, work, goals):
    """A row for a GGUF file with two threads. llama.cpp also rounds activations, so its output may differ."""
    return Row(
        name, f"{work}, {what} weights, 2 threads", "tok/s",
        [Subject("lmpipe", place.ask(request, "lm-measure", file, threads=2), rate(amount)),
         Subject.peer("llama.cpp", lambda: place.ask(request, "llama_worker.py", file, threads=2), rate(amount))],
        goals, same_answer=False)


def quantized_steps(place, name, file, what, goals):
    return quantized(place, name, file, what, f"steps {STEPS} 1", STEPS, f"{STEPS} tokens after a prompt of 8", goals)


def quantized_pass(place, name, file, what, goals):
    return quantized(place, name, file, what, "pass 512 last 2", 512, "prefill of 512 tokens, last logits", goals)


def threaded(threads):
    return "one thread" if threads == 1 else f"{threads} threads"


ROWS = {
    "step-f32": lambda place, name: steps(
        place, name, "F32", 2, EVERYONE, [times(1.1, "llama.cpp"), share_of_limit(0.9)]),
    "step-f16": lambda place, name: steps(place, name, "F16", 2, ["llama.cpp"], [times(1.1, "llama.cpp")]),
    "step-bf16": lambda place, name: steps(place, name, "BF16", 2, ["llama.cpp"], []),
    "pass-64": lambda place, name: passes(place, name, 64, "last", 2, 5, [times_best(1.3)]),
    "pass-512": lambda place, name: passes(place, name, 512, "last", 2, 2, [times_best(1.5), share_of_limit(0.75)]),
    "pass-1024": lambda place, name: passes(place, name, 1024, "last", 2, 1, []),
    "pass-512-all": lambda place, name: passes(place, name, 512, "all", 2, 1, [times_best(1.5)]),
    "step-f32-1": lambda place, name: steps(place, name, "F32", 1, EVERYONE, [times(1.1, "llama.cpp")]),
    "pass-512-1": lambda place, name: passes(place, name, 512, "last", 1, 1, [times_best(1.2)]),
    "step-smollm2": lambda place, name: quantized_steps(
        place, name, place.smollm2, "SmolLM2 135M, Q4_1", [times(1.1, "llama.cpp")]),
    "pass-smollm2": lambda place, name: quantized_pass(
        place, name, place.smollm2, "SmolLM2 135M, Q4_1", [times(1.1, "llama.cpp")]),
    "step-q8": lambda place, name: quantized_steps(
        place, name, place.gguf("Q8_0"), "GPT-2, Q8_0", [times(1.1, "llama.cpp")]),
    "pass-q8": lambda place, name: quantized_pass(
        place, name, place.gguf("Q8_0"), "GPT-2, Q8_0", [times(1.1, "llama.cpp")]),
    "step-q4": lambda place, name: quantized_steps(place, name, place.gguf("Q4_0"), "GPT-2, Q4_0", []),
    "pass-q4": lambda place, name: quantized_pass(place, name, place.gguf("Q4_0"), "GPT-2, Q4_0", []),
}
