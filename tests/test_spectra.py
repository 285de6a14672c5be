"""Products of matrices: exponents against closed forms, singular values against 400-digit arithmetic."""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import scipy.special
import torch

from stablenets.spectra import (
    eigenvalue_bounds,
    gaussian_log_norms,
    gaussian_lyapunov_exponents,
    log10_condition_number,
    log_norm_trajectory,
    lyapunov_exponents,
    product_log_singular_values,
    scaled_product,
    singular_value_bounds,
)

LN10 = math.log(10)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def orthogonal(steps, dimension, seed=0):
    return torch.linalg.qr(gaussian(steps, dimension, dimension, seed=seed)).Q


def exact_log_singular_values(matrices, digits=400):
    """ln σ of the product, multiplied and decomposed with many digits."""
    with mpmath.workdps(digits):
        product = mpmath.eye(matrices[0].shape[1])
        for matrix in matrices:
            product = mpmath.matrix(matrix.tolist()) * product
        values = mpmath.svd_r(product, compute_uv=False)
        return torch.tensor(sorted((float(mpmath.log(value)) for value in values), reverse=True), dtype=torch.float64)


def largest_error(found, exact):
    return (found - exact).abs().max().item()


# Lyapunov exponents


@pytest.mark.parametrize(("dimension", "sigma"), [(1, 1.0), (2, 0.5), (3, 1e-3), (64, 0.125), (1000, 2.0)])
def test_gaussian_exponents_equal_the_digamma_formula(dimension, sigma):
    index = np.arange(1, dimension + 1)
    expected = np.log(sigma) + 0.5 * (np.log(2) + scipy.special.digamma((dimension - index + 1) / 2))
    np.testing.assert_allclose(gaussian_lyapunov_exponents(dimension, sigma).numpy(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_largest_gaussian_exponent_is_the_mean_log_of_a_chi_variable(dimension):
    def integrand(r):  # ln r times the density of χ_d
        return mpmath.log(r) * r ** (dimension - 1) * mpmath.exp(-r * r / 2)

    mean = mpmath.quad(integrand, [0, 1, 4, 12]) / (2 ** (dimension / 2 - 1) * mpmath.gamma(dimension / 2))
    assert gaussian_lyapunov_exponents(dimension, count=1).item() == pytest.approx(float(mean), abs=1e-12)


def test_sum_of_gaussian_exponents_is_the_mean_log_determinant():
    determinants = torch.linalg.slogdet(gaussian(200_000, 3, 3)).logabsdet
    error = determinants.std() / len(determinants) ** 0.5
    assert abs(gaussian_lyapunov_exponents(3).sum() - determinants.mean()) < 5 * error


@pytest.mark.parametrize(("dimension", "chains"), [(2, 100_000), (4, 40_000), (16, 5_000)])
def test_simulated_log_norms_grow_at_the_first_exponent(dimension, chains):
    logs = gaussian_log_norms(dimension, 100, chains=chains, generator=generator())
    theory = gaussian_lyapunov_exponents(dimension, count=1).item()
    predicted_sd = math.sqrt(scipy.special.polygamma(1, dimension / 2)) / 2 / math.sqrt(logs[:, 1:].numel())
    assert abs(logs[:, -1].mean().item() / 100 - theory) < min(1e-3, 5 * predicted_sd)


def test_variance_of_log_norms_grows_linearly_with_the_trigamma_slope():
    logs = gaussian_log_norms(4, 50, chains=10_000, generator=generator(1))
    slope = scipy.special.polygamma(1, 2) / 4
    for step in (1, 10, 50):
        assert logs[:, step].var().item() == pytest.approx(step * slope, rel=0.1)


def test_sigma_shifts_every_log_norm():
    unit = gaussian_log_norms(3, 20, chains=5, generator=generator())
    scaled = gaussian_log_norms(3, 20, sigma=0.5, chains=5, generator=generator())
    assert torch.allclose(scaled, unit + math.log(0.5) * torch.arange(21, dtype=torch.float64), rtol=0, atol=1e-12)


def test_float32_overflows_after_the_predicted_number_of_factors():
    ceiling = math.log(torch.finfo(torch.float32).max)
    predicted = ceiling / gaussian_lyapunov_exponents(4, count=1).item()
    logs = gaussian_log_norms(4, 300, chains=1000, generator=generator())
    assert (logs[:, -1] > ceiling).all()
    crossings = (logs > ceiling).int().argmax(dim=1).double()
    assert round(predicted) == 159
    assert abs(crossings.mean().item() - predicted) < 2


def test_mean_square_scale_lets_the_typical_norm_decay():
    logs = gaussian_log_norms(16, 100, sigma=0.25, chains=2000, generator=generator())
    assert logs[:, -1].mean().item() / 100 == pytest.approx(-1 / 32, rel=0.05)


def test_qr_method_finds_the_gaussian_spectrum_within_its_known_noise():
    steps, degrees = 40_000, np.arange(4, 0, -1)
    predicted_sd = np.sqrt(scipy.special.polygamma(1, degrees / 2)) / 2 / math.sqrt(steps)  # 0.002 … 0.0056
    error = lyapunov_exponents(gaussian(steps, 4, 4)) - gaussian_lyapunov_exponents(4)
    assert (error.abs().numpy() < 5 * predicted_sd).all()


def test_qr_exponents_add_up_to_the_mean_log_determinant():
    factors = gaussian(200, 5, 5)
    assert lyapunov_exponents(factors).sum().item() == pytest.approx(
        torch.linalg.slogdet(factors).logabsdet.mean().item(), abs=1e-11
    )


def test_exponents_of_a_repeated_matrix_are_the_logs_of_its_eigenvalues():
    basis = gaussian(4, 4)
    matrix = basis @ torch.diag(torch.tensor([3.0, -2.0, 1.0, 0.1], dtype=torch.float64)) @ torch.linalg.inv(basis)
    expected = torch.tensor([3.0, 2.0, 1.0, 0.1], dtype=torch.float64).log()
    assert largest_error(lyapunov_exponents([matrix] * 4000), expected) < 5e-3  # the start is forgotten like 1/4000


def test_order_of_the_axes_does_not_hide_the_fastest_direction():
    matrix = torch.diag(torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64))
    expected = torch.tensor([3.0, 2.0], dtype=torch.float64) * math.log(2)
    assert largest_error(lyapunov_exponents([matrix] * 4000, count=2), expected) < 5e-3


def test_fewer_exponents_are_the_first_of_all():
    factors = gaussian(50, 6, 6)
    assert torch.allclose(lyapunov_exponents(factors, count=2), lyapunov_exponents(factors)[:2], rtol=0, atol=1e-12)


def test_exponents_of_orthogonal_factors_are_zero():
    assert lyapunov_exponents(orthogonal(100, 7)).abs().max() < 1e-13


# Log norms of a vector


def test_log_norms_equal_those_of_exact_products():
    factors, vector = gaussian(30, 5, 5), gaussian(5, seed=1)
    expected = [vector.norm().log()]
    for matrix in factors:
        vector = matrix @ vector
        expected.append(vector.norm().log())
    assert largest_error(log_norm_trajectory(factors, gaussian(5, seed=1)), torch.stack(expected)) < 1e-12


def test_log_norms_pass_far_beyond_the_range_of_floats():
    factors = [scale * torch.eye(3, dtype=torch.float64) for scale in (1e300, 1e300, 1e-300, 1e-300, 1e-300, 1e-300)]
    logs = log_norm_trajectory(factors, torch.tensor([0.0, 1e-200, 0.0], dtype=torch.float64)) / LN10
    assert logs.tolist() == pytest.approx([-200, 100, 400, 100, -200, -500, -800], abs=1e-9)


def test_a_vector_that_is_annihilated_has_log_norm_minus_infinity():
    nilpotent = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    logs = log_norm_trajectory([nilpotent, nilpotent, torch.eye(2)], torch.tensor([0.0, 1.0]))
    assert logs.tolist() == [0.0, 0.0, -math.inf, -math.inf]


def test_log_norms_follow_rectangular_factors_and_read_a_generator_once():
    factors = [gaussian(5, 3), gaussian(2, 5), gaussian(4, 2)]
    logs = log_norm_trajectory((factor for factor in factors), torch.ones(3))
    assert logs.shape == (4,)
    assert logs[-1].item() == pytest.approx(
        (factors[2] @ factors[1] @ factors[0] @ torch.ones(3).double()).norm().log().item(), abs=1e-13
    )


# Singular values of a product


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


# Bad input

CHAIN_FUNCTIONS = [
    product_log_singular_values,
    log10_condition_number,
    scaled_product,
    singular_value_bounds,
    eigenvalue_bounds,
    lyapunov_exponents,
    lambda matrices: log_norm_trajectory(matrices, torch.ones(2)),
]


@pytest.mark.parametrize("function", CHAIN_FUNCTIONS)
@pytest.mark.parametrize(
    ("matrices", "error", "message"),
    [
        ([], ValueError, "at least one matrix"),
        (torch.empty(0, 2, 2), ValueError, "at least one matrix"),
        ([torch.eye(2), torch.eye(3)], ValueError, r"matrices\[1\] must have 2 columns .* got \(3, 3\)"),
        ([torch.eye(2), torch.full((2, 2), math.nan)], ValueError, r"matrices\[1\] must be finite"),
        ([torch.full((2, 2), math.inf)], ValueError, r"matrices\[0\] must be finite"),
        (torch.eye(2), ValueError, r"matrices\[0\] must have shape \(n_out, n_in\), got \(2,\)"),
        ([torch.empty(0, 2)], ValueError, r"matrices\[0\] must have shape"),
        ([np.eye(2)], TypeError, r"matrices\[0\] must be a torch.Tensor, got ndarray"),
        ([torch.eye(2, dtype=torch.complex64)], TypeError, r"matrices\[0\] must be real"),
    ],
)
def test_bad_chains_are_named(function, matrices, error, message):
    with pytest.raises(error, match=message):
        function(matrices)


def test_lyapunov_exponents_need_square_factors():
    with pytest.raises(ValueError, match=r"matrices\[0\] must be square, got shape \(3, 2\)"):
        lyapunov_exponents([torch.ones(3, 2), torch.ones(2, 3)])


def test_eigenvalues_need_a_square_product():
    with pytest.raises(ValueError, match="square product, got 3×2"):
        eigenvalue_bounds([torch.ones(3, 2)])


@pytest.mark.parametrize("count", [0, 3, 1.5, True])
def test_count_outside_the_dimension_is_named(count):
    with pytest.raises(ValueError, match="count must be"):
        gaussian_lyapunov_exponents(2, count=count)
    with pytest.raises(ValueError, match="count must be"):
        lyapunov_exponents([torch.eye(2)], count=count)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan, math.inf])
def test_sigma_must_be_positive(sigma):
    with pytest.raises(ValueError, match="sigma must be a positive"):
        gaussian_lyapunov_exponents(2, sigma)
    with pytest.raises(ValueError, match="sigma must be a positive"):
        gaussian_log_norms(2, 3, sigma=sigma, generator=generator())


@pytest.mark.parametrize("argument", ["dimension", "steps", "chains"])
def test_sizes_of_a_simulation_must_be_positive_integers(argument):
    sizes = {"dimension": 2, "steps": 2, "chains": 2} | {argument: 0}
    with pytest.raises(ValueError, match=f"{argument} must be a positive integer"):
        gaussian_log_norms(**sizes, generator=generator())


def test_simulation_never_falls_back_on_the_global_generator():
    with pytest.raises(TypeError, match=r"generator must be a torch.Generator, got None"):
        gaussian_log_norms(2, 3, generator=None)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (torch.ones(3), "must have 3 columns"),
        (torch.ones(2, 1), r"vector must have shape \(n_0,\), got \(2, 1\)"),
        (torch.tensor([1.0, math.nan]), "vector must be finite"),
    ],
)
def test_bad_vectors_are_named(vector, message):
    with pytest.raises(ValueError, match=message):
        log_norm_trajectory([torch.eye(2)], vector)
