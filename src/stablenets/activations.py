"""Activations by name, so that every function of the package takes them in the same way."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from stablenets._arguments import choice

Activation = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Activation] = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "selu": torch.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "erf": torch.erf,
}


def resolve(activation: str | Activation) -> Activation:
    """Return the elementwise function behind a name, or the callable itself (an ``nn.Module`` will do).

    >>> resolve("relu")(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])

    Raises:
        ValueError: an unknown name, with the known ones listed.
    """
    if callable(activation):
        return activation
    return ACTIVATIONS[choice("activation", activation, ACTIVATIONS)]
