"""Random matrices, and networks made of them, that tests share."""

from itertools import pairwise

import torch
from torch import Tensor, nn


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def orthogonal(steps: int, dimension: int, seed: int = 0) -> Tensor:
    return torch.linalg.qr(gaussian(steps, dimension, dimension, seed=seed)).Q


def largest_error(found: Tensor, exact: Tensor) -> float:
    return (found - exact).abs().max().item()


def mlp(*widths: int, activation=nn.Tanh, bias: bool = True) -> nn.Sequential:
    layers = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, bias=bias), activation()]
    return nn.Sequential(*layers[:-1])
