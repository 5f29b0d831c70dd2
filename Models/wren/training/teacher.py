"""SmolLM2 in PyTorch for a batch of texts: each step adds one token to each text.

The architecture is Llama's: RMSNorm, rotary embeddings, grouped-query attention, SwiGLU (Touvron et al. 2023), from a GGUF
file. transformers could run it too, but a preallocated KV cache with texts that start and end at any time is three times as
fast here.
"""
from pathlib import Path

import torch
import torch.nn.functional as F
from gguf import GGUFReader, dequantize

from recipe import DEVICE


class Teacher:
    """Runs `slots` texts of up to `length` tokens. Computes logits only for the ids in `vocabulary`."""

    def __init__(self, path: Path, slots: int, length: int, vocabulary: torch.Tensor):
        reader = GGUFReader(path)

        def fact(name: str):
            return reader.fields[f"llama.{name}"].contents()

        tensors = {tensor.name: torch.tensor(dequantize(tensor.data, tensor.tensor_type)).to(DEVICE)
                   for tensor in reader.tensors}
        self.n_embd, self.n_head = fact("embedding_length"), fact("attention.head_count")
        self.n_kv, self.eps = fact("attention.head_count_kv"), fact("attention.layer_norm_rms_epsilon")
        self.n_dim = self.n_embd // self.n_head
        self.embedding = tensors["token_embd.weight"]
        self.head = self.embedding[vocabulary.to(DEVICE)]
        self.norm = tensors["output_norm.weight"]

        def layer(number: int) -> dict[str, torch.Tensor]:
            def weight(*names: str) -> torch.Tensor:
                return torch.cat([tensors[f"blk.{number}.{name}.weight"] for name in names])
            return {"attention_norm": weight("attn_norm"), "query_key_value": weight("attn_q", "attn_k", "attn_v"),
                    "output": weight("attn_output"), "ffn_norm": weight("ffn_norm"),
                    "gate_up": weight("ffn_gate", "ffn_up"), "down": weight("ffn_down")}

        self.layers = [layer(number) for number in range(fact("block_count"))]
        self.keys = torch.zeros(len(self.layers), slots, self.n_kv, length, self.n_dim, device=DEVICE)
        self.values = torch.zeros_like(self.keys)
        frequencies = fact("rope.freq_base") ** (-torch.arange(0, self.n_dim, 2) / self.n_dim)
        angles = torch.arange(length)[:, None] * frequencies
        self.cos, self.sin = angles.cos().to(DEVICE), angles.sin().to(DEVICE)
        self.slots = torch.arange(slots, device=DEVICE)

    def rotate(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Applies RoPE to x [slots, heads, n_dim]. The pairs are interleaved in GGUF."""
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        a, b = x[..., ::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)

    def normed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (self.n_embd,), weight, self.eps)

    @torch.no_grad()
    def step(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Returns the logits [slots, vocabulary] after the token of each slot at its position."""
        slots, length = len(tokens), int(positions.max()) + 1
        tokens, positions = tokens.to(DEVICE), positions.to(DEVICE)
        mask = torch.where(torch.arange(length, device=DEVICE) <= positions[:, None], 0.0, -torch.inf)[:, None, None]
        x = self.embedding[tokens]
        for layer, keys, values in zip(self.layers, self.keys, self.values):
            rows = F.linear(self.normed(x, layer["attention_norm"]), layer["query_key_value"])
            query, key, value = rows.view(slots, -1, self.n_dim).split([self.n_head, self.n_kv, self.n_kv], 1)
            query, key = self.rotate(query, positions), self.rotate(key, positions)
            keys[self.slots, :, positions], values[self.slots, :, positions] = key, value
            mixed = F.scaled_dot_product_attention(query[:, :, None], keys[:, :, :length], values[:, :, :length],
                                                   attn_mask=mask, enable_gqa=True)
            x = x + F.linear(mixed.reshape(slots, self.n_embd), layer["output"])
            gate, up = F.linear(self.normed(x, layer["ffn_norm"]), layer["gate_up"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, layer["down"])
        return F.linear(self.normed(x, self.norm), self.head)
