"""Jacobians of networks against autograd, and their spectra against exact arithmetic."""

import math

import pytest
import torch
from matrices import mlp
from torch import Tensor, nn

from stablenets.products import chain_log_singular_values, input_output_jacobian, jacobian_spectrum
from stablenets.products.jacobian import ELEMENTWISE


@pytest.fixture(autouse=True)
def _one_seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def exact_jacobian(model, x: Tensor) -> Tensor:
    rows = torch.autograd.functional.jacobian(model, x)
    return rows.reshape(-1, x.numel())


@pytest.mark.parametrize("activation", sorted(ELEMENTWISE, key=lambda layer: layer.__name__))
def test_the_chain_equals_autograd_for_every_elementwise_layer(activation):
    make = (lambda: nn.Threshold(0.1, 20.0)) if activation is nn.Threshold else activation
    model = mlp(6, 140, 9, 8, 3, activation=make).double().eval()
    x = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(input_output_jacobian(model, x), exact_jacobian(model, x))


@pytest.mark.parametrize(
    "widths", [(5, 7, 3), (3, 7, 5), (4, 4), (1, 8, 1), (9, 2, 9), (150, 170, 130), (130, 160, 150)]
)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("ends", [False, True])
def test_the_chain_equals_autograd_for_every_shape(widths, activation, ends):
    model = mlp(*widths, activation=activation).double()
    if ends:
        model = nn.Sequential(model, activation(), nn.Dropout(), nn.Identity()).eval()
    x = torch.randn(1, widths[0], dtype=torch.float64)
    jacobian = input_output_jacobian(model, x)
    assert jacobian.shape == (widths[-1], widths[0])
    torch.testing.assert_close(jacobian, exact_jacobian(model, x))


def test_a_layer_of_dead_units_gives_the_zero_jacobian():
    model = mlp(130, 140, 150, activation=nn.ReLU)
    nn.init.constant_(model[0].bias, -1e3)
    assert torch.equal(input_output_jacobian(model, torch.randn(130)), torch.zeros(150, 130))


def test_in_place_layers_have_the_same_jacobian():
    model = mlp(4, 5, 5, 3, activation=lambda: nn.ReLU(inplace=True))
    x = torch.randn(4)
    before = x.clone()
    torch.testing.assert_close(input_output_jacobian(model, x), exact_jacobian(model, x))
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(18, 4)), (1, 1, 5, 5)),
        (nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2)).eval(), (1, 3)),
        (nn.Sequential(nn.Linear(3, 5), nn.Softmax(-1)), (3,)),
        (nn.Sequential(nn.Tanh(), nn.Linear(3, 5)), (3,)),
        (nn.Sequential(nn.Linear(3, 5), nn.Tanh()), (2, 3)),
        (nn.Sequential(), (3,)),
        (nn.Tanh(), (2, 2)),
        (torch.sin, (3,)),
        (lambda x: x.sum(), (3,)),
    ],
    ids=["conv", "batch-norm", "softmax", "activation first", "two inputs", "empty", "module", "function", "scalar"],
)
def test_other_functions_have_the_jacobian_of_autograd(model, shape):
    x = torch.randn(shape)
    torch.testing.assert_close(input_output_jacobian(model, x), exact_jacobian(model, x))


@pytest.mark.parametrize("place", ["", "0", "1"])
def test_a_hook_that_changes_an_output_is_not_overlooked(place):
    model = mlp(3, 4, 2)
    model.get_submodule(place).register_forward_hook(lambda module, inputs, output: 3 * output.flip(-1))
    x = torch.randn(3)
    torch.testing.assert_close(input_output_jacobian(model, x), exact_jacobian(model, x))


def test_the_jacobian_has_no_history_and_leaves_gradients_alone():
    for model in (mlp(3, 4, 2), nn.Sequential(mlp(3, 4, 2), nn.Softmax(-1))):
        x = torch.randn(3, requires_grad=True)
        with torch.no_grad():
            jacobian = input_output_jacobian(model, x)
        assert not jacobian.requires_grad
        assert x.grad is None
        assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("index", [0, 2])
def test_nan_and_infinite_weights_give_what_autograd_gives(value, index):
    model, x = mlp(130, 200, 130, activation=nn.ReLU), torch.randn(130)
    model[0].bias.data[0] = 1e3  # the unit behind the weight is alive
    model[index].weight.data[0, 0] = value
    jacobian = input_output_jacobian(model, x)
    torch.testing.assert_close(jacobian, torch.func.jacrev(model)(x).detach(), equal_nan=True)


def test_the_spectrum_of_a_jacobian_with_nan_is_an_error():
    model = mlp(3, 4, 2)
    model[2].weight.data[0, 0] = math.nan
    with pytest.raises(ValueError, match="jacobian must be finite"):
        jacobian_spectrum(model, torch.randn(3))


@pytest.mark.parametrize("function", [input_output_jacobian, jacobian_spectrum, chain_log_singular_values])
def test_x_must_be_a_non_empty_floating_point_tensor(function):
    with pytest.raises(TypeError, match=r"x must be a floating-point torch.Tensor, got torch.int64"):
        function(mlp(2, 2), torch.ones(2, dtype=torch.long))
    with pytest.raises(TypeError, match="got list"):
        function(mlp(2, 2), [1.0, 2.0])
    with pytest.raises(ValueError, match="x must hold at least one entry"):
        function(mlp(2, 2), torch.zeros(0))


def test_a_function_of_several_outputs_is_an_error():
    with pytest.raises(TypeError, match="must return one tensor"):
        input_output_jacobian(lambda x: (x, x), torch.ones(2))


# --- its spectrum ---------------------------------------------------------------------------------------------------


def test_only_singular_values_above_the_rounding_error_are_reported():
    scales = torch.logspace(0, -20, 21)
    spectrum = jacobian_spectrum(lambda x: scales * x, torch.zeros(21))
    threshold = 21 * torch.finfo(torch.float32).eps
    expected = scales[scales > threshold].double()
    torch.testing.assert_close(spectrum.singular_values, expected)
    assert (spectrum.resolved, spectrum.unresolved) == (len(expected), 21 - len(expected))


def test_float64_resolves_more_singular_values_than_float32():
    model, x = mlp(40, *[40] * 30, activation=nn.Identity, bias=False), torch.zeros(40)
    single = jacobian_spectrum(model, x)
    double = jacobian_spectrum(model.double(), x.double())
    assert 0 < single.resolved < double.resolved < 40
    exact = chain_log_singular_values(model, x).exp()
    torch.testing.assert_close(double.singular_values, exact[: double.resolved], rtol=0.05, atol=0.0)
    torch.testing.assert_close(single.singular_values, exact[: single.resolved], rtol=0.05, atol=0.0)


def test_the_zero_jacobian_has_no_resolved_singular_value():
    spectrum = jacobian_spectrum(lambda x: 0 * x[:2], torch.ones(3))
    assert (len(spectrum.singular_values), spectrum.resolved, spectrum.unresolved) == (0, 0, 2)


def test_orthogonal_chains_have_singular_values_of_one():
    model = mlp(*[12] * 40, activation=nn.Identity)
    for layer in model[::2]:
        nn.init.orthogonal_(layer.weight)
    spectrum = jacobian_spectrum(model, torch.randn(12))
    torch.testing.assert_close(spectrum.singular_values, torch.ones(12, dtype=torch.float64), rtol=1e-4, atol=0.0)
    assert spectrum.unresolved == 0


def test_log_singular_values_equal_the_svd_where_it_is_accurate():
    model, x = mlp(6, 8, 7, 5).double(), torch.randn(6, dtype=torch.float64)
    expected = torch.linalg.svdvals(exact_jacobian(model, x)).log()
    torch.testing.assert_close(chain_log_singular_values(model, x), expected)
    torch.testing.assert_close(
        chain_log_singular_values(list(model), x.float()).exp().sum(), expected.exp().sum(), rtol=1e-5, atol=0.0
    )


def test_log_singular_values_equal_exact_arithmetic_beyond_float64():
    mpmath = pytest.importorskip("mpmath", reason="mpmath is not installed: pip install 'stablenets[test]'")
    model = mlp(*[4] * 101, activation=nn.Identity, bias=False).double()
    with mpmath.workdps(200):
        product = mpmath.eye(4)
        for layer in model[::2]:
            product = mpmath.matrix(layer.weight.tolist()) * product
        exact = [float(mpmath.log(value)) for value in mpmath.svd_r(product, compute_uv=False)]
    found = chain_log_singular_values(model, torch.zeros(4, dtype=torch.float64))
    assert exact[0] - exact[-1] > 40  # a condition number above 1e17
    assert found.tolist() == pytest.approx(exact, abs=1e-9)


def test_dead_units_give_log_singular_values_of_minus_infinity():
    model = mlp(4, 4, 4, activation=nn.ReLU, bias=False)
    model[0].weight.data.copy_(torch.diag(torch.tensor([1.0, 2.0, -1.0, -2.0])))
    logs = chain_log_singular_values(model, torch.ones(4))
    assert logs.isfinite().tolist() == [True, True, False, False]


def test_log_singular_values_leave_the_layers_as_they_are():
    model = mlp(3, 3, 3)
    chain_log_singular_values(model, torch.zeros(3))
    assert all(p.dtype == torch.float32 for p in model.parameters())


@pytest.mark.parametrize(
    ("layers", "shape"),
    [([nn.Linear(3, 3), nn.Softmax(-1)], (3,)), ([nn.Tanh(), nn.Linear(3, 3)], (3,)), ([nn.Linear(3, 3)], (2, 3))],
    ids=["softmax", "activation first", "two inputs"],
)
def test_log_singular_values_of_no_chain_are_an_error(layers, shape):
    with pytest.raises(ValueError, match=r"layers must be nn.Linear followed by"):
        chain_log_singular_values(layers, torch.zeros(shape))
