"""The plain networks that the experiments of the course train."""

from collections.abc import Callable

from torch import Tensor, nn

from stablenets._arguments import choice, positive_integer

MODULES: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


def mlp(
    depth: int,
    width: int,
    *,
    activation: str = "relu",
    inputs: int = 64,
    outputs: int = 10,
    bias: bool = True,
    batch_norm: bool = False,
) -> nn.Sequential:
    """Build a multilayer perceptron with ``depth`` linear layers, ``depth − 1`` of them followed by the activation.

    The weights are those of PyTorch's own default; :func:`initialize_` replaces them.

    Args:
        depth: number of linear layers, ≥ 1; the last one is the output layer.
        width: number of units in each hidden layer.
        activation: one of the names in ``MODULES``.
        inputs: number of input features.
        outputs: number of outputs.
        bias: whether the linear layers have biases.
        batch_norm: whether batch normalisation stands between each hidden layer and its activation.

    >>> mlp(2, 8, activation="tanh")
    Sequential(
      (0): Linear(in_features=64, out_features=8, bias=True)
      (1): Tanh()
      (2): Linear(in_features=8, out_features=10, bias=True)
    )
    """
    for name, value in (("depth", depth), ("width", width), ("inputs", inputs), ("outputs", outputs)):
        positive_integer(name, value)
    make_activation = MODULES[choice("activation", activation, MODULES)]
    layers: list[nn.Module] = []
    for _ in range(depth - 1):
        layers.append(nn.Linear(inputs, width, bias=bias))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(make_activation())
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs, bias=bias))


def initialize_(model: nn.Module, initialize: Callable[[Tensor], Tensor]) -> nn.Module:
    """Apply ``initialize`` to the weight of every linear layer, set their biases to zero, and return the model.

    Args:
        model: changed in place.
        initialize: an in-place initializer of a weight ``(fan_out, fan_in)``, such as those of ``torch.nn.init``.

    Raises:
        ValueError: the model has no linear layer.

    >>> model = initialize_(mlp(3, 4), nn.init.ones_)
    >>> model[2].weight.sum().item(), model[2].bias.sum().item()
    (16.0, 0.0)
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError(f"model must have at least one nn.Linear layer, got {type(model).__name__} without any")
    for layer in layers:
        initialize(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return model
