import copy
import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from stablenets.symmetry import (
    UnitParallelLinear,
    balancedness,
    constant_,
    effective_rank,
    flip_units,
    permute_units,
    rescale_units,
    tie_deviation,
    tied_units,
)

OPTIMIZERS = {
    "gradient descent": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "weight decay": lambda parameters: torch.optim.SGD(parameters, lr=0.1, weight_decay=0.1),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
}


@pytest.fixture(autouse=True)
def _one_seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def network(
    *widths: int,
    activation: type[nn.Module] = nn.Tanh,
    linear: type[nn.Linear] = nn.Linear,
    dtype: torch.dtype = torch.float64,
    bias: bool = True,
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [linear(fan_in, fan_out, bias=bias, dtype=dtype), activation()]
    return nn.Sequential(*layers[:-1])


def problem(examples: int, inputs: int, classes: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    return torch.randn(examples, inputs, dtype=dtype), torch.randint(0, classes, (examples,))


def trained(model: nn.Module, x: Tensor, y: Tensor, optimizer, steps: int) -> nn.Module:
    model = copy.deepcopy(model)
    optimizer = optimizer(model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model


def descended(model: nn.Module, x: Tensor, y: Tensor, lr: float, steps: int) -> nn.Module:
    return trained(model, x, y, lambda parameters: torch.optim.SGD(parameters, lr), steps)


def largest_difference(a: nn.Module, b: nn.Module) -> float:
    return max((p - q).abs().max().item() for p, q in zip(a.parameters(), b.parameters()))


def permuted(model: nn.Sequential, layer: int) -> nn.Sequential:
    return permute_units(model, layer, torch.arange(len(model[2 * layer].weight)).roll(2))


def flipped(model: nn.Sequential, layer: int) -> nn.Sequential:
    return flip_units(model, layer, torch.arange(len(model[2 * layer].weight)) % 3 == 0)


def rescaled(model: nn.Sequential, layer: int) -> nn.Sequential:
    return rescale_units(model, layer, torch.logspace(-1, 1, len(model[2 * layer].weight)))


SYMMETRIES = [
    *[(permuted, activation) for activation in (nn.Tanh, nn.ReLU, nn.Sigmoid, nn.GELU, nn.PReLU)],
    *[(flipped, activation) for activation in (nn.Tanh, nn.Identity, nn.Softsign, nn.Hardtanh)],
    *[(rescaled, activation) for activation in (nn.ReLU, nn.Identity, nn.LeakyReLU, nn.PReLU)],
]
NAMES = [f"{symmetry.__name__}-{activation.__name__}" for symmetry, activation in SYMMETRIES]


# --- Maps that leave the function unchanged -------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize(("symmetry", "activation"), SYMMETRIES, ids=NAMES)
def test_symmetry_leaves_the_function_unchanged(symmetry, activation, layer, bias):
    model = network(5, 7, 6, 8, 3, activation=activation, bias=bias).double()
    x = 3 * torch.randn(50, 5, dtype=torch.float64)
    image = symmetry(model, layer)
    assert largest_difference(model, image) > 0.1
    assert (image(x) - model(x)).abs().max() < 1e-12


@pytest.mark.parametrize(("symmetry", "activation"), SYMMETRIES, ids=NAMES)
def test_symmetry_leaves_its_argument_alone(symmetry, activation):
    model = network(5, 7, 3, activation=activation).double()
    before = copy.deepcopy(model)
    symmetry(model, 0)
    assert largest_difference(model, before) == 0


def test_permutation_is_the_product_with_its_matrix():
    model, order = network(2, 4, 3), torch.tensor([3, 0, 2, 1])
    matrix = functional.one_hot(order, 4).double()
    image = permute_units(model, 0, order)
    assert torch.equal(image[0].weight, matrix @ model[0].weight)
    assert torch.equal(image[0].bias, matrix @ model[0].bias)
    assert torch.equal(image[2].weight, model[2].weight @ matrix.T)
    assert torch.equal(image[2].bias, model[2].bias)


def test_inverse_permutation_restores_the_weights():
    model, order = network(3, 9, 2), torch.randperm(9)
    assert largest_difference(permute_units(permute_units(model, 0, order), 0, order.argsort()), model) == 0


def test_flipping_twice_restores_the_weights():
    model = network(3, 9, 2)
    assert largest_difference(flipped(flipped(model, 0), 0), model) == 0


def test_rescaling_acts_on_the_named_unit_only():
    model = network(3, 4, 2, activation=nn.ReLU)
    image = rescale_units(model, 0, [1, 1, 4, 1])
    assert torch.equal(image[0].weight[2], 4 * model[0].weight[2])
    assert torch.equal(image[0].bias[2], 4 * model[0].bias[2])
    assert torch.equal(image[2].weight[:, 2], model[2].weight[:, 2] / 4)
    assert torch.equal(image[0].weight[[0, 1, 3]], model[0].weight[[0, 1, 3]])


def test_dropout_between_the_layers_does_not_hide_a_symmetry():
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 2)).double()
    image = rescale_units(permute_units(model, 0, [4, 3, 2, 1, 0]), 0, [1, 2, 3, 4, 5]).eval()
    x = torch.randn(20, 3, dtype=torch.float64)
    assert (image(x) - model.eval()(x)).abs().max() < 1e-12


# --- What training does to them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("symmetry", [permuted, flipped])
def test_training_commutes_with_orthogonal_symmetries(symmetry, optimizer):
    model, data = network(4, 6, 5, 3), problem(30, 4, 3)
    for layer in (0, 1):
        after = trained(symmetry(model, layer), *data, optimizer, steps=10)
        before = symmetry(trained(model, *data, optimizer, steps=10), layer)
        assert largest_difference(after, before) < 1e-11


def test_training_does_not_commute_with_rescaling():
    model, data = network(4, 6, 3, activation=nn.ReLU), problem(30, 4, 3)
    after = descended(rescaled(model, 0), *data, lr=0.1, steps=1)
    before = rescaled(descended(model, *data, lr=0.1, steps=1), 0)
    assert largest_difference(after, before) > 1e-3


# --- Balancedness ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
def test_balancedness_is_what_a_unit_receives_less_what_it_gives(bias):
    model = network(3, 5, 2, bias=bias)
    for unit, value in enumerate(balancedness(model, 0)):
        received = [*model[0].weight[unit].tolist(), *([model[0].bias[unit].item()] if bias else [])]
        given = model[2].weight[:, unit].tolist()
        assert value.item() == pytest.approx(math.fsum(w * w for w in received) - math.fsum(w * w for w in given))


def test_one_step_changes_balancedness_by_its_second_order_term_only():
    # Homogeneity gives ⟨w_in, ∂w_in⟩ + b ∂b = ⟨w_out, ∂w_out⟩, so the term of first order in lr cancels.
    model, (x, y) = network(4, 6, 5, 3, activation=nn.ReLU), problem(30, 4, 3)
    functional.cross_entropy(model(x), y).backward()
    gradients = copy.deepcopy(model)
    for parameter, source in zip(gradients.parameters(), model.parameters()):
        parameter.data.copy_(source.grad)
    stepped = descended(model, x, y, lr=0.3, steps=1)
    for layer in (0, 1):
        change = balancedness(stepped, layer) - balancedness(model, layer)
        assert torch.allclose(change, 0.3**2 * balancedness(gradients, layer), rtol=1e-9, atol=1e-13)


def test_drift_of_balancedness_is_proportional_to_the_learning_rate():
    model, data = network(5, 8, 3, activation=nn.ReLU), problem(40, 5, 3)
    start = balancedness(model, 0)
    drifts = [
        (balancedness(descended(model, *data, lr=lr, steps=steps), 0) - start).abs().max().item()
        for lr, steps in ((0.1, 20), (0.01, 200), (0.001, 2000))
    ]
    assert 8 < drifts[0] / drifts[1] < 12
    assert 8 < drifts[1] / drifts[2] < 12


def test_tanh_does_not_conserve_balancedness():
    model, data = network(5, 8, 3), problem(40, 5, 3)
    start = balancedness(model, 0)
    drifts = [
        (balancedness(descended(model, *data, lr=lr, steps=steps), 0) - start).abs().max().item()
        for lr, steps in ((0.1, 20), (0.01, 200))
    ]
    assert drifts[0] / drifts[1] < 2


# --- Ties -----------------------------------------------------------------------------------------------------------


def test_constant_initialization_ties_all_units_of_every_layer():
    model = constant_(network(3, 7, 5, 2), 0.1)
    assert [tied_units(model, layer) for layer in (0, 1)] == [[list(range(7))], [list(range(5))]]
    assert [tie_deviation(model, layer) for layer in (0, 1)] == [0.0, 0.0]


def test_random_initialization_ties_no_units():
    assert tied_units(network(3, 7, 2), 0) == []


@pytest.mark.parametrize("part", ["incoming", "bias", "outgoing"])
def test_one_different_weight_unties_a_unit(part):
    model = constant_(network(3, 4, 2))
    weight = {"incoming": model[0].weight[2], "bias": model[0].bias[2:3], "outgoing": model[2].weight[:, 2]}[part]
    weight.data[-1] += 2**-53  # the spacing of float64 at the constant 1/2
    assert tied_units(model, 0) == [[0, 1, 3]]
    assert tie_deviation(model, 0) > 0


def test_tolerance_joins_units_up_to_that_difference():
    model = constant_(network(3, 4, 2))
    model[0].bias.data = torch.tensor([0.0, 0.25, 0.0, 0.5], dtype=torch.float64)
    assert tied_units(model, 0) == [[0, 2]]
    assert tied_units(model, 0, tolerance=0.25) == [[0, 1, 2]]


def test_tie_deviation_is_the_largest_distance_from_the_mean_unit():
    model = network(3, 6, 2)
    units = np.concatenate([p.detach().numpy().reshape(6, -1) for p in (model[0].weight, model[0].bias)], axis=1)
    units = np.concatenate([units, model[2].weight.detach().numpy().T], axis=1)
    mean = units.mean(axis=0)
    expected = max(np.linalg.norm(unit - mean) for unit in units) / np.linalg.norm(mean)
    assert tie_deviation(model, 0) == pytest.approx(expected, rel=1e-12)


def test_tie_deviation_of_units_without_a_mean_is_infinite_unless_they_are_all_zero():
    model = constant_(network(3, 2, 1), 0.0)
    assert tie_deviation(model, 0) == 0.0
    model[0].bias.data = torch.tensor([1.0, -1.0], dtype=torch.float64)
    assert tie_deviation(model, 0) == math.inf


def test_tied_units_stay_near_each_other_for_a_few_steps_with_any_arithmetic():
    model, data = constant_(network(5, 8, 3), 0.3), problem(30, 5, 3)
    after = descended(model, *data, lr=0.1, steps=10)
    assert largest_difference(model, after) > 1e-2
    assert tie_deviation(after, 0) < 1e-13


def test_constant_sets_weights_and_biases_of_every_kind_of_layer():
    layers = [nn.Conv2d(1, 2, 3), nn.LSTM(3, 4), nn.MultiheadAttention(4, 2), nn.Bilinear(2, 3, 4), nn.Embedding(3, 2)]
    for layer in layers:
        assert constant_(layer, -0.25) is layer
        for name, parameter in layer.named_parameters():
            assert parameter.unique().tolist() == [0.0 if "bias" in name else -0.25]


def test_constant_leaves_the_scales_of_normalisation_alone():
    model = constant_(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)), 7.0)
    assert model[1].weight.tolist() == [1.0, 1.0, 1.0]


# --- Unit-parallel arithmetic ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
def test_unit_parallel_layer_computes_the_linear_map(bias):
    layer = UnitParallelLinear(7, 5, bias=bias, dtype=torch.float64)
    x = torch.randn(11, 7, dtype=torch.float64)
    assert torch.allclose(layer(x), functional.linear(x, layer.weight, layer.bias), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("needed", list(itertools.product([True, False], repeat=3))[:-1])
def test_unit_parallel_layer_has_the_gradients_of_the_linear_map(needed):
    layer = UnitParallelLinear(4, 3, dtype=torch.float64)
    inputs = [torch.randn(6, 4, dtype=torch.float64), layer.weight.detach(), layer.bias.detach()]
    inputs = [tensor.clone().requires_grad_(need) for tensor, need in zip(inputs, needed)]

    def call(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("width", [2, 3, 5, 8, 17, 31, 32, 33, 64, 100, 130])
def test_equal_units_stay_bitwise_equal_in_unit_parallel_arithmetic(width, activation, dtype):
    model = network(7, width, width, 10, activation=activation, linear=UnitParallelLinear, dtype=dtype)
    data = problem(64, 7, 10, dtype)
    after = trained(constant_(model, 0.1), *data, OPTIMIZERS["momentum"], steps=100 if width <= 64 else 25)
    assert largest_difference(model, after) > 1e-2
    assert [tied_units(after, layer) for layer in (0, 1)] == [[list(range(width))]] * 2


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_keeps_equal_units_equal_in_unit_parallel_arithmetic(optimizer):
    model = constant_(network(7, 33, 10, linear=UnitParallelLinear, dtype=torch.float32), 0.1)
    after = trained(model, *problem(64, 7, 10, torch.float32), optimizer, steps=100)
    assert tied_units(after, 0) == [list(range(33))]


# --- Effective rank -------------------------------------------------------------------------------------------------


def test_effective_rank_is_the_exponential_of_the_entropy():
    # The shares 1/2, 1/4, 1/4 have the entropy (3/2) ln 2.
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    matrix = rotation @ torch.diag(torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64))
    assert effective_rank(matrix) == pytest.approx(2**1.5, rel=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (1, 5), (5, 5)])
def test_effective_rank_lies_between_one_and_the_rank(shape):
    matrix = torch.randn(shape, dtype=torch.float64)
    assert 1 - 1e-12 <= effective_rank(matrix) <= min(shape) + 1e-12
    assert effective_rank(1e-6 * matrix.T) == pytest.approx(effective_rank(matrix), rel=1e-9)


def test_effective_rank_of_tied_rows_is_one_and_of_orthogonal_rows_their_number():
    assert effective_rank(torch.ones(7, 1) * torch.randn(1, 4)) == pytest.approx(1, abs=1e-5)
    assert effective_rank(torch.linalg.qr(torch.randn(4, 4)).Q) == pytest.approx(4, abs=1e-5)


def test_effective_rank_falls_when_columns_repeat():
    matrix = torch.linalg.qr(torch.randn(6, 4, dtype=torch.float64)).Q
    repeated = torch.cat([matrix[:, :2], matrix[:, :2]], dim=1)
    assert effective_rank(repeated) == pytest.approx(2, rel=1e-7)


def test_effective_rank_of_zeros_is_zero():
    assert effective_rank(torch.zeros(3, 2)) == 0.0


# --- Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "permutation", [[0, 1, 1], [0, 1], [0, 1, 3], [-1, 0, 1], [0.0, 1.0, 2.0], [[0, 1, 2]], 0, [True, False, True]]
)
def test_what_is_no_permutation_is_refused(permutation):
    with pytest.raises(ValueError, match="permutation must hold each of the integers 0 to 2 once"):
        permute_units(network(2, 3, 1), 0, permutation)


def test_booleans_are_no_permutation_of_two_units():
    with pytest.raises(ValueError, match="permutation must hold"):
        permute_units(network(2, 2, 1), 0, [False, True])


@pytest.mark.parametrize(
    "factors", [[1, 0, 1], [1, -2, 1], [1, 1], 2.0, [[1, 1, 1]], [1, math.nan, 1], [1, math.inf, 1]]
)
def test_factors_that_are_not_positive_numbers_one_a_unit_are_refused(factors):
    with pytest.raises(ValueError, match="factors must be"):
        rescale_units(network(2, 3, 1, activation=nn.ReLU), 0, factors)


@pytest.mark.parametrize("mask", [[1, 0, 1], [True, False], True, [[True, True, True]], [1.0, -1.0, 1.0]])
def test_a_mask_that_is_not_boolean_one_a_unit_is_refused(mask):
    with pytest.raises(ValueError, match="mask must be 3 booleans"):
        flip_units(network(2, 3, 1), 0, mask)


@pytest.mark.parametrize(
    "activation", [nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus, nn.ReLU6, nn.Hardtanh]
)
def test_rescaling_needs_a_positively_homogeneous_activation(activation):
    with pytest.raises(ValueError, match="layer 0 must be followed by a positively homogeneous activation"):
        rescale_units(network(2, 3, 1, activation=activation), 0, [2.0, 1.0, 1.0])


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus, nn.LeakyReLU])
def test_flipping_needs_an_odd_activation(activation):
    with pytest.raises(ValueError, match="layer 0 must be followed by an odd activation"):
        flip_units(network(2, 3, 1, activation=activation), 0, [True, False, False])


@pytest.mark.parametrize("between", [nn.PReLU(3), nn.BatchNorm1d(3)], ids=["own slopes", "own statistics"])
def test_permuting_needs_an_activation_that_treats_units_alike(between):
    if isinstance(between, nn.PReLU):
        between.weight.data = torch.tensor([0.1, 0.2, 0.3])
    model = nn.Sequential(nn.Linear(2, 3), between, nn.Linear(3, 1))
    with pytest.raises(ValueError, match="layer 0 must be followed by an activation that treats all units alike"):
        permute_units(model, 0, [1, 2, 0])


FUNCTIONS_OF_A_LAYER = [permuted, flipped, rescaled, balancedness, tied_units, tie_deviation]


@pytest.mark.parametrize("layer", [2, -1, 1.0, True, "0", None])
@pytest.mark.parametrize("function", [balancedness, tied_units, tie_deviation])
def test_a_layer_that_is_not_hidden_is_refused(function, layer):
    with pytest.raises(ValueError, match="layer must be an integer from 0 to 1"):
        function(network(2, 3, 4, 1), layer)


@pytest.mark.parametrize("function", FUNCTIONS_OF_A_LAYER)
def test_a_model_without_hidden_layer_is_refused(function):
    with pytest.raises(ValueError, match="model must have a hidden layer"):
        function(nn.Sequential(nn.Linear(2, 3)), 0)


def test_a_model_that_is_no_sequence_is_refused():
    with pytest.raises(TypeError, match=r"model must be an nn\.Sequential, got Linear"):
        tied_units(nn.Linear(2, 3), 0)


@pytest.mark.parametrize("function", FUNCTIONS_OF_A_LAYER)
def test_a_layer_that_appears_twice_is_refused(function):
    shared = nn.Linear(3, 3)
    with pytest.raises(ValueError, match="layer must not share its weights"):
        function(nn.Sequential(shared, nn.Identity(), shared), 0)


def test_a_layer_read_through_a_change_of_shape_is_refused():
    model = nn.Sequential(nn.Linear(2, 4), nn.GLU(), nn.Linear(2, 1))
    with pytest.raises(ValueError, match="4 units and 2 inputs"):
        tied_units(model, 0)


@pytest.mark.parametrize("function", [balancedness, tied_units, tie_deviation])
def test_weights_that_are_not_finite_are_refused(function):
    model = network(2, 3, 1)
    model[2].weight.data[0, 1] = math.nan
    with pytest.raises(ValueError, match="the weights of model must be finite, got 1 NaN"):
        function(model, 0)


@pytest.mark.parametrize("tolerance", [-1e-9, math.nan])
def test_a_tolerance_below_zero_is_refused(tolerance):
    with pytest.raises(ValueError, match="tolerance must be a finite number ≥ 0"):
        tied_units(network(2, 3, 1), 0, tolerance)


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.5", None, True])
def test_a_constant_that_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="value must be a finite number"):
        constant_(network(2, 3, 1), value)


def test_a_model_without_weights_has_no_constant_initialization():
    with pytest.raises(ValueError, match="model must have a weight matrix or kernel, got ReLU"):
        constant_(nn.ReLU())


@pytest.mark.parametrize("matrix", [torch.ones(3), torch.ones(2, 2, 2), torch.ones(0, 3)])
def test_effective_rank_needs_a_matrix(matrix):
    with pytest.raises(ValueError, match="matrix must have shape"):
        effective_rank(matrix)


def test_effective_rank_needs_finite_numbers_in_a_tensor():
    with pytest.raises(ValueError, match="matrix must be finite"):
        effective_rank(torch.tensor([[math.nan]]))
    with pytest.raises(TypeError, match=r"matrix must be a torch\.Tensor"):
        effective_rank([[1.0]])


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 2, 4)])
def test_unit_parallel_layer_needs_rows_of_its_size(shape):
    with pytest.raises(ValueError, match=r"x must have shape \(n, 4\)"):
        UnitParallelLinear(4, 2)(torch.ones(shape))
