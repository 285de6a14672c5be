"""Layer-sequential unit variance: an initializer that asks the data instead of a theory."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from stablenets._arguments import finite, positive, positive_integer
from stablenets.init.weights import LAYERS


class LsuvReport(NamedTuple):
    """What `lsuv_` did to one layer: its output variance before and after, and how often its weight was divided."""

    name: str
    initial_variance: float
    variance: float
    iterations: int


def lsuv_(
    model: nn.Module,
    batch: Tensor,
    *,
    tolerance: float = 0.02,
    max_iterations: int = 10,
    generator: Generator | None = None,
) -> list[LsuvReport]:
    """Make the output of every Linear and convolution have unit variance on a batch (Mishkin & Matas 2016).

    Weights become orthogonal and biases zero; then, layer after layer in the order of their first call, the weight is
    divided by the standard deviation of all outputs on the batch until |variance − 1| ≤ tolerance. Unlike the paper we
    run in evaluation mode, so that dropout does not blur the variance. Layers that the model does not call stay as they
    are.

    >>> model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    >>> generator = torch.Generator().manual_seed(0)
    >>> batch = 5 * torch.randn(100, 8, generator=generator)
    >>> [(layer.name, round(layer.variance, 1)) for layer in lsuv_(model, batch, generator=generator)]
    [('0', 1.0), ('2', 1.0)]

    Args:
        model: changed in place; left part of the way when an error is raised.
        batch: the model's argument, finite.
        tolerance: > 0.
        max_iterations: divisions per layer, ≥ 1.
        generator: source of randomness.

    Returns:
        One report per layer, in the order of the calls.

    Raises:
        ValueError: NaN in the batch, a model that calls no such layer, a layer whose output is constant or not finite,
            or one that does not settle.
    """
    finite("batch", batch)
    positive("tolerance", tolerance)
    positive_integer("max_iterations", max_iterations)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            layers = _called_layers(model, batch)
            for layer in layers.values():
                nn.init.orthogonal_(layer.weight, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
            return [_normalize_(model, batch, *item, tolerance, max_iterations) for item in layers.items()]
    finally:
        for module, training in modes:
            module.training = training


def _called_layers(model: nn.Module, batch: Tensor) -> dict[str, nn.Module]:
    names = {module: name for name, module in model.named_modules() if isinstance(module, LAYERS)}
    called: dict[str, nn.Module] = {}

    def record(module: nn.Module, *_: object) -> None:
        called.setdefault(names[module], module)

    hooks = [module.register_forward_hook(record) for module in names]
    try:
        model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise ValueError(
            f"model must call a Linear or convolution, got {type(model).__name__} with {len(names)} of them"
        )
    return called


def _normalize_(
    model: nn.Module, batch: Tensor, name: str, layer: nn.Module, tolerance: float, max_iterations: int
) -> LsuvReport:
    initial = variance = _output_variance(model, batch, name, layer)
    for iteration in range(max_iterations + 1):
        if abs(variance - 1) <= tolerance:
            return LsuvReport(name, initial, variance, iteration)
        if iteration < max_iterations:
            layer.weight.div_(variance**0.5)
            variance = _output_variance(model, batch, name, layer)
    raise ValueError(
        f"max_iterations must let layer {name!r} reach unit variance, got {max_iterations}: it is at {variance:.4g}"
    )


def _output_variance(model: nn.Module, batch: Tensor, name: str, layer: nn.Module) -> float:
    outputs: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, output: outputs.append(output.double().flatten()))
    try:
        model(batch)
    finally:
        hook.remove()
    variance = torch.cat(outputs).var(correction=0).item()
    if not 0 < variance < float("inf"):
        raise ValueError(
            f"model must have live layers: on this batch the output of layer {name!r} has variance {variance}"
        )
    return variance
