"""Compares models with random settings with transformers in float32: sizes, windows, RoPE, activations, biases, factors.

random_models.py LM_LOGITS [--only FAMILY,...] [--first FIRST] [--count COUNT] [--seed SEED] [--gguf] [--keep FOLDER]
    compares COUNT models (default: 20) of each family. A model depends on the seed, the family and its number only.
    Settings that transformers itself rejects are counted and left out. With --gguf, the models have no settings that a
    GGUF file cannot hold, and are compared from GGUF files too (LLAMA_CPP, see gguf_files.py). Differences and refusals
    are kept in FOLDER.

The tolerance is 2e-4 of the greatest logit. The exit status is 1 if a model fails.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import gguf_files  # the first of these: it chooses the gguf package
import make
import numpy as np
import torch
import transformers

TOLERANCE = 2e-4
ACTIVATIONS = (
    "gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "gelu_accurate",
    "gelu_python_tanh", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu", "relu2", "relu6",
    "sigmoid", "silu", "swish", "tanh",
)
GATED = ("gemma", "gemma2", "gemma3_text", "gemma3", "phi3", "olmo", "olmo2", "olmo3", "stablelm", "granite", "smollm3",
         "cohere", "cohere2", "llama", "mistral", "qwen2", "qwen3")
FAMILIES = ("gpt2", "opt", "gpt_neo", "gpt_neox", "gptj", "phi", "starcoder2", "bloom", "falcon", *GATED)
OWN_HEAD = ("gemma", "gemma2", "gemma3_text", "llama", "mistral", "qwen3", "qwen2", "olmo2", "granite", "cohere", "phi3",
            "starcoder2", "smollm3", "cohere2", "olmo3", "olmo")  # config.head_dim is used by the code


class Draw(random.Random):
    def maybe(self, probability=0.5):
        return self.random() < probability

    def near(self, low, high):
        """Returns a number between low and high, uniform in its logarithm."""
        return float(f"{low * (high / low) ** self.random():.4g}")

    def whole(self, low, high):
        return max(low, min(high, round(self.near(low, high))))


def rope(draw, head, context, partial, kinds=None):
    """Returns rope_parameters."""
    parameters = {"rope_theta": draw.choice([10000.0, 1000000.0, 500, draw.near(2, 1e8)])}
    rotated = head
    if partial is not None and draw.maybe(0.8):
        parameters["partial_rotary_factor"] = partial
        rotated = int(head * partial)
    kind = draw.choice(kinds or ["default", "default", "linear", "dynamic", "yarn", "longrope", "llama3", "proportional"])
    parameters["rope_type"] = kind
    original = draw.choice([draw.whole(2, 400), context])
    if kind in ("linear", "dynamic", "yarn", "llama3"):
        parameters["factor"] = draw.choice([1.0, 2.0, 8, draw.near(1, 64)])
    if kind in ("yarn", "llama3") or kind == "longrope":
        parameters["original_max_position_embeddings"] = original
    if kind == "yarn":
        for name, low, high in (("beta_fast", 2, 64), ("beta_slow", 0.1, 2), ("attention_factor", 0.5, 2)):
            if draw.maybe(0.3):
                parameters[name] = draw.near(low, high)
        if draw.maybe(0.3):
            parameters |= {"mscale": draw.near(0.2, 2), "mscale_all_dim": draw.near(0.2, 2)}
        if draw.maybe(0.3):
            parameters["truncate"] = draw.maybe()
    elif kind == "longrope":
        count = (rotated + 1) // 2
        for name in ("short_factor", "long_factor"):
            parameters[name] = [draw.near(0.9, 30) for _ in range(count)]
        if draw.maybe(0.3):
            parameters["factor"] = draw.near(1, 40)
        if draw.maybe(0.3):
            parameters["attention_factor"] = draw.near(0.7, 1.5)
    elif kind == "llama3":
        parameters["low_freq_factor"] = draw.near(0.5, 3)
        parameters["high_freq_factor"] = parameters["low_freq_factor"] * draw.near(1.5, 6)
    elif kind == "proportional":
        if draw.maybe():
            parameters["factor"] = draw.near(1, 8)
        if draw.maybe():
            parameters["partial_rotary_factor"] = draw.choice([0.25, 0.5, draw.near(0.1, 1)])
    return parameters


def settings(family, draw):
    """Returns random settings of a family."""
    small = family == "gemma3"
    kv = draw.choice([1, 1, 2, 3, 4])
    heads = kv * draw.choice([1, 1, 2, 3, 5])
    head = draw.choice([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 26, 32, 34, 48, 64, 66, 80])
    odd_heads = family in ("gpt2", "opt", "gpt_neo", "bloom")
    if odd_heads and draw.maybe():
        head = draw.choice([1, 3, 5, 7, 9, 11, 13, 17, 31, 33])
    while heads * head > 260:
        head = max(2, head // 2 // 2 * 2)
    layers = draw.choice([1, 2, 3, 4, 7])
    width = heads * head
    context = draw.choice([300, 320, 512, 333, 2048])
    inner = draw.choice([draw.randint(1, 200), 4 * width if width < 60 else 100])
    vocabulary = draw.choice([draw.randint(5, 300), 33, 256])
    name = {"gpt2": "activation_function", "opt": "activation_function", "gpt_neo": "activation_function",
            "gptj": "activation_function", "falcon": "activation", "gemma2": "hidden_activation",
            "gemma3_text": "hidden_activation", "gemma3": "hidden_activation"}.get(family, "hidden_act")
    own = {"vocab_size": vocabulary}
    if draw.maybe(0.6) and family != "bloom":
        own[name] = draw.choice(ACTIVATIONS)
    if draw.maybe(0.3):
        own["use_cache"] = False
    if draw.maybe(0.4):
        own["tie_word_embeddings"] = draw.maybe()
    if draw.maybe(0.3):
        own["initializer_range"] = draw.near(0.005, 0.5)
    for token in ("bos_token_id", "eos_token_id", "pad_token_id"):
        own[token] = draw.randrange(vocabulary)
        if draw.maybe(0.3) and token != "eos_token_id":
            own[token] = None
    if draw.maybe(0.2):
        own["eos_token_id"] = [draw.randrange(vocabulary), draw.randrange(vocabulary)]
    epsilon = draw.choice([1e-5, 1e-6, 1e-12, draw.near(1e-8, 0.5)])
    if family == "gpt2" or family == "gptj":
        own |= {"n_positions": context, "n_embd": width, "n_layer": layers, "n_head": heads,
                "n_inner": draw.choice([None, inner]), "layer_norm_epsilon": epsilon}
        if family == "gpt2":
            for member in ("scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn"):
                if draw.maybe(0.4):
                    own[member] = draw.maybe()
        else:
            own["rotary_dim"] = draw.choice([head, 2 * draw.randint(1, head // 2), None, 64])
        return own
    if family == "opt":
        return own | {
            "hidden_size": width, "num_hidden_layers": layers, "ffn_dim": inner, "max_position_embeddings": context,
            "num_attention_heads": heads, "word_embed_proj_dim": draw.choice([width, width, width, draw.randint(1, 80)]),
            "do_layer_norm_before": draw.maybe(0.85), "enable_bias": draw.maybe(0.7),
            "layer_norm_elementwise_affine": draw.maybe(0.7), "_remove_final_layer_norm": draw.maybe(0.2)}
    if family == "gpt_neo":
        types = [[[draw.choice(["global", "local"])], draw.choice([1, 1, 2])] for _ in range(layers)]
        count = sum(n for _, n in types)
        return own | {
            "hidden_size": width, "num_layers": count, "num_heads": heads, "attention_types": types,
            "max_position_embeddings": context, "intermediate_size": draw.choice([None, inner]),
            "window_size": draw.whole(1, 400), "layer_norm_epsilon": epsilon}
    if family == "bloom":
        return own | {
            "hidden_size": width, "n_layer": layers, "n_head": heads, "layer_norm_epsilon": epsilon,
            "apply_residual_connection_post_layernorm": draw.maybe(0.3), "slow_but_exact": draw.maybe(0.2),
            "pretraining_tp": draw.choice([1, 1, 2])}
    own |= {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
            "max_position_embeddings": context}
    if family == "falcon":
        own |= {"layer_norm_epsilon": epsilon, "alibi": draw.maybe(0.3),
                "new_decoder_architecture": draw.maybe(0.4), "multi_query": draw.maybe(), "parallel_attn": draw.maybe(),
                "bias": draw.maybe(), "num_kv_heads": draw.choice([kv, None]), "ffn_hidden_size": draw.choice([None, inner]),
                "num_ln_in_parallel_attn": draw.choice([None, 1, 2]), "rope_parameters": rope(draw, head, context, None)}
        return own
    own["intermediate_size"] = inner
    if family not in ("gpt_neox",):
        own["num_key_value_heads"] = kv
        if family in ("phi", "phi3", "olmo", "olmo2", "olmo3", "granite", "smollm3", "cohere", "cohere2", "llama") and draw.maybe(0.2):
            own["num_key_value_heads"] = None
    if family == "olmo":
        own["clip_qkv"] = draw.choice([None, draw.near(0.01, 8)])
    elif family in ("gpt_neox", "phi", "stablelm", "cohere", "cohere2"):
        own["layer_norm_eps"] = epsilon
    elif family == "starcoder2":
        own["norm_epsilon"] = epsilon
    else:
        own["rms_norm_eps"] = epsilon
    if family in OWN_HEAD and family not in ("phi3",) and draw.maybe(0.6):
        head = own["head_dim"] = draw.choice([2, 4, 6, 8, 10, 14, 16, 22, 34, 40, 64, 80])
        if draw.maybe():
            own["hidden_size"] = draw.randint(1, 150)
    elif family.startswith("gemma"):
        own["head_dim"] = head
    elif family == "qwen3" or family == "cohere2" or family == "llama" or family == "mistral":
        if draw.maybe():
            own["head_dim"] = None
            if family in ("qwen3", "cohere2"):
                own["head_dim"] = head
        elif family in ("qwen3",):
            own["head_dim"] = head
    partial = None
    if family in ("gpt_neox", "phi", "stablelm", "phi3") or draw.maybe(0.1):
        partial = draw.choice([0.25, 0.5, 0.75, 1.0, 0.4, 0.3, draw.near(0.1, 1)])
    kinds = ["default"] if draw.maybe(0.3) else None
    if family == "phi3":
        kinds = ["default", "longrope"]
        own["original_max_position_embeddings"] = draw.choice([draw.whole(2, 400), context])
    nested = family in ("gemma3_text", "gemma3", "olmo3")
    if draw.maybe(0.8):
        if nested:
            own["rope_parameters"] = {
                kind: rope(draw, head, context, partial, kinds if kind == "full_attention" or draw.maybe(0.3) else ["default"])
                for kind in ("full_attention", "sliding_attention")}
        else:
            own["rope_parameters"] = rope(draw, head, context, partial, kinds)
        if family == "phi3" and own["rope_parameters"]["rope_type"] == "longrope":
            own["rope_parameters"].pop("original_max_position_embeddings", None)
    flags = {
        "gpt_neox": ["use_parallel_residual", "attention_bias"], "phi": ["qk_layernorm"],
        "stablelm": ["use_qkv_bias", "qk_layernorm", "use_parallel_residual"], "starcoder2": ["use_bias"],
        "granite": ["attention_bias", "mlp_bias"], "smollm3": ["attention_bias", "mlp_bias"],
        "cohere": ["attention_bias", "use_qk_norm"], "cohere2": ["attention_bias"], "llama": ["attention_bias", "mlp_bias"],
        "qwen3": ["attention_bias"], "olmo": ["attention_bias"], "olmo2": ["attention_bias"], "olmo3": ["attention_bias"],
        "gemma": ["attention_bias"], "gemma2": ["attention_bias"], "gemma3_text": ["attention_bias"],
    }.get(family, [])
    for flag in flags:
        if draw.maybe(0.6):
            own[flag] = draw.maybe()
    window = draw.choice([draw.whole(1, 400), draw.randint(1, 400), 1, 63, 64, 65])
    if family in ("gemma2", "gemma3_text", "gemma3", "olmo3", "cohere2", "phi3", "mistral", "starcoder2"):
        own["sliding_window"] = window
        if family in ("phi3", "mistral", "starcoder2") and draw.maybe(0.3):
            own["sliding_window"] = None
    elif family in ("qwen2", "qwen3", "smollm3"):
        own |= {"use_sliding_window": draw.maybe(0.7), "sliding_window": window}
        if family != "smollm3":
            own["max_window_layers"] = draw.randint(0, layers)
    if family in ("gemma2", "gemma3_text", "gemma3", "olmo3", "cohere2", "qwen2", "qwen3", "smollm3") and draw.maybe():
        own["layer_types"] = [draw.choice(["full_attention", "sliding_attention"]) for _ in range(layers)]
    if family in ("gemma3_text", "cohere2") and "layer_types" not in own and draw.maybe():
        own["sliding_window_pattern"] = draw.randint(1, 6)
    if family in ("gemma2", "gemma3_text", "gemma3"):
        own["query_pre_attn_scalar"] = draw.choice([head, 256, draw.whole(1, 300)])
        for cap in ("attn_logit_softcapping", "final_logit_softcapping"):
            if draw.maybe():
                own[cap] = draw.choice([None, draw.near(0.5, 60)])
    if family == "granite":
        for member, low, high in (("embedding_multiplier", 0.1, 20), ("logits_scaling", 0.1, 20),
                                  ("residual_multiplier", 0.05, 3), ("attention_multiplier", 0.01, 2)):
            if draw.maybe(0.7):
                own[member] = draw.near(low, high)
    if family in ("cohere", "cohere2"):
        own["logit_scale"] = draw.choice([0.0625, draw.near(0.01, 10)])
    if family == "smollm3":
        if draw.maybe():
            own["no_rope_layers"] = [draw.randint(0, 1) for _ in range(layers)]
        else:
            own["no_rope_layer_interval"] = draw.randint(1, 5)
    return own


# Members that llama.cpp's converter does not write
DROPPED = (
    "activation_function", "activation", "hidden_act", "hidden_activation", "scale_attn_weights", "alibi", "bias",
    "scale_attn_by_inverse_layer_idx", "parallel_attn", "attention_bias", "qk_layernorm", "layer_types", "use_qk_norm",
    "sliding_window_pattern", "apply_residual_connection_post_layernorm", "slow_but_exact", "no_rope_layers",
    "no_rope_layer_interval", "use_sliding_window", "tie_word_embeddings", "mlp_bias", "use_bias",
)


def for_gguf(family, own, draw):
    """Returns the settings without those that a GGUF file cannot hold."""
    own = {name: value for name, value in own.items() if name not in DROPPED}
    base = draw.choice([10000.0, 500.0, 1000000.0])
    if family in ("gemma", "gemma2", "phi", "gpt_neox", "stablelm", "falcon"):
        base = 10000.0
    if "rope_parameters" in own:
        rope = {"rope_type": "default", "rope_theta": base}
        if family in ("gpt_neox", "phi", "stablelm"):
            rope["partial_rotary_factor"] = draw.choice([0.25 if family == "gpt_neox" else 0.5, 0.5, 1.0])
        elif family in ("llama", "mistral", "qwen2", "qwen3") and draw.maybe():
            rope |= {"rope_type": "linear", "factor": draw.near(1, 8)}
        own["rope_parameters"] = rope
        if family in ("gemma3_text", "olmo3"):
            local = rope | {"rope_theta": 10000.0} if family == "gemma3_text" else rope
            own["rope_parameters"] = {"full_attention": rope, "sliding_attention": local}
    if family in ("granite", "cohere2"):
        own.pop("head_dim", None)
        own["hidden_size"] = own["num_attention_heads"] * 16
    if family == "falcon":
        own |= {"ffn_hidden_size": None, "num_kv_heads": None}
    if family == "gpt2":
        own["n_inner"] = None
    if family == "gemma2":
        own = {name: value for name, value in own.items() if not name.endswith("softcapping") or value is not None}
    if "query_pre_attn_scalar" in own:
        own["query_pre_attn_scalar"] = own["head_dim"]
    if family in ("mistral", "starcoder2", "qwen2", "qwen3", "smollm3", "phi3"):
        own["sliding_window"] = None
    if family == "phi":
        own |= {"num_key_value_heads": own["num_attention_heads"], "intermediate_size": 4 * own["hidden_size"]}
    return own


def configuration(family, own, draw):
    if family != "gemma3":
        return transformers.AutoConfig.for_model(family, **own)
    vision = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=16,
                  patch_size=8)
    last = own["vocab_size"]
    own["vocab_size"] += 3
    return transformers.AutoConfig.for_model(
        "gemma3", text_config=own, vision_config=vision, mm_tokens_per_image=4, boi_token_index=last,
        eoi_token_index=last + 1, image_token_index=last + 2)


def initialize(model, draw):
    """Keeps the default weights, or draws weights, norms and biases of a random scale."""
    kind = draw.choice(["default", "random", "random", "large", "norms"])
    if kind == "default":
        return kind
    width = make.text_settings(model.config).hidden_size
    scale = {"random": draw.near(0.3, 2), "large": 30 * 0.02 * width**0.5, "norms": 1}[kind]
    with torch.no_grad():
        for value in model.parameters():
            constant = value.numel() > 0 and value.min() == value.max()
            if kind == "large" and constant:
                value += torch.randn_like(value) * 0.1
            elif kind == "norms" and not constant:
                value *= draw.near(0.5, 5)
            else:
                middle = value.flatten()[0].item() if constant else 0
                value.normal_(middle, scale / width**0.5)
    return kind


def prompts(vocabulary, draw):
    lengths = sorted({1, draw.randint(2, 20), draw.randint(20, 100), draw.randint(100, 300), draw.choice([63, 64, 65, 300])})
    return [[draw.randrange(vocabulary) for _ in range(length)] for length in lengths]


def run(program, path, records):
    """Returns the logits of the last positions, or a text with the error."""
    lines = "".join(json.dumps(ids) + "\n" for ids in records)
    result = subprocess.run([program, "-m", path], input=lines, capture_output=True, text=True, check=False)
    if result.returncode:
        return (result.stderr.strip() or str(result.returncode)).replace(path, "PATH")
    return np.array([json.loads(line)["logits"] for line in result.stdout.splitlines()])


def difference(found, wanted):
    """Returns the greatest difference relative to the greatest logit, and whether the order of the top ten differs."""
    worst, swapped = 0.0, False
    for ours, theirs in zip(found, wanted, strict=True):
        greatest = np.abs(theirs).max() or 1
        worst = np.maximum(worst, np.abs(ours - theirs).max() / greatest)
        order, reference = np.argsort(-ours)[:10], np.argsort(-theirs)[:10]
        swapped |= any(abs(theirs[a] - theirs[b]) > TOLERANCE * greatest for a, b in zip(order, reference))
    return worst, swapped


def compare(program, family, number, seed, folder, with_gguf):
    """Returns a list of outcomes (kind, text) of one model: its folder, and its GGUF file."""
    draw = Draw(f"{seed} {family} {number}")
    torch.manual_seed(draw.randrange(1 << 30))
    own = settings(family, draw)
    if with_gguf:
        own = for_gguf(family, own, draw)
    vocabulary = own["vocab_size"]
    try:
        config = configuration(family, json.loads(json.dumps(own)), draw)
        model = transformers.AutoModelForCausalLM.from_config(config)
        kind = initialize(model, draw)
        dtype = draw.choice(["float32", "float32", "bfloat16", "float16"])
        if with_gguf and family.startswith("gemma") and dtype == "float16":
            dtype = "bfloat16"  # the converter adds 1 to the weights of norms in float16
        model = model.to(getattr(torch, dtype)).eval()
        options = {} if draw.maybe(0.7) else {"max_shard_size": draw.choice(["2KB", "20KB", "200KB"])}
        shutil.rmtree(folder, ignore_errors=True)
        model.save_pretrained(folder, **options)
        eager = family in ("gemma2", "gpt_neo", "bloom", "gptj") or draw.maybe()
        eager = eager and not own.get("alibi")  # the eager attention of Falcon adds ALiBi twice
        read = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager" if eager else "sdpa").eval()
        records = prompts(vocabulary, draw)
        wanted = [make.logits(read, ids) for ids in records]
    except Exception as error:
        return [("rejected", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")]
    if not all(np.isfinite(logits).all() for logits in wanted):
        return [("rejected", "not finite")]
    found = run(program, folder, records)
    outcomes = [outcome(found, wanted)]
    if outcomes[0][0] == "different":
        exact = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
        for module in exact.modules():
            if hasattr(module, "reorder_and_upcast_attn"):
                module.reorder_and_upcast_attn = False  # is of float32
        exact = [make.logits(exact.eval(), ids) for ids in records]
        noise = difference(wanted, exact)[0]
        # Models with large weights can be ill-conditioned: transformers in float32 is as far from float64.
        kind_of_difference = "ill-conditioned" if noise > TOLERANCE / 4 else "different"
        distances = f"from float64 {difference(found, exact)[0]:.1e}, float32 {noise:.1e}"
        outcomes[0] = (kind_of_difference, f"{outcomes[0][1]}; {distances}")
    if with_gguf:
        path = f"{folder}/model.gguf"
        quantized = draw.choice(["f32", "f16", "bf16"])
        try:
            if not os.path.exists(f"{folder}/model.safetensors"):
                model.save_pretrained(folder, max_shard_size="1GB")
                os.remove(f"{folder}/model.safetensors.index.json")
            if dtype != quantized.replace("bf", "bfloat").replace("f1", "float1").replace("f3", "float3"):
                quantized = "f32"
            gguf_files.write(folder, path, quantized)
        except (Exception, SystemExit) as error:
            outcomes.append(("gguf not written", f"{type(error).__name__}: {error}"))
        else:
            result, text = outcome(run(program, path, records), wanted)
            outcomes.append((f"gguf {result}", text))
    return [(result, f"{text} [{kind} {dtype}]") for result, text in outcomes]


def outcome(found, wanted):
    if isinstance(found, str):
        return "refused", found
    if found.shape != np.array(wanted).shape:
        return "different", f"logits of shape {found.shape}"
    worst, swapped = difference(found, wanted)
    good = worst <= TOLERANCE and not swapped
    return "equal" if good else "different", f"{worst:.1e}{' another order' if swapped else ''}"


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n\n")[2])
    parser.add_argument("program")
    parser.add_argument("--only", default=",".join(FAMILIES))
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--gguf", action="store_true")
    parser.add_argument("--keep")
    options = parser.parse_args()
    counts = {}
    with tempfile.TemporaryDirectory() as work:
        for family in options.only.split(","):
            own = {}
            for number in range(options.first, options.first + options.count):
                folder = f"{work}/model"
                for kind, text in compare(options.program, family, number, options.seed, folder, options.gguf):
                    own[kind] = own.get(kind, 0) + 1
                    if not kind.endswith("equal"):
                        print(f"{family} {number}: {kind}: {text}", flush=True)
                    if options.keep and kind.endswith(("different", "refused")):
                        shutil.copytree(folder, f"{options.keep}/{family}-{number}", dirs_exist_ok=True)
            print(f"{family}: {own}", flush=True)
            counts = {kind: counts.get(kind, 0) + own.get(kind, 0) for kind in counts | own}
    print(counts)
    sys.exit(1 if any(kind.endswith(("different", "refused")) for kind in counts) else 0)


if __name__ == "__main__":
    main()
