"""Makes the models of families.py with transformers: random weights, folders, and reference logits in float32."""

import json
import os
import random
import zlib

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
import safetensors.torch
import torch
import transformers
from gguf import GGMLQuantizationType, quants

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity(transformers.logging.CRITICAL)
torch.set_num_threads(1)  # faster for models of this size


def text_settings(config):
    return config.get_text_config()


def attention(config):
    """Returns the implementation of attention. Falcon's eager attention adds ALiBi twice."""
    return "sdpa" if getattr(config, "alibi", False) else "eager"


def make(spec):
    """Returns the model with random weights, exact in bfloat16 and float16, or in Q8_0 for a GGUF file of Q8_0."""
    config = transformers.AutoConfig.for_model(spec.model_type, **json.loads(json.dumps(spec.settings)))
    torch.manual_seed(zlib.crc32(spec.name.encode()))
    model = transformers.AutoModelForCausalLM.from_config(
        config, dtype=torch.float32, attn_implementation=attention(config)
    ).eval()
    randomize(model)
    if spec.gguf == "q8_0":
        with torch.no_grad():
            for value in model.parameters():
                if value.ndim == 2:
                    kind = GGMLQuantizationType.Q8_0
                    value.copy_(torch.from_numpy(quants.dequantize(quants.quantize(value.numpy(), kind), kind)))
    return model


def randomize(model):
    width = text_settings(model.config).hidden_size
    with torch.no_grad():
        for value in model.parameters():
            # The weights of a norm are all 1, or all 0 if the model adds 1, and biases are 0
            middle = value.flatten()[0].item() if value.min() == value.max() else 0
            value.normal_(middle, 1.2 / width**0.5)
            value.copy_(value.half().bfloat16())


def prompts(spec):
    """Returns lists of token ids, in the order of their lengths."""
    vocabulary = (spec.settings.get("text_config") or spec.settings)["vocab_size"]
    generator = random.Random(spec.name)
    ids = [i for i in range(vocabulary) if spec.model_type != "gemma3" or not 90 <= i <= 92]  # not the tokens of images
    return [[generator.choice(ids) for _ in range(length)] for length in spec.lengths]


def logits(model, ids):
    """Returns the logits of the last position, of one forward pass of exactly these ids.

    The frequencies of the scalings dynamic and longrope depend on the length of the pass. The prompts of a model must
    come in the order of their lengths, because dynamic keeps the frequencies of the longest.
    """
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].float().numpy()


def old_buffers(model):
    """Returns the buffers that files of old versions of transformers have beside the weights."""
    config, causal = model.config, torch.ones(1, 1, 320, 320, dtype=torch.bool).tril()
    place = {
        "gpt2": "h.{}.attn",
        "gptj": "transformer.h.{}.attn",
        "gpt_neo": "transformer.h.{}.attn.attention",
        "gpt_neox": "gpt_neox.layers.{}.attention",
    }.get(config.model_type)
    buffers = {}
    for layer in range(config.num_hidden_layers if place else 0):
        buffers[place.format(layer) + ".bias"] = causal.clone()
        buffers[place.format(layer) + ".masked_bias"] = torch.tensor(-1e9)
        if config.model_type == "gpt_neox":
            buffers[place.format(layer) + ".rotary_emb.inv_freq"] = torch.ones(2)
    return buffers


def save(spec, model, folder):
    """Writes the folder, and checks that transformers reads the same model from it."""
    dtype = torch.float32 if spec.gguf == "q8_0" else getattr(torch, spec.dtype)
    model.config.dtype = dtype
    casts = {}  # one for both names of a tied weight, so that it is saved once
    state = {name: casts.setdefault(value.data_ptr(), value.to(dtype)) for name, value in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=state)
    if spec.bare or spec.extras:
        path, prefix = f"{folder}/model.safetensors", model.base_model_prefix + "."
        state = safetensors.torch.load_file(path)
        if spec.bare:
            state = {name.removeprefix(prefix): value for name, value in state.items()}
        if spec.extras:
            state |= old_buffers(model)
            if text_settings(model.config).tie_word_embeddings:
                state["lm_head.weight"] = model.get_output_embeddings().weight.detach().to(dtype).clone()
        safetensors.torch.save_file(state, path, {"format": "pt"})
    if spec.hub:
        config = {
            "architectures": model.config.architectures or [type(model).__name__],
            "model_type": spec.model_type,
            "torch_dtype": str(dtype).removeprefix("torch."),
            **spec.settings,
        }
        with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)
    if os.path.exists(f"{folder}/generation_config.json"):
        os.remove(f"{folder}/generation_config.json")
    read = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation=attention(model.config)
    ).eval()
    longest = prompts(spec)[-1]
    if not (logits(read, longest) == logits(model, longest)).all():
        raise SystemExit(f"{spec.name}: transformers reads another model from the folder")
