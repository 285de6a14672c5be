"""The hidden units of a plain network: where their incoming and outgoing weights stand."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stablenets._arguments import finite


class HiddenLayer(NamedTuple):
    """A linear layer, the modules that act on its units, and the linear layer that reads them."""

    incoming: nn.Linear
    between: nn.Sequential
    outgoing: nn.Linear

    @property
    def units(self) -> int:
        """How many hidden units there are."""
        return self.incoming.out_features

    def parameters_of_units(self) -> Tensor:
        """Return one row per hidden unit in float64: incoming weights, bias if there is one, outgoing weights."""
        bias = [] if self.incoming.bias is None else [self.incoming.bias[:, None]]
        parts = [self.incoming.weight, *bias, self.outgoing.weight.T]
        return finite("the weights of model", torch.cat(parts, dim=1).detach().double())


def hidden_layer(model: nn.Sequential, layer: int) -> HiddenLayer:
    """Find the hidden units that the ``layer``-th linear layer of ``model`` computes, counted from 0.

    Raises:
        TypeError: the model is not an ``nn.Sequential``.
        ValueError: the model has no hidden layer, ``layer`` is not one of them, or it shares its weights with another.
    """
    if not isinstance(model, nn.Sequential):
        raise TypeError(f"model must be an nn.Sequential, got {type(model).__name__}")
    places = [place for place, module in enumerate(model) if isinstance(module, nn.Linear)]
    if len(places) < 2:
        raise ValueError(f"model must have a hidden layer, so at least two nn.Linear layers, got {len(places)}")
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < len(places) - 1:
        raise ValueError(f"layer must be an integer from 0 to {len(places) - 2}, the hidden layers, got {layer!r}")
    start, stop = places[layer], places[layer + 1]
    weights = [model[place].weight for place in places]
    for place in (layer, layer + 1):
        if sum(weight is weights[place] for weight in weights) > 1:
            raise ValueError(f"layer must not share its weights, but linear layer {place} of model shares them")
    if model[start].out_features != model[stop].in_features:
        raise ValueError(
            f"layer {layer} must be read by a layer with as many inputs as it has units, "
            f"got {model[start].out_features} units and {model[stop].in_features} inputs"
        )
    return HiddenLayer(model[start], model[start + 1 : stop], model[stop])
