"""Singular values of products of matrices against 400-digit arithmetic, and the bounds on them."""

import math
from itertools import pairwise

import mpmath
import pytest
import scipy.special
import torch
from matrices import gaussian, generator, largest_error, orthogonal

from stablenets.products import (
    eigenvalue_bounds,
    log10_condition_number,
    product_log_singular_values,
    scaled_product,
    singular_value_bounds,
)

LN10 = math.log(10)


def exact_log_singular_values(matrices, digits=400):
    """ln σ of the product, multiplied and decomposed with many digits."""
    with mpmath.workdps(digits):
        product = mpmath.eye(matrices[0].shape[1])
        for matrix in matrices:
            product = mpmath.matrix(matrix.tolist()) * product
        values = mpmath.svd_r(product, compute_uv=False)
        return torch.tensor(sorted((float(mpmath.log(value)) for value in values), reverse=True), dtype=torch.float64)


@pytest.mark.parametrize("seed", range(3))
def test_singular_values_of_sixty_gaussian_factors_equal_exact_arithmetic(seed):
    factors = gaussian(60, 8, 8, seed=seed)
    exact = exact_log_singular_values(factors)
    assert (exact[0] - exact[-1]) / LN10 > 30  # far beyond 1/ε
    assert largest_error(product_log_singular_values(factors), exact) < 1e-10


def test_condition_numbers_beyond_1e200_are_right():
    factors = gaussian(400, 5, 5)
    exact = exact_log_singular_values(factors, digits=800)
    assert (exact[0] - exact[-1]) / LN10 > 200
    assert largest_error(product_log_singular_values(factors), exact) < 1e-9
    assert log10_condition_number(factors) == pytest.approx((exact[0] - exact[-1]).item() / LN10, abs=1e-9)


def test_condition_numbers_beyond_the_range_of_floats_are_right():
    factors = gaussian(1000, 3, 3)
    exact = exact_log_singular_values(factors, digits=2000)
    assert (exact[0] - exact[-1]) / LN10 > 350
    assert largest_error(product_log_singular_values(factors), exact) < 1e-8


@pytest.mark.parametrize(
    "shapes",
    [
        [(5, 3), (8, 5), (8, 8), (8, 8)],
        [(8, 8), (8, 8), (5, 8), (3, 5)],
        [(9, 5), (6, 9), (8, 6), (5, 8)],
        [(4, 7)],
        [(7, 4)],
        [(1, 6), (6, 1)],
    ],
)
def test_singular_values_of_rectangular_chains_equal_exact_arithmetic(shapes):
    factors = [gaussian(*shape, seed=index) for index, shape in enumerate(shapes)]
    found = product_log_singular_values(factors)
    rank = min(min(shape) for shape in shapes)
    assert len(found) == min(shapes[0][1], shapes[-1][0])
    assert largest_error(found[:rank], exact_log_singular_values(factors)[:rank]) < 1e-12
    assert (found[rank:] == -math.inf).all()


def test_a_single_matrix_has_the_singular_values_of_lapack():
    matrix = gaussian(20, 12)
    assert largest_error(product_log_singular_values([matrix]), torch.linalg.svdvals(matrix).log()) < 1e-13


def test_product_of_orthogonal_matrices_has_log_singular_values_zero():
    assert product_log_singular_values(orthogonal(200, 16)).abs().max() < 1e-10
    assert log10_condition_number(orthogonal(200, 16)) < 1e-10


def test_equal_singular_values_are_found():
    values = torch.tensor([2.0, 2.0, 2.0, 0.5, 0.5], dtype=torch.float64)
    left, right = orthogonal(2, 5)
    cycle = [
        left @ torch.diag(values) @ right,
        right.T @ left.T,
    ]  # the second undoes both rotations
    found = product_log_singular_values([*cycle * 99, cycle[0]])
    assert largest_error(found, 100 * values.log()) < 1e-11


def test_singular_values_of_a_residual_stack_equal_exact_arithmetic():
    residual = torch.eye(6) + 0.1 * gaussian(60, 6, 6)
    assert largest_error(product_log_singular_values(residual), exact_log_singular_values(residual)) < 1e-12


def test_badly_conditioned_factors_cost_their_own_condition_and_no_more():
    values = torch.logspace(0, -6, 5, dtype=torch.float64)
    factors = [torch.linalg.qr(matrix).Q * values for matrix in gaussian(30, 5, 5)]
    exact = exact_log_singular_values(factors)
    assert (exact[0] - exact[-1]) / LN10 > 100
    assert largest_error(product_log_singular_values(factors), exact) < 1e-8  # 30 factors · κ = 1e6 · ε = 7e-9


@pytest.mark.parametrize("transpose", [False, True])
def test_triangular_factors_in_the_worst_order_equal_exact_arithmetic(transpose):
    rising = torch.diag(2.0 ** torch.arange(5, dtype=torch.float64)) + torch.ones(5, 5, dtype=torch.float64).triu(1)
    factors = [rising.T if transpose else rising] * 40
    assert largest_error(product_log_singular_values(factors), exact_log_singular_values(factors)) < 1e-10


def test_singular_values_add_up_to_the_log_determinants():
    factors = gaussian(50, 32, 32) / 32**0.5
    assert product_log_singular_values(factors).sum().item() == pytest.approx(
        torch.linalg.slogdet(factors).logabsdet.sum().item(), abs=1e-9
    )


def test_condition_of_fifty_gaussian_layers_is_near_theory_and_grows_past_double_precision():
    theory = 50 * (scipy.special.digamma(16) - scipy.special.digamma(0.5)) / 2 / LN10  # 51.1
    found = [log10_condition_number(gaussian(50, 32, 32, seed=seed)) for seed in range(10)]
    assert sum(found) / 10 == pytest.approx(theory, abs=5)
    assert min(found) > 40


def test_transposing_the_chain_keeps_the_singular_values():
    factors = gaussian(40, 6, 6)
    transposed = [matrix.T for matrix in reversed(factors)]
    assert largest_error(product_log_singular_values(factors), product_log_singular_values(transposed)) < 1e-11


def test_factors_may_be_of_any_scale():
    factors = gaussian(5, 4, 4)
    powers = (300, -300, 290, 250, -10)
    scaled = [matrix * 10.0**power for matrix, power in zip(factors, powers, strict=True)]
    expected = product_log_singular_values(factors) + sum(powers) * LN10
    assert largest_error(product_log_singular_values(scaled), expected) < 1e-11


def test_dead_units_give_exactly_minus_infinity():
    masks = [torch.randperm(10, generator=generator(seed)) < 6 + seed % 3 for seed in range(20)]
    layers = [mask[:, None] * matrix for mask, matrix in zip(masks, gaussian(20, 10, 10), strict=True)]
    for factors in (layers, [layer.T for layer in reversed(layers)]):
        found = product_log_singular_values(factors)
        assert found[:6].isfinite().all()
        assert (found[6:] == -math.inf).all()
        assert largest_error(found[:6], exact_log_singular_values(factors)[:6]) < 1e-10


def test_a_zero_product_has_only_minus_infinity():
    assert (product_log_singular_values([torch.eye(3), torch.zeros(2, 3)]) == -math.inf).all()
    assert (
        product_log_singular_values([torch.diag(torch.tensor([1.0, 0])), torch.diag(torch.tensor([0, 1.0]))])
        == -math.inf
    ).all()
    assert log10_condition_number([torch.zeros(2, 2)]) == math.inf


def test_a_singular_factor_shows_at_its_rounding_or_below():
    found = product_log_singular_values([torch.ones(3, 3)])
    assert found[0].item() == pytest.approx(math.log(3), abs=1e-14)
    assert (found[1:] < -30).all()


def test_parameters_that_require_gradients_are_accepted():
    layers = [torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)]
    found = product_log_singular_values([layer.weight for layer in layers])
    assert found.dtype == torch.float64
    assert not found.requires_grad


# The scaled product


def test_scaled_product_equals_the_product_where_that_fits():
    factors = [gaussian(4, 3), gaussian(5, 4), gaussian(2, 5)]
    matrix, log_scale = scaled_product(factors)
    assert matrix.norm().item() == pytest.approx(1, abs=1e-15)
    assert torch.allclose(math.exp(log_scale) * matrix, factors[2] @ factors[1] @ factors[0], rtol=1e-12, atol=1e-12)


def test_scaled_product_has_the_largest_singular_value_where_the_product_overflows():
    factors = 1e30 * gaussian(50, 6, 6)
    matrix, log_scale = scaled_product(factors)
    assert math.log(torch.linalg.matrix_norm(matrix, 2)) + log_scale == pytest.approx(
        product_log_singular_values(factors)[0].item(), abs=1e-10
    )


def test_scaled_product_of_a_zero_product_is_zero_at_scale_minus_infinity():
    nilpotent = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    matrix, log_scale = scaled_product([nilpotent] * 3)
    assert not matrix.any()
    assert log_scale == -math.inf


# Bounds


def random_pair(seed):
    size = 2 + seed % 5
    return gaussian(2, size, size, seed=seed) * gaussian(size, 1, seed=seed + 10_000).exp()


def test_bounds_hold_on_two_thousand_random_pairs_and_spectral_radii_do_not():
    violations = 0
    for seed in range(2000):
        first, second = pair = random_pair(seed)
        singular, eigen = torch.linalg.svdvals(second @ first), torch.linalg.eigvals(second @ first).abs()
        slack = 1e-9 * singular[0]
        for bounds, values in ((singular_value_bounds(pair), singular), (eigenvalue_bounds(pair), eigen)):
            assert bounds.lower <= values.min() + slack
            assert bounds.upper >= values.max() - slack
        radii = [torch.linalg.eigvals(factor).abs().max() for factor in pair]
        violations += (eigen.max() > radii[0] * radii[1] * (1 + 1e-9)).item()
    assert violations > 300


def test_partial_products_of_singular_values_obey_horns_inequalities():
    for seed in range(300):
        factors = gaussian(3, 5, 5, seed=seed)
        product = product_log_singular_values(factors).cumsum(0)
        separate = torch.linalg.svdvals(factors).log().sum(dim=0).cumsum(0)
        assert (product <= separate + 1e-9).all()
        assert product[-1].item() == pytest.approx(separate[-1].item(), abs=1e-9)  # |det| is multiplicative


def test_nilpotent_pair_has_no_eigenvalue_but_a_product_of_one_hundred():
    raising = torch.tensor([[0.0, 10.0], [0.0, 0.0]])
    assert not torch.linalg.eigvals(raising).any()
    assert torch.linalg.eigvals(raising @ raising.T).abs().max() == 100
    lower, upper = eigenvalue_bounds([raising.T, raising])
    assert lower == 0
    assert upper == pytest.approx(100, rel=1e-12)


def test_bounds_of_aligned_diagonal_factors_are_reached():
    factors = [torch.diag(torch.tensor([1.0, 2.0, 3.0])), torch.diag(torch.tensor([5.0, 7.0, 11.0]))]
    assert singular_value_bounds(factors) == pytest.approx((5.0, 33.0), rel=1e-12)


@pytest.mark.parametrize("widths", [(3, 4, 4, 6), (6, 5, 5, 2)])
def test_lower_bound_is_the_product_of_the_smallest_where_widths_are_monotone(widths):
    for seed in range(100):
        factors = [gaussian(n_out, n_in, seed=seed + n_out) for n_in, n_out in pairwise(widths)]
        bounds = singular_value_bounds(factors)
        logs = product_log_singular_values(factors)
        expected = math.prod(torch.linalg.svdvals(factor)[-1].item() for factor in factors)
        assert bounds.lower == pytest.approx(expected, rel=1e-12)
        assert math.log(bounds.lower) <= logs[-1] + 1e-12
        assert math.log(bounds.upper) >= logs[0] - 1e-12


def test_lower_bound_is_zero_where_a_narrowing_factor_is_blind_to_what_arrives():
    widening = torch.tensor([[1.0], [0.0]])
    narrowing = torch.tensor([[0.0, 1.0]])  # σ_min = σ_max = 1 for both, and yet the product is 0
    assert torch.linalg.svdvals(narrowing @ widening) == 0
    assert singular_value_bounds([widening, narrowing]) == (0.0, pytest.approx(1.0, rel=1e-12))


def test_lower_bound_is_zero_through_a_narrow_middle():
    assert singular_value_bounds([gaussian(3, 5), gaussian(5, 3)]).lower == 0
    assert eigenvalue_bounds([gaussian(3, 5), gaussian(5, 3)]).lower == 0


def test_bounds_beyond_the_range_of_floats_are_zero_and_infinity():
    wild = torch.diag(torch.tensor([1e200, 1e-200], dtype=torch.float64))
    assert singular_value_bounds([wild, wild]) == (0.0, math.inf)


def test_bounds_do_not_overflow_on_the_way():
    factors = [scale * torch.eye(2, dtype=torch.float64) for scale in (1e200, 1e200, 1e-300, 1e-300, 1e200)]
    assert singular_value_bounds(factors) == pytest.approx((1.0, 1.0), rel=1e-12)


def test_eigenvalues_need_a_square_product():
    with pytest.raises(ValueError, match="square product, got 3×2"):
        eigenvalue_bounds([torch.ones(3, 2)])
