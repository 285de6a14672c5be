"""Oracles: 30-digit references, closed forms, and integrals by mpmath."""

import math
import time

import mpmath
import pytest
import torch
from torch import nn

from stablenets import meanfield
from stablenets.activations import ACTIVATIONS
from stablenets.meanfield.quadrature import derivative

SELU_SCALE, SELU_ALPHA = (
    mpmath.mpf("1.0507009873554804934193349852946"),
    mpmath.mpf("1.6732632423543772848170429916717"),
)


def _sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


# name: (φ, φ′) in mpmath
ORACLES = {
    "linear": (lambda x: x, lambda x: mpmath.mpf(1)),
    "relu": (lambda x: max(x, mpmath.mpf(0)), lambda x: mpmath.mpf(x > 0)),
    "leaky_relu": (lambda x: x if x > 0 else x / 100, lambda x: mpmath.mpf(1) if x > 0 else mpmath.mpf("0.01")),
    "elu": (lambda x: x if x > 0 else mpmath.expm1(x), lambda x: mpmath.exp(min(x, 0))),
    "selu": (
        lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mpmath.expm1(x)),
        lambda x: SELU_SCALE * (1 if x > 0 else SELU_ALPHA * mpmath.exp(x)),
    ),
    "gelu": (lambda x: x * mpmath.ncdf(x), lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x)),
    "silu": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x))),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), _sigmoid),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
    "erf": (mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
}


def _moment(function, q):
    """E[f(√q z)²] to about 16 digits, cut where f bends."""
    scale = mpmath.sqrt(q)
    cuts = sorted({sign * cut for cut in (0, 1 / scale, 3 / scale, 1, 3, 6, 12) for sign in (-1, 1)})
    with mpmath.workdps(20):
        return float(mpmath.quad(lambda z: function(scale * z) ** 2 * mpmath.npdf(z), cuts))


def test_every_named_activation_has_an_oracle():
    assert ORACLES.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("q", [0.01, 1, 25])
@pytest.mark.parametrize("name", ORACLES)
def test_moments_agree_with_mpmath_to_twelve_digits(name, q):
    function, slope = ORACLES[name]
    assert meanfield.second_moment(name, q) == pytest.approx(_moment(function, q), rel=1e-12)
    assert meanfield.derivative_moment(name, q) == pytest.approx(_moment(slope, q), rel=1e-12)


@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0, 25.0, 1000.0])
def test_erf_has_its_closed_forms(q):
    assert meanfield.second_moment("erf", q) == pytest.approx(2 / math.pi * math.asin(2 * q / (1 + 2 * q)), rel=1e-12)
    assert meanfield.derivative_moment("erf", q) == pytest.approx(4 / math.pi / math.sqrt(1 + 4 * q), rel=1e-12)


@pytest.mark.parametrize("q", [0.0, 1e-9, 1.0, 25.0, 1e6])
def test_relu_passes_half_of_the_squared_gradient(q):
    assert meanfield.derivative_moment("relu", q) == pytest.approx(0.5, rel=4e-16)


@pytest.mark.parametrize(
    ("name", "second", "slope"),
    [
        ("tanh", 0.394294490397841, 0.464402902448268),
        ("gelu", 0.425221482570299, 0.455850865649287),
        ("silu", 0.355775519817352, 0.379482351632829),
    ],
)
def test_moments_at_one_have_the_reference_digits(name, second, slope):
    assert meanfield.second_moment(name) == pytest.approx(second, abs=1e-15)
    assert meanfield.derivative_moment(name) == pytest.approx(slope, abs=1e-15)


@pytest.mark.parametrize(("power", "moment"), [(0, 1), (1, 0), (2, 3.0), (4, 27.0), (8, 105 * 81.0)])
def test_expectation_of_a_power_is_the_gaussian_moment(power, moment):
    assert meanfield.expectation(lambda x: x**power, variance=3.0) == pytest.approx(moment, rel=1e-14, abs=1e-15)


def test_expectation_at_zero_variance_is_the_value_at_zero():
    assert meanfield.expectation(torch.cos, variance=0.0) == pytest.approx(1, rel=1e-15)


# pairs ----------------------------------------------------------------------------------------------------------------

CORRELATIONS = [-1.0, -0.9, -0.3, 0.0, 0.5, 0.99, 1 - 1e-9, 1.0]


@pytest.mark.parametrize("c", CORRELATIONS)
def test_relu_correlation_map_is_the_arc_cosine_kernel(c):
    closed = (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi  # Cho & Saul 2009
    assert meanfield.correlation_map("relu", c, q=1.7, weight_variance=2.0) == pytest.approx(closed, abs=1e-13)


@pytest.mark.parametrize("q", [0.1, 1.0, 25.0, 200.0])
@pytest.mark.parametrize("c", CORRELATIONS)
def test_erf_pair_expectation_is_the_arc_sine_kernel(c, q):
    closed = 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q))  # Williams 1997
    assert meanfield.pair_expectation(torch.erf, c, q) == pytest.approx(closed, abs=1e-13)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_derivative_of_relu_has_the_orthant_probability(c):
    slope = derivative("relu")
    assert meanfield.pair_expectation(slope, c) == pytest.approx(0.5 - math.acos(c) / (2 * math.pi), abs=1e-13)


@pytest.mark.parametrize("name", ["tanh", "selu", "gelu"])
@pytest.mark.parametrize("q", [1.0, 25.0])
def test_pair_expectation_joins_the_single_ones(name, q):
    """At c = 1 it is E[φ²], at 0 it is E[φ]², at −1 it is E[φ(x) φ(−x)]."""
    function = ACTIVATIONS[name]
    expected = {
        1.0: meanfield.second_moment(name, q),
        0.0: meanfield.expectation(function, q) ** 2,
        -1.0: meanfield.expectation(lambda x: function(x) * function(-x), q),
    }
    for c, value in expected.items():
        assert meanfield.pair_expectation(function, c, q) == pytest.approx(value, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(("name", "q", "c"), [("tanh", 1.06, 0.4468), ("gelu", 4.0, -0.7), ("sigmoid", 4.0, 0.9)])
def test_pair_expectation_agrees_with_the_plain_rule_on_a_square(name, q, c):
    """For analytic functions the trapezoidal rule on [−9, 9]² converges too, without polar coordinates."""
    z = torch.linspace(-9, 9, 1001, dtype=torch.float64)
    weight = torch.exp(-z * z / 2) * (z[1] - z[0]) / math.sqrt(2 * math.pi)
    function, scale = ACTIVATIONS[name], math.sqrt(q)
    x, y = scale * z[:, None], scale * (c * z[:, None] + math.sqrt(1 - c * c) * z)
    square = (weight @ (function(x) * function(y)) @ weight).item()
    assert meanfield.pair_expectation(function, c, q) == pytest.approx(square, rel=1e-12)


@pytest.mark.parametrize("c", [-0.9, -0.2, 0.4, 0.95])
@pytest.mark.parametrize("name", ["selu", "leaky_relu"])
def test_a_kink_obeys_the_theorem_of_price(name, c):
    """d/dc E[φ(x) φ(y)] = q E[φ′(x) φ′(y)], by a fourth-order difference."""
    q, step = 4.0, 1e-3
    weights = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}
    values = {k: meanfield.pair_expectation(ACTIVATIONS[name], c + k * step, q) for k in weights}
    difference = sum(weight * values[k] for k, weight in weights.items()) / step
    assert difference == pytest.approx(q * meanfield.pair_expectation(derivative(name), c, q), rel=1e-8)


def test_a_curve_of_fifty_points_takes_less_than_a_second():
    start = time.process_time()
    for c in torch.linspace(-1, 1, 50).tolist():
        meanfield.correlation_map("tanh", c, q=1.0, weight_variance=2.5, bias_variance=0.05)
    assert time.process_time() - start < 1


# gains, maps and trajectories -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu"])
def test_gain_is_that_of_torch_where_torch_is_exact(name):
    assert meanfield.gain(name) == pytest.approx(nn.init.calculate_gain(name), rel=1e-12)


@pytest.mark.parametrize(("name", "expected"), [("tanh", 1.5925), ("gelu", 1.5335), ("selu", 1.0)])
def test_gain_has_the_reference_value(name, expected):
    assert meanfield.gain(name) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("q", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("name", ["tanh", "gelu", "sigmoid"])
def test_gain_keeps_its_variance(name, q):
    assert meanfield.variance_map(name, q, meanfield.gain(name, q) ** 2) == pytest.approx(q, rel=1e-14)


def test_maps_accept_a_module_and_a_callable():
    assert meanfield.second_moment(nn.Tanh()) == meanfield.second_moment(torch.tanh) == meanfield.second_moment("tanh")


def test_maps_work_where_gradients_are_switched_off():
    with torch.no_grad():
        assert meanfield.chi("relu", 1.0, 2.0) == pytest.approx(1, rel=1e-15)


def test_sigmoid_with_unit_gain_shrinks_gradients_to_a_quarter():
    q = meanfield.variance_fixed_point("sigmoid", 1.0)
    assert math.sqrt(meanfield.chi("sigmoid", q, 1.0)) == pytest.approx(0.236, abs=5e-4)


def test_relu_halves_the_variance_with_glorot_weights():
    expected = 0.5 ** torch.arange(31, dtype=torch.float64)
    torch.testing.assert_close(meanfield.variance_trajectory("relu", 1.0, 1.0, depth=30), expected, rtol=1e-12, atol=0)


def test_tanh_with_glorot_weights_decays_like_one_over_twice_the_depth():
    q = meanfield.variance_trajectory("tanh", 1.0, 1.0, depth=1000)  # unit inputs: layer l has q[l − 1]
    assert q[50] == pytest.approx(0.0102, abs=5e-5)  # and activations of second moment q[l]
    assert q[99] == pytest.approx(0.00512, abs=5e-6)
    assert 2 * 1000 * q[999] == pytest.approx(1, abs=0.005)


def test_gelu_dies_with_the_gain_of_relu():
    q = meanfield.variance_trajectory("gelu", 2.0, 2.0, depth=49)  # unit inputs: the first layer has q = 2
    assert q[-1] == pytest.approx(5e-12, rel=0.1)


@pytest.mark.parametrize(("weight_variance", "at_layer_40"), [(1.3, 0.9970), (1.76, 0.869), (3.0, 0.304)])
def test_correlation_of_tanh_after_forty_layers(weight_variance, at_layer_40):
    q = weight_variance + 0.05
    c = (0.6 * weight_variance + 0.05) / q  # unit inputs of correlation 0.6 seen through the first layer
    trajectory = meanfield.correlation_trajectory("tanh", c, q, weight_variance, 0.05, depth=39)
    assert trajectory.shape == (40,)
    assert trajectory[-1] == pytest.approx(at_layer_40, abs=6e-4)


def test_equal_inputs_stay_equal():
    trajectory = meanfield.correlation_trajectory("selu", 1.0, 3.0, 1.0, 0.1, depth=100)
    torch.testing.assert_close(trajectory, torch.ones(101, dtype=torch.float64), rtol=0, atol=1e-12)


# fixed points ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "gain", "q", "q_digits", "chi", "chi_digits"),
    [
        ("tanh", 5 / 3, 1.18, 5e-3, 1.21, 5e-3),
        ("selu", 0.75, 0.023, 5e-4, 1.004, 5e-4),
        ("selu", 1, 1, 1e-7, 1.072, 5e-4),
    ],
)
def test_gains_of_torch_rest_at_other_variances(name, gain, q, q_digits, chi, chi_digits):
    fixed = meanfield.variance_fixed_point(name, gain**2)
    assert fixed == pytest.approx(q, abs=q_digits)
    assert meanfield.chi(name, fixed, gain**2) == pytest.approx(chi, abs=chi_digits)


@pytest.mark.parametrize(("weight_variance", "bias_variance"), [(1.0, 0.1), (1.9, 0.1), (0.5, 40.0), (1.99999, 1e-9)])
def test_relu_rests_at_its_closed_form(weight_variance, bias_variance):
    expected = bias_variance / (1 - weight_variance / 2)
    fixed = meanfield.variance_fixed_point("relu", weight_variance, bias_variance)
    assert fixed == pytest.approx(expected, rel=1e-10)


def test_fixed_point_is_where_the_iteration_ends():
    for name, weight_variance, bias_variance in [("tanh", 3.0, 0.2), ("sigmoid", 9.0, 0.0), ("elu", 1.0, 0.3)]:
        end = meanfield.variance_trajectory(name, 1.0, weight_variance, bias_variance, depth=400)[-1].item()
        assert meanfield.variance_fixed_point(name, weight_variance, bias_variance) == pytest.approx(end, rel=1e-12)


def test_he_relu_keeps_the_variance_where_it_starts():
    assert meanfield.variance_fixed_point("relu", 2.0) == 1.0


@pytest.mark.parametrize(("name", "weight_variance"), [("tanh", 1.0), ("tanh", 0.5), ("relu", 1.9), ("gelu", 2.0)])
def test_a_dying_signal_has_fixed_point_zero(name, weight_variance):
    assert meanfield.variance_fixed_point(name, weight_variance) == 0.0


@pytest.mark.parametrize(
    ("name", "weight_variance", "bias_variance"), [("relu", 2.1, 0.0), ("relu", 2.0, 1e-6), ("linear", 1.0, 0.1)]
)
def test_a_growing_variance_is_refused(name, weight_variance, bias_variance):
    with pytest.raises(ValueError, match="grows without bound"):
        meanfield.variance_fixed_point(name, weight_variance, bias_variance)


def test_correlation_has_no_fixed_point_when_the_signal_dies():
    with pytest.raises(ValueError, match="keep the signal alive"):
        meanfield.correlation_fixed_point("tanh", 0.5)


def test_correlation_fixed_point_is_where_the_iteration_ends():
    q = meanfield.variance_fixed_point("tanh", 3.0, 0.05)
    end = meanfield.correlation_trajectory("tanh", 0.9, q, 3.0, 0.05, depth=400)[-1].item()
    assert meanfield.correlation_fixed_point("tanh", 3.0, 0.05) == pytest.approx(end, abs=1e-12)


@pytest.mark.parametrize("excess", [1e-6, 1e-4, 1e-2])
def test_close_to_the_critical_line_both_slopes_are_mirrored(excess):
    """C is smooth at 1 for tanh: to first order its slope at c* falls short of 1 by as much as χ exceeds it."""
    scales = meanfield.depth_scales("tanh", meanfield.critical_point("tanh", 0.05).weight_variance * (1 + excess), 0.05)
    assert scales.correlation < 1
    assert (scales.chi - 1) * scales.correlation_scale == pytest.approx(1, abs=5 * excess + 1e-3)


# the critical line and depth scales -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bias_variance", "q", "weight_variance"),
    [
        (0.001, 0.10729235614753, 1.1891895852347),
        (0.01, 0.27330091345823, 1.4242052904886),
        (0.05, 0.57004788164076, 1.7609546396067),
        (0.1, 0.80579918191349, 1.9860726411359),
        (1.0, 3.0363963946237, 3.4432109122654),
    ],
)
def test_critical_line_of_tanh_has_the_reference_digits(bias_variance, q, weight_variance):
    point = meanfield.critical_point("tanh", bias_variance)
    assert point == pytest.approx((weight_variance, bias_variance, q), rel=2e-13)
    assert meanfield.chi("tanh", point.q, point.weight_variance) == pytest.approx(1, rel=1e-14)
    assert meanfield.variance_fixed_point("tanh", *point[:2]) == pytest.approx(point.q, rel=1e-12)


def test_critical_point_of_erf_has_the_reference_digits():
    assert meanfield.critical_point("erf", 0.05).weight_variance == pytest.approx(1.3758390073467, abs=1e-13)


def test_critical_line_of_tanh_starts_at_one():
    assert meanfield.critical_point("tanh", 0.0) == pytest.approx((1.0, 0.0, 0.0), abs=1e-15)


def test_critical_line_of_relu_is_a_point():
    assert meanfield.critical_point("relu", 0.0) == pytest.approx((2.0, 0.0, 1.0), abs=1e-15)
    for bias_variance in (1e-6, 0.05, 10.0):
        with pytest.raises(ValueError, match="critical line of 'relu'"):
            meanfield.critical_point("relu", bias_variance)


def test_sigmoid_is_critical_only_for_large_weights():
    assert math.sqrt(meanfield.critical_point("sigmoid", 0.0).weight_variance) == pytest.approx(10.149, abs=5e-4)


def test_sigmoid_explodes_beyond_its_critical_weights():
    q = meanfield.variance_fixed_point("sigmoid", 400.0)
    assert math.sqrt(meanfield.chi("sigmoid", q, 400.0)) == pytest.approx(1.389, abs=5e-4)


@pytest.mark.parametrize(
    ("q", "weight_variance", "bias_variance", "digits", "slope"),
    [(1.0, 2.19369990353, 0.0671916747, 5e-11, 1.067), (5.0, 1.9662748431, 0.214444709, 5e-10, 0.990)],
)
def test_critical_line_of_gelu_is_given_by_q(q, weight_variance, bias_variance, digits, slope):
    point = meanfield.critical_at("gelu", q)
    assert point.weight_variance == pytest.approx(weight_variance, abs=5e-11)
    assert point.bias_variance == pytest.approx(bias_variance, abs=digits)
    near, far = (meanfield.variance_map("gelu", q + step, *point[:2]) for step in (-1e-4, 1e-4))
    assert (far - near) / 2e-4 == pytest.approx(slope, abs=5e-4)


def test_an_unstable_critical_point_is_refused():
    with pytest.raises(ValueError, match="unstable"):
        meanfield.critical_point("gelu", 0.0671916747)
    assert meanfield.critical_point("gelu", 0.214444709).q == pytest.approx(5, rel=1e-8)


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_critical_at_refuses_a_negative_bias_variance(name):
    with pytest.raises(ValueError, match="q must need a bias_variance ≥ 0"):
        meanfield.critical_at(name, 1.0)


def test_depth_scales_in_chaos_have_the_reference_digits():
    scales = meanfield.depth_scales("tanh", 2.5, 0.05)
    assert scales.q == pytest.approx(1.0639583774168, abs=5e-14)
    assert scales.chi == pytest.approx(1.1335156987, abs=5e-11)
    assert scales.correlation == pytest.approx(0.446804232344267, abs=5e-15)
    assert scales.variance_scale == pytest.approx(1.17987292, abs=5e-9)
    assert scales.correlation_scale == pytest.approx(11.79559752, abs=5e-9)


def test_depth_scales_in_order_have_the_reference_digits():
    scales = meanfield.depth_scales("tanh", 1.3, 0.05)
    assert scales.chi == pytest.approx(0.88016350988, abs=5e-12)
    assert scales.correlation == 1
    assert scales.correlation_scale == pytest.approx(7.83406927, abs=5e-9)


@pytest.mark.parametrize(
    ("weight_variance", "depth"), [(1.0, 22), (1.3, 47), (1.5, 95), (2.2, 97), (3.0, 54), (4.0, 42)]
)
def test_six_depth_scales_are_the_trainable_depth_of_tanh(weight_variance, depth):
    assert round(6 * meanfield.depth_scales("tanh", weight_variance, 0.05).correlation_scale) == depth


def test_depth_scales_are_infinite_on_the_critical_line():
    weight_variance, bias_variance, q = meanfield.critical_point("tanh", 0.05)
    scales = meanfield.depth_scales("tanh", weight_variance, bias_variance)
    assert scales.correlation_scale == math.inf
    assert scales.variance_scale < 2
    assert scales.q == pytest.approx(q, rel=1e-12)
    assert meanfield.depth_scales("relu", 2.0, 0.0)[2:] == (1.0, math.inf, math.inf)


def test_depth_scales_are_the_measured_rates_of_decay():
    weight_variance, bias_variance = 2.5, 0.05
    scales = meanfield.depth_scales("tanh", weight_variance, bias_variance)
    q = meanfield.variance_trajectory("tanh", scales.q + 1e-3, weight_variance, bias_variance, depth=12)
    c = meanfield.correlation_trajectory(
        "tanh", scales.correlation + 1e-4, scales.q, weight_variance, bias_variance, depth=60
    )
    assert -5 / math.log((q[10] - scales.q) / (q[5] - scales.q)) == pytest.approx(scales.variance_scale, rel=1e-3)
    rate = -20 / math.log((c[50] - scales.correlation) / (c[30] - scales.correlation))
    assert rate == pytest.approx(scales.correlation_scale, rel=1e-3)


# refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: meanfield.second_moment("tanj"), "activation must be one of .* got 'tanj'"),
        (lambda: meanfield.second_moment("tanh", -1.0), "q must be a finite number ≥ 0, got -1.0"),
        (lambda: meanfield.derivative_moment("tanh", math.nan), "q must be a finite number ≥ 0, got nan"),
        (lambda: meanfield.expectation(torch.tanh, math.inf), "variance must be a finite number ≥ 0, got inf"),
        (lambda: meanfield.expectation(torch.sum), "same shape"),
        (lambda: meanfield.expectation(lambda x: 1.0), "same shape.*float"),
        (lambda: meanfield.expectation(torch.log), "finite values"),
        (lambda: meanfield.gain("tanh", 0.0), "q must be a positive"),
        (lambda: meanfield.gain(torch.zeros_like), "must be a positive finite number, got 0.0"),
        (lambda: meanfield.chi(torch.zeros_like, 1.0, 1.0), "differentiable by autograd"),
        (lambda: meanfield.critical_at(torch.sign, 1.0), "must be a positive finite number, got 0.0"),
        (lambda: meanfield.variance_map("relu", 1.0, 0.0), "weight_variance must be a positive finite number, got 0.0"),
        (lambda: meanfield.variance_map("relu", 1.0, 2.0, -0.1), "bias_variance must be a finite number ≥ 0, got -0.1"),
        (
            lambda: meanfield.correlation_map("relu", 1.1, 1.0, 2.0),
            r"correlation must be a number in \[-1, 1\], got 1.1",
        ),
        (lambda: meanfield.correlation_map("relu", math.nan, 1.0, 2.0), "correlation must be .* got nan"),
        (lambda: meanfield.correlation_map("relu", 0.5, 0.0, 2.0), "q must be a positive"),
        (lambda: meanfield.correlation_trajectory("relu", 2.0, 1.0, 2.0, depth=1), "correlation must be .* got 2.0"),
        (lambda: meanfield.variance_trajectory("relu", 1.0, 2.0, depth=0), "depth must be a positive integer, got 0"),
        (lambda: meanfield.critical_point("tanh", -0.1), "bias_variance must be a finite number ≥ 0, got -0.1"),
        (lambda: meanfield.critical_point("softplus", 0.1), "critical line of 'softplus', got 0.1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
