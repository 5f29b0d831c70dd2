"""Costs of the model's arithmetic: bytes read, operations."""
import json
import struct


def tensor_sizes(folder):
    """Returns the size in bytes of each tensor."""
    with open(f"{folder}/model.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: value["data_offsets"][1] - value["data_offsets"][0]
            for name, value in header.items() if name != "__metadata__"}


def bytes_read_per_token(folder):
    """Returns the bytes of all weights except the position embeddings. (The token embedding is the output head.)"""
    return sum(size for name, size in tensor_sizes(folder).items() if not name.endswith("wpe.weight"))


def operations_of_pass(folder, positions, logits):
    """Returns the multiplications and additions of the matrix products and of causal attention."""
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    width, layers = config["n_embd"], config["n_layer"]
    blocks = 12 * width * width * layers  # weights: 3 for qkv, 1 for the output projection, 4 + 4 for the MLP
    attention = layers * positions * (positions + 1) // 2 * 2 * width  # query-key products, weighted sum of values
    return 2 * (blocks * positions + attention + config["vocab_size"] * width * logits)
