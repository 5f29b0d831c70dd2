"""Makes small random models of GPT-2 and of the relatives of Llama, with the matrices of GGUF files in each type.

The GGUF writer is of this file, not llama.cpp's converter (gguf_files.py): it needs no sources of llama.cpp, and it
gives the model the values of the file, so that each type is compared.
"""
import json
import os

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Type

transformers.utils.logging.disable_progress_bar()
VOCABULARY, CONTEXT = 40, 64
IDS = [(5 * i * i + 3 * i + 1) % VOCABULARY for i in range(CONTEXT)]
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16, "rope_theta": 500000.0}
LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}
# kind -> (model type, settings besides the sizes)
KINDS = {
    "gpt2": ("gpt2", {}),
    "gpt2-untied": ("gpt2", {"tie_word_embeddings": False}),
    "llama": ("llama", {"tie_word_embeddings": False}),
    "llama-3": ("llama", {"rope_parameters": LLAMA3, "tie_word_embeddings": True}),
    "llama-linear": ("llama", {"rope_parameters": LINEAR, "tie_word_embeddings": True}),
    "llama-biases": ("llama", {"attention_bias": True, "mlp_bias": True, "num_key_value_heads": 4}),
    "llama-wide-heads": ("llama", {"head_dim": 24, "num_key_value_heads": 1}),
    "mistral": ("mistral", {"sliding_window": None}),
    "qwen2": ("qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", {"head_dim": 16, "tie_word_embeddings": False}),
}
# Models of the fixture of LanguageModelTests: as folders, and as GGUF with a type
FOLDERS = ["llama-3", "llama-linear", "llama-biases", "mistral", "qwen2", "qwen3"]
FILES = {"gpt2": "Q5_0", "llama-3": "Q4_1", "qwen3": "Q8_0"}
SIMPLE = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "MXFP4", "IQ4_NL"]
LONG = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "IQ3_S", "IQ3_XXS", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S",
        "TQ1_0", "TQ2_0"]  # blocks of 256
# Random blocks, most of them because the gguf package has no quantizer: the place of each half-precision number, and its size
SCALES = {"Q4_K": ((0, 3e-4), (2, 2e-3)), "Q5_K": ((0, 1e-4), (2, 2e-3)), "Q6_K": ((208, 3e-5),), "Q2_K": ((80, 6e-3), (82, 8e-3)),
          "Q3_K": ((108, 2e-3),), "IQ4_NL": ((0, 3e-3),), "IQ4_XS": ((0, 8e-5),), "IQ3_S": ((0, 6e-4),), "IQ3_XXS": ((0, 6e-4),),
          "IQ2_S": ((0, 1.5e-3),), "IQ2_XS": ((0, 1.5e-3),), "IQ2_XXS": ((0, 1.5e-3),), "IQ1_M": (), "IQ1_S": ((0, 0.012),),
          "TQ1_0": ((52, 0.1),), "TQ2_0": ((64, 0.08),)}


def make(kind, width):
    """Returns a model with random weights that are exact in bfloat16."""
    model_type, options = KINDS[kind]
    if model_type == "gpt2":
        sizes = dict(n_embd=width, n_layer=2, n_head=4, n_positions=CONTEXT, n_inner=width)
    else:
        sizes = dict(hidden_size=width, intermediate_size=width, num_hidden_layers=2, num_attention_heads=4,
                     num_key_value_heads=2, max_position_embeddings=CONTEXT, rope_parameters=PLAIN)
    config = transformers.AutoConfig.for_model(model_type, **(dict(vocab_size=VOCABULARY, **sizes) | options))
    config._attn_implementation = "eager"
    torch.manual_seed(7)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.normal_(1 if "norm" in name or "ln_" in name and name.endswith("weight") else 0, 1.2 / width**0.5)
            value.copy_(value.bfloat16())
    return model


def logits(model):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([IDS]), use_cache=False).logits[0].numpy()


def save(model, folder):
    """Saves the model as a folder in bfloat16. The model is not changed."""
    model.config.dtype = "bfloat16"
    state = {name: value.bfloat16() for name, value in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=state)


def random_blocks(shape, kind, generator):
    """Returns rows of random blocks whose values have about the magnitude of the other weights."""
    length, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (shape[0], shape[1] // length, size), dtype=np.uint8)
    if kind == Type.IQ1_M:  # the scale 2^-7, four bits in each of four places
        blocks[:, :, 49::2] = blocks[:, :, 49::2] & 15 | np.array([0, 0, 0, 0x20], np.uint8)
    for place, scale in SCALES[kind.name]:
        halves = generator.uniform(0.5, 1, (*blocks.shape[:2], 1)).astype(np.float32) * scale
        blocks[:, :, place:place + 2] = halves.astype(np.float16).view(np.uint8)
    return blocks.reshape(shape[0], -1)


def factors(parameters, width):
    """Returns the frequency factors that llama.cpp's converter writes for Llama 3's scaling."""
    frequency = parameters["rope_theta"] ** -(np.arange(0, width, 2) / width)
    turns = parameters["original_max_position_embeddings"] * frequency / (2 * np.pi)
    low, high, factor = parameters["low_freq_factor"], parameters["high_freq_factor"], parameters["factor"]
    smooth = (turns - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    return np.where(turns > high, 1, np.where(turns < low, factor, between)).astype(np.float32)


def write_gguf(model, path, type_name):
    """Writes a GGUF file as llama.cpp's converter does, with every matrix in the type.

    The model gets the values of the file.
    """
    c, kind = model.config, Type[type_name]
    is_gpt2 = c.model_type == "gpt2"
    architecture = "llama" if c.model_type == "mistral" else c.model_type
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], c.num_hidden_layers)
    generator = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(c.hidden_size)
    writer.add_block_count(c.num_hidden_layers)
    writer.add_feed_forward_length(c.n_inner if is_gpt2 else c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    if is_gpt2:
        writer.add_layer_norm_eps(c.layer_norm_epsilon)
    else:
        head = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
        writer.add_head_count_kv(c.num_key_value_heads)
        writer.add_layer_norm_rms_eps(c.rms_norm_eps)
        writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
        writer.add_rope_dimension_count(head)
        writer.add_key_length(head)
        writer.add_value_length(head)
        if c.rope_parameters["rope_type"] == "linear":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(c.rope_parameters["factor"])
        if c.rope_parameters["rope_type"] == "llama3":
            writer.add_tensor("rope_freqs.weight", factors(c.rope_parameters, head))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{index}" for index in range(VOCABULARY)])
    writer.add_token_types([gguf.TokenType.NORMAL] * VOCABULARY)
    writer.add_token_merges(["t 0"])

    def permuted(rows, heads):  # NeoX-style pairs of a head become interleaved
        return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)

    state = model.state_dict()
    for name, value in state.items():
        if name == "lm_head.weight" and c.tie_word_embeddings:
            continue
        is_conv1d = is_gpt2 and value.ndim == 2 and ".h." in name
        numbers = (value.T if is_conv1d else value).contiguous().numpy()
        stored, raw = numbers, None
        if value.ndim == 2 and "wpe" not in name and kind != Type.F32:
            if type_name in SCALES:
                stored, raw = random_blocks(numbers.shape, kind, generator), kind
            elif kind == Type.F16:
                stored = numbers.astype(np.float16)
            else:
                stored, raw = gguf.quants.quantize(numbers, kind), kind
            numbers = gguf.quants.dequantize(stored.view(np.uint8), kind) if raw else stored.astype(np.float32)
            held = torch.from_numpy(np.ascontiguousarray(numbers))
            value.copy_(held.T if is_conv1d else held)
        if architecture == "llama" and ("q_proj" in name or "k_proj" in name):
            stored = permuted(stored, c.num_attention_heads if "q_proj" in name else c.num_key_value_heads)
        theirs = names.get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(theirs, np.ascontiguousarray(stored), raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def models(folder, wanted):
    """Writes each model in each form, and yields its name, its path and the model with the values of the file.

    wanted: returns whether a model of this name is wanted.
    """
    for kind in KINDS:
        if wanted(kind):
            model = make(kind, 32)
            save(model, f"{folder}/{kind}")
            yield kind, f"{folder}/{kind}", model
        for type_name in SIMPLE + LONG:
            if not wanted(f"{kind}.{type_name}"):
                continue
            model = make(kind, 256 if type_name in LONG else 32)
            if type_name in LONG and model.config.model_type != "gpt2" and model.config.num_attention_heads * (
                    getattr(model.config, "head_dim", None) or 64) % 256:
                continue  # the head outputs do not fill whole blocks
            path = f"{folder}/{kind}.{type_name}.gguf"
            write_gguf(model, path, type_name)
            yield f"{kind}.{type_name}", path, model


def write_fixture(folder):
    with open(f"{folder}/logits.jsonl", "w", encoding="utf-8") as output:
        def add(name, model):
            values = logits(model)
            for length in (1, 2, 17, CONTEXT):
                last = [round(float(value), 6) for value in values[length - 1]]
                output.write(json.dumps({"model": name, "ids": IDS[:length], "logits": last}) + "\n")

        for kind in FOLDERS:
            model = make(kind, 32)
            save(model, f"{folder}/{kind}")
            os.remove(f"{folder}/{kind}/generation_config.json")
            add(kind, model)
        for kind, type_name in FILES.items():
            model = make(kind, 32)
            write_gguf(model, f"{folder}/{kind}.{type_name}.gguf", type_name)
            add(f"{kind}.{type_name}.gguf", model)
