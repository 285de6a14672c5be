"""The Jacobian from a network's input to its output, and its singular values."""

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stablenets._arguments import finite
from stablenets.products.spectra import product_log_singular_values

# Each output entry depends on the same entry of the input alone, so the Jacobian is a diagonal.
ELEMENTWISE = {
    nn.CELU, nn.Dropout, nn.ELU, nn.GELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.Identity,
    nn.LeakyReLU, nn.LogSigmoid, nn.Mish, nn.PReLU, nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus,
    nn.Softshrink, nn.Softsign, nn.Tanh, nn.Tanhshrink, nn.Threshold,
}  # fmt: skip

# With fewer inputs or outputs, selecting the living units costs more time than the smaller product saves.
SELECT = 128


class JacobianSpectrum(NamedTuple):
    """Singular values in descending order, as far as their precision is known, and how many there are and are not.

    ``singular_values`` has shape ``(resolved,)``; ``unresolved`` further ones lie below the rounding error.
    """

    singular_values: Tensor
    resolved: int
    unresolved: int


def input_output_jacobian(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Jacobian J = ∂f(x)/∂x at one input, outputs by inputs.

    For an ``nn.Sequential`` of ``nn.Linear`` and elementwise layers it is the product of the chain,

        J = D_L W_L ⋯ D_1 W_1,    D_l = diag φ'(z_l),

    multiplied from the end with fewer rows or columns and without the units of slope 0; for anything else it is
    ``torch.func.jacrev``.

    Args:
        function: a module or function that maps one tensor to one tensor. Modules whose output depends on the batch
            (batch normalization) belong in ``eval`` mode; a ``Moments`` block on them must be closed.
        x: one input, in any shape that ``function`` accepts, floating-point; n_in entries.

    Returns:
        Tensor ``(n_out, n_in)`` of the dtype of the output, without gradient history. Parameters and their ``.grad``
        are not changed.

    Raises:
        TypeError: ``x`` is not a floating-point tensor, or ``function`` does not return one tensor.
        ValueError: ``x`` is empty.

    >>> model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU())
    >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> input_output_jacobian(model, torch.tensor([1.0, -0.6]))
    tensor([[0., 0.],
            [3., 4.]])

    Source: Pennington, Schoenholz & Ganguli (2017), section 2.
    """
    chain = _chain(function, _one_input(x))
    if chain is None:
        jacobian = torch.func.jacrev(function)(x)
        if not isinstance(jacobian, Tensor):
            raise TypeError("function must return one tensor, got several")
        return jacobian.detach().reshape(-1, x.numel())
    n_out, n_in = len(chain[-1][0]), x.numel()
    if min(n_out, n_in) >= SELECT:
        chain = _without_dead_units(chain)
    if n_out <= n_in:
        weight, slopes = chain.pop()
        return reduce(lambda later, layer: (later * layer[1]) @ layer[0], reversed(chain), slopes[:, None] * weight)
    weight, slopes = chain[0]
    return reduce(lambda earlier, layer: layer[1][:, None] * (layer[0] @ earlier), chain[1:], slopes[:, None] * weight)


def jacobian_spectrum(function: Callable[[Tensor], Tensor], x: Tensor) -> JacobianSpectrum:
    """Singular values of the input–output Jacobian at one input, those that its precision supports.

    Rounding of a matrix of dtype precision ε moves its singular values by up to about ε·σ_max·max(n_out, n_in);
    smaller ones are noise, so they are counted and not given. A network in float64 resolves more;
    ``chain_log_singular_values`` resolves all of a plain chain.

    Args:
        function: as in ``input_output_jacobian``.
        x: one input.

    Returns:
        ``JacobianSpectrum(singular_values, resolved, unresolved)``; float64, shape ``(resolved,)``, descending.

    Raises:
        ValueError: the Jacobian has NaN or infinite entries.

    >>> stretch = lambda x: x * torch.tensor([3.0, 1.0, 1e-12])
    >>> jacobian_spectrum(stretch, torch.zeros(3))
    JacobianSpectrum(singular_values=tensor([3., 1.], dtype=torch.float64), resolved=2, unresolved=1)

    Source: Pennington, Schoenholz & Ganguli (2017), section 2, for the spectrum; the threshold is the usual one of
    numerical rank.
    """
    jacobian = finite("jacobian", input_output_jacobian(function, x))
    values = torch.linalg.svdvals(jacobian.double())
    threshold = torch.finfo(jacobian.dtype).eps * values.amax() * max(jacobian.shape)
    resolved = values[values > threshold]
    return JacobianSpectrum(resolved, len(resolved), len(values) - len(resolved))


def chain_log_singular_values(layers: nn.Sequential | Iterable[nn.Module], x: Tensor) -> Tensor:
    """Logarithms ln σ_i of the singular values of a chain's Jacobian, also where the condition number exceeds 1/ε.

    The product of the chain is never formed: see :func:`product_log_singular_values`.

    Args:
        layers: an ``nn.Linear`` and then ``nn.Linear`` and elementwise layers, in order; evaluated in float64.
        x: one input, ``(n_in,)`` or ``(1, n_in)``.

    Returns:
        Float64 tensor ``(min(n_in, n_out),)``, descending; −∞ for directions that dead units or a narrow layer remove.

    Raises:
        TypeError: ``x`` is not a floating-point tensor.
        ValueError: a layer of another kind, ``x`` is not one input, or the outputs are not finite.

    >>> import math
    >>> layers = [nn.Linear(2, 2, bias=False) for _ in range(100)]
    >>> for layer in layers:
    ...     _ = layer.weight.data.copy_(torch.tensor([[10.0, 0.0], [0.0, 1e-4]]))
    >>> chain_log_singular_values(layers, torch.zeros(2)) / math.log(10)
    tensor([ 100.0000, -400.0000], dtype=torch.float64)

    Source: as for :func:`product_log_singular_values`.
    """
    model = layers if isinstance(layers, nn.Module) else nn.Sequential(*layers)
    chain = _chain(copy.deepcopy(model).double(), _one_input(x).double())
    if chain is None:
        raise ValueError(
            "layers must be nn.Linear followed by nn.Linear and elementwise layers, without hooks, applied to one "
            f"input x that gives finite outputs; got {model} and x of shape {tuple(x.shape)}"
        )
    return product_log_singular_values(slopes[:, None] * weight for weight, slopes in chain)


def _one_input(x: Tensor) -> Tensor:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise TypeError(f"x must be a floating-point torch.Tensor, got {getattr(x, 'dtype', type(x).__name__)}")
    if not x.numel():
        raise ValueError(f"x must hold at least one entry, got shape {tuple(x.shape)}")
    return x


def _chain(function: Callable, x: Tensor) -> list[tuple[Tensor, Tensor]] | None:
    """Pairs (W_l, φ'(z_l)) of a plain chain in order of application, or None if ``function`` is something else."""
    layers = list(_flatten(function))
    if not layers or type(layers[0]) is not nn.Linear or not all(_is_plain(layer) for layer in layers):
        return None
    weights, points, values = [], [], [x]
    with torch.enable_grad():
        for layer in layers:
            if type(layer) is nn.Linear:
                h = values[-1].detach()
                if h.numel() != layer.in_features:
                    return None
                weights.append(layer.weight.detach())
                points.append(layer(h).detach().requires_grad_())
                values.append(points[-1])
            else:
                h = values[-1].clone() if getattr(layer, "inplace", False) else values[-1]
                values[-1] = layer(h)
    if not values[-1].isfinite().all():  # products of 0 with NaN or infinity are left to autograd
        return None
    # Each z_l is cut from the layer before it, so one backward pass gives the slopes of all layers.
    slopes = torch.autograd.grad(values[1:], points, [torch.ones_like(value) for value in values[1:]])
    return [(weight, slope.flatten()) for weight, slope in zip(weights, slopes, strict=True)]


def _without_dead_units(chain: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """The chain without hidden units of slope 0: the rows that make them and the columns that read them."""
    living, read = [], None
    for index, (weight, slopes) in enumerate(chain):
        alive = None
        if index < len(chain) - 1 and not slopes.all():
            alive = slopes.nonzero().squeeze(1)
            weight, slopes = weight.index_select(0, alive), slopes[alive]
        if read is not None:
            weight = weight.index_select(1, read)
        living.append((weight, slopes))
        read = alive
    return living


def _flatten(function: Callable) -> Iterator[Callable]:
    if type(function) is nn.Sequential and not _has_hooks(function):
        for layer in function:
            yield from _flatten(layer)
    else:
        yield function


def _is_plain(layer: Callable) -> bool:
    return (type(layer) is nn.Linear or type(layer) in ELEMENTWISE) and not _has_hooks(layer)


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
