"""Muon, the optimizer of the matrices of the blocks (Jordan et al. 2024), with the scaling of Liu et al. 2025.

An update is the momentum with all singular values near one. torch.optim.Muon computes it in bfloat16, which is slow on
processors without bfloat16 arithmetic; this one uses the precision of the weights.
"""
from typing import Iterable

import torch


def orthogonalized(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Returns approximately the nearest matrix with orthonormal rows (or columns), by a quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix if matrix.size(0) <= matrix.size(1) else matrix.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        product = x @ x.T
        x = a * x + (b * product + c * product @ product) @ x
    return x if matrix.size(0) <= matrix.size(1) else x.T


class Muon(torch.optim.Optimizer):
    def __init__(self, matrices: Iterable[torch.Tensor], lr: float, weight_decay: float, momentum: float = 0.95):
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                momentum.lerp_(weight.grad, 1 - group["momentum"])
                update = orthogonalized(weight.grad.lerp(momentum, group["momentum"]))
                # Makes the root mean square of an update that of AdamW, so that learning rate and decay are comparable.
                scale = 0.2 * max(weight.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)
