"""Writes a folder as a GGUF file with llama.cpp's converter.

The environment variable LLAMA_CPP is the folder of llama.cpp's sources with convert_hf_to_gguf.py. The folders of small
models have no tokenizer, so the file gets one with a token for each id.
"""

import json
import logging
import os
import pathlib
import sys
import tempfile

os.environ["TQDM_DISABLE"] = "1"  # no progress bars
LLAMA_CPP = os.environ.get("LLAMA_CPP")
if LLAMA_CPP:
    sys.path[:0] = [f"{LLAMA_CPP}/gguf-py", LLAMA_CPP]  # the converter needs the package of its version
import gguf
import safetensors.torch
import torch
import transformers


def write_tokens(self):
    count = self.hparams["vocab_size"]
    self.gguf_writer.add_tokenizer_model("gpt2")
    self.gguf_writer.add_tokenizer_pre("gpt-2")
    self.gguf_writer.add_token_list([f"t{index}" for index in range(count)])
    self.gguf_writer.add_token_types([gguf.TokenType.NORMAL] * count)
    self.gguf_writer.add_token_merges(["t 0"])


def settings(folder):
    """Returns the settings as the converter reads them, and members that it needs and transformers 5 renames."""
    config = transformers.AutoConfig.from_pretrained(folder)
    with open(f"{folder}/config.json", encoding="utf-8") as file:
        stored = json.load(file)
    own = config.to_dict()
    parameters = own.get("rope_parameters") or {}
    if config.model_type in ("gpt_neox", "cohere2"):
        own["rotary_pct"] = parameters.get("partial_rotary_factor", 1.0)
    if config.model_type == "falcon" and config.multi_query and not config.new_decoder_architecture:
        own["num_kv_heads"] = 1
    if config.model_type == "gpt2":
        own["n_ctx"] = own["n_positions"]
    return {name: value for name, value in stored.items() if name not in ("rope_scaling", "n_embed")} | own


def prepare(path):
    """Changes the tensors that the converter cannot read.

    Removes the buffers of old versions of transformers, and replaces StableLM's norms of each head by one tensor of a
    layer.
    """
    state = safetensors.torch.load_file(path)
    state = {name: value for name, value in state.items() if not name.endswith((".attn.bias", ".masked_bias"))}
    norms = [name for name in state if name.endswith("_layernorm.norms.0.weight")]
    for first in norms:
        place = first.removesuffix(".norms.0.weight")
        heads = sum(name.startswith(f"{place}.norms.") for name in state)
        state[f"{place}.weight"] = torch.stack([state.pop(f"{place}.norms.{head}.weight") for head in range(heads)])
    os.remove(path)
    safetensors.torch.save_file(state, path, {"format": "pt"})


def write(folder, path, outtype):
    """Writes the GGUF file with matrices of the type: f32, f16, bf16 or q8_0."""
    import conversion

    logging.disable(logging.WARNING)
    hparams = settings(folder)
    model_class = conversion.get_model_class(hparams["architectures"][0])
    model_class.set_vocab = write_tokens
    name = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0"}[outtype]
    with tempfile.TemporaryDirectory() as work:
        for file in pathlib.Path(folder).iterdir():
            os.symlink(file.resolve(), f"{work}/{file.name}")
        with open(f"{work}/tokenizer.json", "w", encoding="utf-8") as file:  # Gemma 3's converter counts its tokens
            json.dump(
                {
                    "model": {"vocab": {f"t{index}": index for index in range(hparams["vocab_size"])}},
                    "added_tokens": [],
                },
                file,
            )
        prepare(f"{work}/model.safetensors")
        model_class(
            pathlib.Path(work),
            gguf.LlamaFileType[name],
            pathlib.Path(path),
            eager=True,
            hparams=hparams,
            model_name="small",
        ).write()
    logging.disable(logging.NOTSET)
