import pytest
import torch

from stablenets.activations import ACTIVATIONS, resolve


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_works_entry_by_entry(name):
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    together = resolve(name)(x)
    assert together.dtype == torch.float64
    assert torch.equal(together, torch.stack([resolve(name)(entry) for entry in x]))


def test_a_callable_stands_for_itself():
    module = torch.nn.Tanh()
    assert resolve(module) is module


def test_an_unknown_name_is_answered_with_those_that_are_known():
    with pytest.raises(ValueError, match=r"activation must be one of 'linear', .*'erf', got 'swish'"):
        resolve("swish")
