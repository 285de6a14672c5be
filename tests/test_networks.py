import pytest
from torch import nn

from stablenets.networks import initialize_, mlp


def test_depth_counts_the_linear_layers():
    model = mlp(5, 7, activation="gelu", batch_norm=True, bias=False)
    kinds = [type(module).__name__ for module in model]
    assert kinds == ["Linear", "BatchNorm1d", "GELU"] * 4 + ["Linear"]
    assert all(module.bias is None for module in model if isinstance(module, nn.Linear))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0, "width": 3}, "depth must be a positive integer, got 0"),
        ({"depth": 2, "width": 2.0}, "width must be a positive integer, got 2.0"),
        ({"depth": 2, "width": 2, "activation": "swish"}, "activation must be one of .*'silu'.*, got 'swish'"),
    ],
)
def test_impossible_network_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mlp(**arguments)


def test_model_without_linear_layer_cannot_be_initialized():
    with pytest.raises(ValueError, match="got Sequential without any"):
        initialize_(nn.Sequential(), nn.init.zeros_)
