"""Hidden units that are copies of one another: how to make them, find them, and measure how far they have parted."""

import math

import torch
from torch import Tensor, nn

from stablenets._arguments import finite, non_negative
from stablenets.symmetry.hidden import hidden_layer


@torch.no_grad()
def constant_(model: nn.Module, value: float = 0.5) -> nn.Module:
    """Set every weight to ``value`` and every bias to zero, and return the model: all units of a layer are then tied.

    The scales of normalisation layers, which have one dimension and are no biases, stay as they are.

    Args:
        model: changed in place.
        value: any finite number.

    Raises:
        ValueError: the value is not finite, or the model has no weight matrix or kernel.

    >>> model = constant_(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    >>> model[0].weight.unique().tolist(), model[0].bias.tolist()
    ([0.5], [0.0, 0.0, 0.0])
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"value must be a finite number, got {value!r}")
    if all(parameter.ndim < 2 for parameter in model.parameters()):
        raise ValueError(f"model must have a weight matrix or kernel, got {type(model).__name__} without any")
    for name, parameter in model.named_parameters():
        if "bias" in name.rpartition(".")[2]:
            parameter.zero_()
        elif parameter.ndim >= 2:
            parameter.fill_(value)
    return model


def tied_units(model: nn.Sequential, layer: int, tolerance: float = 0.0) -> list[list[int]]:
    """Find the hidden units that are copies: equal incoming weights, equal biases and equal outgoing weights.

    Copies get equal gradients, so gradient descent in exact arithmetic keeps them copies.

    Args:
        model: linear layers and any activations, whose own parameters are not compared.
        layer: which linear layer computes the units, counted from 0.
        tolerance: largest difference of any weight from the first unit of the group, ≥ 0.

    Returns:
        The groups of two or more tied units, each in ascending order; empty if all units differ.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: not a hidden layer, a negative tolerance, or weights that are not finite.

    >>> model = constant_(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)))
    >>> _ = nn.init.ones_(model[0].bias[1:3])
    >>> tied_units(model, 0)
    [[0, 3], [1, 2]]
    """
    non_negative("tolerance", tolerance)
    units = hidden_layer(model, layer).parameters_of_units()
    groups: list[list[int]] = []
    for unit, parameters in enumerate(units):
        for group in groups:
            if (parameters - units[group[0]]).abs().max() <= tolerance:
                group.append(unit)
                break
        else:
            groups.append([unit])
    return [group for group in groups if len(group) > 1]


def tie_deviation(model: nn.Sequential, layer: int) -> float:
    """Measure how far the hidden units have parted, ``max_i ‖u_i − ū‖ / ‖ū‖`` with ``ū`` the mean unit.

    Args:
        model: linear layers and any activations.
        layer: which linear layer computes the units ``u_i = (w_in, b, w_out)``, counted from 0.

    Returns:
        0 if all units are tied and, but for underflow, only then; of the order of √units for independent random units;
        infinite if the mean unit is zero but the units are not.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: not a hidden layer, or weights that are not finite.

    >>> model = constant_(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)), 1.0)
    >>> tie_deviation(model, 0)
    0.0
    >>> _ = nn.init.constant_(model[0].bias, 1.0)
    >>> _ = nn.init.constant_(model[0].bias[0], -1.0)
    >>> round(tie_deviation(model, 0), 4)
    0.5774
    """
    units = hidden_layer(model, layer).parameters_of_units()
    # The differences from one unit are exactly zero for tied units, whereas the mean of equal numbers may be rounded.
    differences = units - units[0]
    shift = differences.mean(0)
    deviation = (differences - shift).norm(dim=1).max().item()
    return deviation / size if (size := (units[0] + shift).norm().item()) else math.inf if deviation else 0.0


def effective_rank(matrix: Tensor) -> float:
    """Return the effective rank, ``exp(−Σ p_i ln p_i)`` with ``p_i = σ_i / Σσ_j`` the normalised singular values.

    Args:
        matrix: ``(m, n)``, finite.

    Returns:
        A number from 1 (only one direction) to min(m, n) (all singular values equal), and 0 for a zero matrix.

    Raises:
        TypeError: the matrix is not a tensor.
        ValueError: it does not have two dimensions, is empty, or is not finite.

    Source:
        Roy, Vetterli, The Effective Rank: A Measure of Effective Dimensionality, 2007, which leaves out the zero
        matrix.

    >>> round(effective_rank(torch.ones(5, 3)), 4), round(effective_rank(torch.eye(3)), 4)
    (1.0, 3.0)
    """
    finite("matrix", matrix)
    if matrix.ndim != 2 or matrix.numel() == 0:
        raise ValueError(f"matrix must have shape (m, n) with m, n ≥ 1, got {tuple(matrix.shape)}")
    singular_values = torch.linalg.svdvals(matrix.detach().double())
    if singular_values[0] == 0:
        return 0.0
    share = singular_values / singular_values.sum()
    return torch.special.entr(share).sum().exp().item()
