"""Compares a Gemma 3 GGUF file with transformers on the dequantized weights, in float32.

gemma.py FILE.gguf --compare LM_LOGITS [--text FILE]
    compares the last logits of prefixes of the text, and of 600 random tokens, which is more than a sliding window; the
    exit status is 1 if a logit differs by more than 5e-3 of the greatest
gemma.py FILE.gguf --continue COUNT [--text FILE]   prints the text and its greedy continuation by transformers
gemma.py FILE.gguf --encode [--text FILE]           prints the token ids of the text, after the beginning-of-text token
gemma.py FILE.gguf --decode                         prints the text of each JSON line of ids of the standard input
"""

import argparse
import heapq
import json
import os
import random
import re
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import gguf
import torch
import transformers

TOLERANCE = 5e-3
TEXT = " ".join("""
The lighthouse stood at the end of a long wall of stone, and every evening the keeper walked along it with a lamp in his
hand. In winter the waves broke over the wall, and he had to wait until the tide went out. He had lived there for thirty
years, and he knew the name of every ship that passed. One night, in the middle of a storm, he saw a small boat without
a light.""".split())
USER_DEFINED, BYTE = 4, 6  # token types
NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class Tokenizer:
    """Byte pair encoding with the scores of SentencePiece, as llm_tokenizer_spm of llama.cpp."""

    def __init__(self, reader):
        self.tokens = reader.fields["tokenizer.ggml.tokens"].contents()
        self.scores = reader.fields["tokenizer.ggml.scores"].contents()
        types = reader.fields["tokenizer.ggml.token_type"].contents()
        self.begin = reader.fields["tokenizer.ggml.bos_token_id"].contents()
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self.bytes = {
            index: int(token[3:5], 16) for index, (token, kind) in enumerate(zip(self.tokens, types)) if kind == BYTE
        }
        whole = [token for token, kind in zip(self.tokens, types) if kind == USER_DEFINED]
        self.whole = re.compile("(" + "|".join(map(re.escape, sorted(whole, key=len, reverse=True))) + ")")

    def encode(self, text):
        ids = [self.begin]
        for index, part in enumerate(self.whole.split(text)):  # the parts with odd indices are user-defined tokens
            ids += [self.ids[part]] if index % 2 else self.merged(part.replace(" ", "\u2581"))
        return ids

    def merged(self, text):
        symbols = list(text)
        after = list(range(1, len(symbols) + 1))
        before = list(range(-1, len(symbols) - 1))
        heap = []

        def add(left):
            right = after[left] if left >= 0 else len(symbols)
            if (
                left >= 0
                and right < len(symbols)
                and (pair := self.ids.get(symbols[left] + symbols[right])) is not None
            ):
                heapq.heappush(heap, (-self.scores[pair], left, symbols[left] + symbols[right]))

        for left in range(len(symbols)):
            add(left)
        while heap:
            _, left, pair = heapq.heappop(heap)
            right = after[left]
            if not symbols[left] or right >= len(symbols) or symbols[left] + symbols[right] != pair:
                continue  # a symbol of the pair is merged with another
            symbols[left], symbols[right] = pair, ""
            after[left] = after[right]
            if after[left] < len(symbols):
                before[after[left]] = left
            add(before[left])
            add(left)
        ids = []
        for symbol in filter(None, symbols):
            ids += (
                [self.ids[symbol]] if symbol in self.ids else [self.ids[f"<0x{byte:02X}>"] for byte in symbol.encode()]
            )
        return ids

    def decode(self, ids):
        raw = b"".join(
            bytes([self.bytes[i]]) if i in self.bytes else self.tokens[i].replace("\u2581", " ").encode()
            for i in ids
            if i != self.begin
        )
        return raw.decode(errors="replace")


def load(reader):
    """Returns a model with the dequantized weights of the file."""

    def value(name):
        return reader.fields[f"gemma3.{name}"].contents()

    config = transformers.Gemma3TextConfig(
        vocab_size=len(reader.fields["tokenizer.ggml.tokens"].contents()),
        hidden_size=value("embedding_length"),
        intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"),
        num_attention_heads=value("attention.head_count"),
        num_key_value_heads=value("attention.head_count_kv"),
        head_dim=value("attention.key_length"),
        query_pre_attn_scalar=value("attention.key_length"),
        max_position_embeddings=value("context_length"),
        rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        sliding_window=value("attention.sliding_window"),
        rope_theta=value("rope.freq_base"),
        rope_local_base_freq=10000.0,
    )
    config._attn_implementation = "eager"
    state = {}
    for tensor in reader.tensors:
        numbers = torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy()).float()
        name = tensor.name.removesuffix(".weight")
        if "norm" in name:
            numbers = numbers - 1  # the file has the factors; transformers' weights are the factors without 1
        if match := re.fullmatch(r"blk\.(\d+)\.(\w+)", name):
            state[f"model.layers.{match[1]}.{NAMES[match[2]]}.weight"] = numbers
        else:
            state[{"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight"}[name]] = numbers
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    with torch.device("meta"):
        model = transformers.Gemma3ForCausalLM(config)
    model.load_state_dict(state, assign=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # buffers that are not in the state
    model.model.embed_tokens.embed_scale = torch.tensor(config.hidden_size**0.5)
    return model.eval()


def logits(model, ids):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids]), use_cache=False, logits_to_keep=1).logits[0, -1]


def compare(model, path, program, ids):
    generator = random.Random(1)
    many = [generator.randrange(model.config.vocab_size) for _ in range(600)]
    prompts = [ids[:length] for length in (1, 2, 7, 33) if length < len(ids)] + [ids, many]
    run = subprocess.run(
        [program, "-m", path],
        input="".join(json.dumps(prompt) + "\n" for prompt in prompts),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(run.stderr.strip())
    bad = 0
    for prompt, line in zip(prompts, run.stdout.splitlines(), strict=True):
        ours, theirs = torch.tensor(json.loads(line)["logits"]), logits(model, prompt)
        difference = ((ours - theirs).abs().max() / theirs.abs().max()).item()
        same = ours.argsort(descending=True)[:10].tolist() == theirs.argsort(descending=True)[:10].tolist()
        bad += not difference <= TOLERANCE
        print(
            f"{len(prompt):4} tokens: greatest difference {difference:.1e} of the greatest logit, "
            f"{'the same' if same else 'another'} order of the ten most likely tokens"
        )
    sys.exit(bad > 0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n\n")[2])
    parser.add_argument("file")
    parser.add_argument("--compare", metavar="LM_LOGITS")
    parser.add_argument("--continue", dest="count", type=int)
    parser.add_argument("--encode", action="store_true")
    parser.add_argument("--decode", action="store_true")
    parser.add_argument("--text")
    options = parser.parse_args()
    reader = gguf.GGUFReader(options.file)
    tokenizer = Tokenizer(reader)
    if options.decode:
        for line in sys.stdin:
            print(tokenizer.decode(json.loads(line)))
        return
    text = TEXT
    if options.text:
        with open(options.text, encoding="utf-8") as file:
            text = file.read()
    ids = tokenizer.encode(text)
    if options.encode:
        print(json.dumps(ids))
        return
    model = load(reader)
    if options.compare:
        compare(model, options.file, options.compare, ids)
    if options.count:
        with torch.inference_mode():
            ids = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=options.count)[0].tolist()
        print(tokenizer.decode(ids))


main()
