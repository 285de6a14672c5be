"""Maps of the weights that leave the function of a network unchanged, and what gradient flow conserves by them."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from stablenets._arguments import finite
from stablenets.symmetry.hidden import hidden_layer


def permute_units(model: nn.Sequential, layer: int, permutation: Tensor | Sequence[int]) -> nn.Sequential:
    """Reorder the hidden units of one layer: new unit i is old unit ``permutation[i]``.

    With P the matrix of the permutation, ``W₂ φ(W₁x + b) = (W₂Pᵀ) φ(PW₁x + Pb)`` for every elementwise φ.

    Args:
        model: linear layers and elementwise activations; unchanged.
        layer: which linear layer computes the units, counted from 0.
        permutation: the numbers 0 to units − 1 in any order, ``(units,)``.

    Returns:
        A new model with the same function in evaluation mode.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: not a permutation, not a hidden layer, or what stands between the layers treats units differently.

    Source:
        Hecht-Nielsen, On the Algebraic Structure of Feedforward Network Weight Spaces, 1990.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> permuted = permute_units(model, 0, [2, 0, 1])
    >>> torch.equal(permuted[0].weight[0], model[0].weight[2])
    True
    """
    units = hidden_layer(model, layer).units
    order = torch.as_tensor(permutation).cpu()
    if order.dtype != torch.int64 or order.shape != (units,) or order.sort().values.tolist() != list(range(units)):
        raise ValueError(f"permutation must hold each of the integers 0 to {units - 1} once, got {order.tolist()}")
    return _transformed(model, layer, order, torch.ones(units), "an activation that treats all units alike")


def rescale_units(model: nn.Sequential, layer: int, factors: Tensor | Sequence[float]) -> nn.Sequential:
    """Multiply what enters each hidden unit by a > 0 and divide what leaves it by a.

    ``(W₂/a) φ(a(W₁x + b)) = W₂ φ(W₁x + b)`` if φ is positively homogeneous, ``φ(az) = aφ(z)``, as ReLU and leaky ReLU.

    Args:
        model: linear layers and elementwise activations; unchanged.
        layer: which linear layer computes the units, counted from 0.
        factors: one finite number > 0 for each unit, ``(units,)``.

    Returns:
        A new model with the same function in evaluation mode.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: a factor is not positive, not a hidden layer, or the activation is not positively homogeneous.

    Source:
        Neyshabur, Salakhutdinov, Srebro, Path-SGD: Path-Normalized Optimization in Deep Neural Networks, 2015.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> rescaled = rescale_units(model, 0, [1.0, 8.0, 0.5])
    >>> torch.equal(rescaled[0].bias[1], 8 * model[0].bias[1])
    True
    """
    units = hidden_layer(model, layer).units
    scale = finite("factors", torch.as_tensor(factors, dtype=torch.float64).cpu())
    if scale.shape != (units,) or (scale <= 0).any():
        raise ValueError(f"factors must be {units} numbers > 0, got {scale.tolist()}")
    return _transformed(model, layer, torch.arange(units), scale, "a positively homogeneous activation, such as ReLU")


def flip_units(model: nn.Sequential, layer: int, mask: Tensor | Sequence[bool]) -> nn.Sequential:
    """Change the sign of all that enters and all that leaves the hidden units in ``mask``.

    ``(−W₂) φ(−(W₁x + b)) = W₂ φ(W₁x + b)`` if φ is odd, ``φ(−z) = −φ(z)``, as tanh.

    Args:
        model: linear layers and elementwise activations; unchanged.
        layer: which linear layer computes the units, counted from 0.
        mask: True for each unit to flip, ``(units,)``.

    Returns:
        A new model with the same function in evaluation mode.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: the mask is not boolean, not a hidden layer, or the activation is not odd.

    Source:
        Hecht-Nielsen, On the Algebraic Structure of Feedforward Network Weight Spaces, 1990.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> flipped = flip_units(model, 0, [True, False, False])
    >>> torch.equal(flipped[2].weight[:, 0], -model[2].weight[:, 0])
    True
    """
    units = hidden_layer(model, layer).units
    flips = torch.as_tensor(mask).cpu()
    if flips.dtype != torch.bool or flips.shape != (units,):
        raise ValueError(f"mask must be {units} booleans, got {flips.tolist()}")
    return _transformed(model, layer, torch.arange(units), 1.0 - 2.0 * flips, "an odd activation, such as tanh")


def balancedness(model: nn.Sequential, layer: int) -> Tensor:
    """Return what each hidden unit receives less what it gives, ``‖w_in‖² + b² − ‖w_out‖²``.

    Gradient flow conserves it where :func:`rescale_units` leaves the function unchanged; gradient descent with learning
    rate lr lets it drift in proportion to lr over a fixed time lr · steps.

    Args:
        model: linear layers and any activations.
        layer: which linear layer computes the units, counted from 0.

    Returns:
        One number for each unit in float64, ``(units,)``.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: not a hidden layer, or weights that are not finite.

    Source:
        Du, Hu, Lee, Algorithmic Regularization in Learning Deep Homogeneous Models, 2018, theorem 2.1; we add the bias.

    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = [nn.init.ones_(parameter) for parameter in model.parameters()]
    >>> balancedness(model, 0).tolist()
    [3.0, 3.0]
    """
    hidden = hidden_layer(model, layer)
    squares = hidden.parameters_of_units().square()
    given = hidden.outgoing.out_features
    return squares[:, :-given].sum(1) - squares[:, -given:].sum(1)


@torch.no_grad()
def _transformed(model: nn.Sequential, layer: int, order: Tensor, scale: Tensor, needed: str) -> nn.Sequential:
    """Let new unit i be ``scale[i]`` times old unit ``order[i]``, and undo it in the weights that read it."""
    transformed = copy.deepcopy(model)
    incoming, between, outgoing = hidden_layer(transformed, layer)
    if not _commutes(between, order, scale):
        raise ValueError(f"layer {layer} must be followed by {needed}, got {[*between]}")
    scale = scale.to(incoming.weight)
    order = order.to(scale.device)
    incoming.weight.copy_(scale[:, None] * incoming.weight[order])
    if incoming.bias is not None:
        incoming.bias.copy_(scale * incoming.bias[order])
    outgoing.weight.copy_(outgoing.weight[:, order] / scale)
    return transformed


def _commutes(between: nn.Sequential, order: Tensor, scale: Tensor) -> bool:
    """Whether the modules give the same, to rounding, before and after the map of the units, from |z| = 10⁻³ to 10³."""
    # Batch normalisation has other values in training than in evaluation, so no probe could speak for both.
    if next(between.buffers(), None) is not None:
        return False
    between = copy.deepcopy(between).double().cpu().eval()
    generator = torch.Generator().manual_seed(0)
    size = torch.logspace(-3, 3, 61, dtype=torch.float64)[:, None]
    z = size * torch.randn(len(size), len(order), generator=generator, dtype=torch.float64)
    return torch.allclose(between(z[:, order] * scale), between(z)[:, order] * scale, rtol=1e-10, atol=1e-12)
