"""Lyapunov exponents and growing norms against closed forms, simulations and exact products."""

import math

import mpmath
import numpy as np
import pytest
import scipy.special
import torch
from matrices import gaussian, generator, largest_error, orthogonal

from stablenets.products import (
    gaussian_log_norms,
    gaussian_lyapunov_exponents,
    log_norm_trajectory,
    lyapunov_exponents,
)


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
    logs = log_norm_trajectory(factors, torch.tensor([0.0, 1e-200, 0.0], dtype=torch.float64)) / math.log(10)
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


# Bad input


def test_lyapunov_exponents_need_square_factors():
    with pytest.raises(ValueError, match=r"matrices\[0\] must be square, got shape \(3, 2\)"):
        lyapunov_exponents([torch.ones(3, 2), torch.ones(2, 3)])


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
