"""Label shift: closed forms, the certificate, the Cramér–Rao bound, other optimizers, and every bad input."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from stablenets.shift.calibration import Calibration, temperature_scaling
from stablenets.shift.confusion import bbse, confusion_matrix, rlls
from stablenets.shift.label import adjust, em_prior

UNIFORM = torch.full((3,), 1 / 3, dtype=torch.float64)
CONFUSION = torch.tensor([[0.8, 0.1, 0.2], [0.1, 0.7, 0.2], [0.1, 0.2, 0.6]], dtype=torch.float64)
SOURCE = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
TARGET = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)


def gaussian_classes(prior: torch.Tensor, n: int, seed: int, separation: float = 1.2):
    """Classes N(μ_j, I) μ_j = separation · e_j, in k dimensions: logits, exact if p is uniform, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.multinomial(prior, n, replacement=True, generator=generator)
    noise = torch.randn(n, len(prior), dtype=torch.float64, generator=generator)
    features = noise + separation * torch.nn.functional.one_hot(labels, len(prior))
    return separation * features, labels


def uniform(k: int) -> torch.Tensor:
    return torch.full((k,), 1 / k, dtype=torch.float64)


def cramer_rao(probabilities: torch.Tensor, source: torch.Tensor, prior: torch.Tensor) -> float:
    """Least mean squared error, summed over the classes, of an unbiased estimate of ``prior`` from this sample."""
    ratios = probabilities / source
    ratios = ratios / (ratios @ prior)[:, None]
    tangent = torch.linalg.svd(torch.ones(1, len(prior), dtype=torch.float64)).Vh[1:].T
    return torch.linalg.inv(tangent.T @ ratios.T @ ratios @ tangent).trace().item()


def log_likelihood(probabilities: torch.Tensor, source: torch.Tensor, prior: torch.Tensor) -> float:
    return (probabilities @ (prior / source)).log().mean().item()


# --- confusions ---


def test_confusion_counts_predictions_within_each_true_class():
    predictions, labels = torch.tensor([0, 1, 2, 2, 1, 0, 0]), torch.tensor([0, 0, 2, 1, 1, 2, 2])
    expected = torch.tensor([[1 / 2, 0, 2 / 3], [1 / 2, 1 / 2, 0], [0, 1 / 2, 1 / 3]], dtype=torch.float64)
    assert torch.allclose(confusion_matrix(predictions, labels, 3), expected, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_soft_confusion_is_the_mean_probability_in_each_class(dtype):
    logits, labels = gaussian_classes(SOURCE, 10_000, seed=0)
    probabilities = logits.softmax(1).to(dtype)
    expected = torch.stack([probabilities[labels == j].double().mean(0) for j in range(3)], dim=1)
    assert torch.allclose(confusion_matrix(probabilities, labels, 3), expected, atol=1e-12)


def test_hard_and_one_hot_predictions_give_the_same_confusion():
    logits, labels = gaussian_classes(SOURCE, 500, seed=1)
    predicted = logits.argmax(1)
    soft = confusion_matrix(torch.nn.functional.one_hot(predicted, 3).double(), labels, 3)
    assert torch.allclose(confusion_matrix(predicted, labels, 3), soft, atol=1e-15)


def test_bbse_recovers_the_prior_from_exact_confusions():
    estimate = bbse(CONFUSION, SOURCE, CONFUSION @ TARGET)
    assert torch.allclose(estimate.prior, TARGET, atol=1e-14)
    assert torch.allclose(estimate.weights, TARGET / SOURCE, atol=1e-13)


def test_bbse_weights_solve_the_joint_system_of_the_paper():
    joint = CONFUSION * SOURCE
    weights = torch.linalg.solve(joint, CONFUSION @ TARGET)
    assert torch.allclose(bbse(CONFUSION, SOURCE, CONFUSION @ TARGET).weights, weights, atol=1e-13)


def test_bbse_turns_negative_shares_into_zero_and_keeps_a_distribution():
    mean = torch.tensor([0.05, 0.15, 0.8], dtype=torch.float64)
    assert torch.linalg.solve(CONFUSION, mean).min() < 0
    estimate = bbse(CONFUSION, SOURCE, mean)
    assert estimate.prior.min() == 0
    assert estimate.prior.sum().item() == pytest.approx(1)
    assert (estimate.weights @ SOURCE).item() == pytest.approx(1)


def test_bbse_says_that_the_confusion_is_near_singular():
    confusion = torch.tensor([[0.5, 0.5, 0.1], [0.4, 0.4, 0.1], [0.1, 0.1, 0.8]])
    with pytest.raises(ValueError, match=r"condition number.*near singular"):
        bbse(confusion, SOURCE, confusion.double() @ TARGET)


def test_max_condition_is_the_border_of_refusal():
    condition = np.linalg.cond(CONFUSION.numpy())
    bbse(CONFUSION, SOURCE, UNIFORM, max_condition=condition * 1.001)
    with pytest.raises(ValueError, match="condition number"):
        bbse(CONFUSION, SOURCE, UNIFORM, max_condition=condition / 1.001)


# --- RLLS ---


def test_rlls_with_a_small_penalty_is_exactly_bbse():
    mean = torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64)
    assert torch.allclose(
        rlls(CONFUSION, SOURCE, mean, penalty=0.01).prior, bbse(CONFUSION, SOURCE, mean).prior, atol=1e-10
    )


def test_rlls_is_bbse_up_to_one_over_the_condition_number():
    mean = torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64)
    penalty = 0.999 / np.linalg.cond((CONFUSION * SOURCE).numpy())
    expected = bbse(CONFUSION, SOURCE, mean).prior
    assert torch.allclose(rlls(CONFUSION, SOURCE, mean, penalty=penalty).prior, expected, atol=1e-10)


def test_rlls_with_a_large_penalty_sees_no_shift():
    assert torch.equal(rlls(CONFUSION, SOURCE, UNIFORM, penalty=1.0).weights, torch.ones(3, dtype=torch.float64))


def test_rlls_without_correction_sees_no_shift():
    assert torch.allclose(rlls(CONFUSION, SOURCE, UNIFORM, shrinkage=0.0).prior, SOURCE, atol=1e-15)


@pytest.mark.parametrize("penalty", [0.4, 0.5, 0.55])
def test_rlls_minimises_the_sum_of_norms(penalty):
    mean = torch.tensor([0.35, 0.3, 0.35], dtype=torch.float64)
    matrix, target = (CONFUSION * SOURCE).numpy(), (mean - CONFUSION @ SOURCE).numpy()
    strength = penalty * np.linalg.norm(matrix, 2)

    def objective(theta):
        return np.linalg.norm(matrix @ theta - target) + strength * np.linalg.norm(theta)

    options = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 4000}
    search = minimize(objective, [-0.1, 0.0, 0.2], method="Nelder-Mead", options=options)
    assert 0.01 < np.linalg.norm(search.x) < np.linalg.norm(np.linalg.solve(matrix, target)) - 0.01
    weights = torch.from_numpy(1 + search.x)
    expected = SOURCE * weights / (SOURCE * weights).sum()
    assert torch.allclose(rlls(CONFUSION, SOURCE, mean, penalty=penalty).prior, expected, atol=1e-5)


def test_rlls_takes_a_singular_confusion():
    confusion = torch.tensor([[0.5, 0.5, 0.1], [0.4, 0.4, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64)
    prior = rlls(confusion, SOURCE, confusion @ TARGET, penalty=0.0).prior
    # The third class can be told; the first two move only together.
    assert prior[2].item() == pytest.approx(0.6, abs=1e-6)


# --- EM ---


def test_em_of_certain_predictions_counts_them():
    labels = torch.tensor([0, 0, 1, 2, 2, 2, 2])
    estimate = em_prior(torch.nn.functional.one_hot(labels, 3).double(), SOURCE)
    assert torch.allclose(estimate.prior, torch.tensor([2, 1, 4], dtype=torch.float64) / 7, atol=1e-15)
    assert estimate.iterations == 1


def test_em_of_two_classes_solves_the_equation_of_its_maximum():
    # Two rows (.8, .2), one (.2, .8): 2 · .6 / (.2 + .6π) = .6 / (.8 − .6π), so π = 7/9.
    probabilities = torch.tensor([[0.8, 0.2], [0.8, 0.2], [0.2, 0.8]])
    estimate = em_prior(probabilities, uniform(2), tolerance=1e-11)
    assert estimate.prior[0].item() == pytest.approx(7 / 9, abs=1e-7)


def test_em_finds_a_maximum_on_the_border():
    probabilities = torch.tensor([[0.8, 0.2], [0.6, 0.4], [0.9, 0.1]])
    assert em_prior(probabilities, uniform(2), tolerance=1e-9).prior[1].item() < 1e-8


def test_em_of_uninformative_probabilities_sees_no_shift():
    estimate = em_prior(SOURCE.expand(10, 3), SOURCE)
    assert torch.allclose(estimate.prior, SOURCE)
    assert estimate.iterations == 1


@pytest.mark.parametrize("seed", range(3))
def test_em_agrees_with_a_general_optimizer(seed):
    logits, _ = gaussian_classes(TARGET, 400, seed)
    probabilities = logits.softmax(1)
    ratios = (probabilities / UNIFORM).numpy()

    def loss(free):  # a softmax over k − 1 free logits
        z = np.append(free, 0.0)
        prior = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        mixed = ratios @ prior
        factors = (ratios / mixed[:, None]).mean(0)
        return -np.log(mixed).mean(), -(prior * (factors - 1))[:-1]

    best = np.append(minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-9}).x, 0.0)
    expected = torch.from_numpy(np.exp(best) / np.exp(best).sum())
    assert torch.allclose(em_prior(probabilities, UNIFORM, tolerance=1e-10).prior, expected, atol=1e-6)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-8])
def test_gap_bounds_the_log_likelihood_that_is_missing(tolerance):
    logits, _ = gaussian_classes(TARGET, 300, seed=3, separation=0.4)
    probabilities = logits.softmax(1)
    best = em_prior(probabilities, UNIFORM, tolerance=1e-12)
    rough = em_prior(probabilities, UNIFORM, tolerance=tolerance)
    missing = log_likelihood(probabilities, UNIFORM, best.prior) - log_likelihood(probabilities, UNIFORM, rough.prior)
    assert -1e-12 <= missing <= rough.gap + 1e-12
    assert rough.gap <= tolerance


def test_gap_is_the_one_of_the_prior_returned():
    logits, _ = gaussian_classes(TARGET, 300, seed=4)
    probabilities = logits.softmax(1)
    estimate = em_prior(probabilities, UNIFORM)
    ratios = probabilities / UNIFORM
    gap = (ratios / (ratios @ estimate.prior)[:, None]).mean(0).max().item() - 1
    assert estimate.gap == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize(("k", "separation", "share"), [(2, 0.3, 0.5), (5, 0.4, 0.4), (10, 0.5, 0.55)])
def test_em_takes_fewer_passes_than_plain_em(k, separation, share):
    prior = torch.cat([torch.tensor([share]), torch.full((k - 1,), (1 - share) / (k - 1))]).double()
    prior = prior * torch.linspace(1, 2, k)
    logits, _ = gaussian_classes(prior / prior.sum(), 2000, seed=5, separation=separation)
    probabilities = logits.softmax(1)
    plain, passes = uniform(k), 1
    while (factors := (1 / (probabilities @ (plain * k)) @ probabilities) * k / len(probabilities)).max() > 1 + 1e-6:
        plain, passes = plain * factors, passes + 1
    estimate = em_prior(probabilities, uniform(k), tolerance=1e-6)
    assert estimate.iterations < passes / 2
    assert (
        abs(
            log_likelihood(probabilities, uniform(k), plain) - log_likelihood(probabilities, uniform(k), estimate.prior)
        )
        < 1e-6
    )


def test_em_survives_probabilities_that_underflow():
    probabilities = torch.tensor(
        [[1.0, 0.0], [1 - 1e-300, 1e-300], [1.0, 0.0], [1e-12, 1 - 1e-12]], dtype=torch.float64
    )
    assert em_prior(probabilities, uniform(2)).prior[0].item() == pytest.approx(0.75, abs=1e-6)


def test_em_reaches_the_cramer_rao_bound_and_beats_bbse():
    prior, runs = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64), 200
    held_out, labels = gaussian_classes(uniform(4), 20_000, seed=999)
    confusion = confusion_matrix(held_out.softmax(1), labels, 4)
    em, black_box, bound = 0.0, 0.0, 0.0
    for seed in range(runs):
        logits, _ = gaussian_classes(prior, 1000, seed)
        probabilities = logits.softmax(1)
        em += (em_prior(probabilities, uniform(4)).prior - prior).square().sum().item() / runs
        black_box += (bbse(confusion, uniform(4), probabilities.mean(0)).prior - prior).square().sum().item() / runs
        bound += cramer_rao(probabilities, uniform(4), prior) / runs
    assert 0.75 < em / bound < 1.2
    assert black_box > em


# --- adjust ---


def test_adjust_is_bayes_rule_with_the_new_prior():
    logits, _ = gaussian_classes(UNIFORM, 50, seed=6)
    expected = (logits + TARGET.log()).softmax(1)
    assert torch.allclose(adjust(logits.softmax(1), UNIFORM, TARGET), expected, atol=1e-14)


def test_adjust_to_the_source_prior_changes_nothing():
    probabilities = torch.tensor([[0.2, 0.3, 0.5]])
    assert torch.allclose(adjust(probabilities, SOURCE, SOURCE), probabilities)


def test_adjust_refuses_a_row_without_a_class_of_the_target():
    with pytest.raises(ValueError, match="got 1 rows"):
        adjust(torch.tensor([[1.0, 0.0], [0.5, 0.5]]), uniform(2), torch.tensor([0.0, 1.0]))


# --- calibration ---


@pytest.mark.parametrize("bias_corrected", [True, False])
def test_calibration_minimises_the_loss_of_a_general_optimizer(bias_corrected):
    logits, labels = gaussian_classes(TARGET, 500, seed=7)
    logits = 3 * logits + torch.tensor([0.0, 1.0, -2.0])

    def loss(free):
        scores = logits * free[0] + torch.from_numpy(np.append(free[1:], 0.0)) * bias_corrected
        return torch.nn.functional.cross_entropy(scores, labels).item()

    best = minimize(loss, np.array([1.0, 0.0, 0.0]), method="BFGS", options={"gtol": 1e-7})
    calibration = temperature_scaling(logits, labels, bias_corrected=bias_corrected)
    ours = -calibration.apply(logits)[torch.arange(500), labels].log().mean().item()
    assert ours == pytest.approx(best.fun, abs=1e-9)
    assert calibration.temperature == pytest.approx(1 / best.x[0], rel=1e-3)


def test_calibration_finds_the_factor_and_the_bias_that_spoiled_exact_logits():
    logits, labels = gaussian_classes(UNIFORM, 50_000, seed=8)
    calibration = temperature_scaling(2 * logits + torch.tensor([1.0, 0.0, -1.0]), labels)
    assert calibration.temperature == pytest.approx(2, abs=0.06)
    assert torch.allclose(calibration.bias, torch.tensor([-0.5, 0.0, 0.5], dtype=torch.float64), atol=0.06)


def test_bias_corrected_probabilities_have_the_shares_of_the_labels_as_their_means():
    logits, labels = gaussian_classes(TARGET, 800, seed=9)
    means = temperature_scaling(5 * logits, labels).apply(5 * logits).mean(0)
    assert torch.allclose(means, torch.bincount(labels).double() / 800, atol=1e-6)


def test_without_bias_correction_the_bias_is_zero():
    logits, labels = gaussian_classes(TARGET, 100, seed=10)
    assert not temperature_scaling(logits, labels, bias_corrected=False).bias.any()


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_temperature_carries_the_scale_of_the_logits(scale):
    logits, labels = gaussian_classes(UNIFORM, 300, seed=11)
    base, scaled = temperature_scaling(logits, labels), temperature_scaling(scale * logits, labels)
    assert scaled.temperature == pytest.approx(scale * base.temperature, rel=1e-6)
    assert torch.allclose(scaled.bias, base.bias, atol=1e-6)


def test_a_constant_added_to_a_row_of_logits_changes_nothing():
    logits, labels = gaussian_classes(UNIFORM, 300, seed=12)
    moved = temperature_scaling(logits + 100 * torch.arange(300)[:, None], labels)
    assert moved.temperature == pytest.approx(temperature_scaling(logits, labels).temperature, rel=1e-6)


def test_calibration_repairs_the_prior_of_overconfident_probabilities():
    k, prior = 10, torch.cat([torch.tensor([0.55]), torch.full((9,), 0.05)]).double()
    raw, repaired = 0.0, 0.0
    for seed in range(10):
        held_out, labels = gaussian_classes(uniform(k), 2000, 100 + seed)
        logits, _ = gaussian_classes(prior, 2000, 200 + seed)
        calibration = temperature_scaling(2 * held_out, labels)
        raw += (em_prior((2 * logits).softmax(1), uniform(k)).prior - prior).abs().sum().item() / 10
        repaired += (em_prior(calibration.apply(2 * logits), uniform(k)).prior - prior).abs().sum().item() / 10
    assert repaired < 0.7 * raw


@pytest.mark.parametrize("bias_corrected", [True, False])
def test_logits_that_separate_the_classes_have_no_temperature(bias_corrected):
    with pytest.raises(ValueError, match="must not separate"):
        temperature_scaling(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]), bias_corrected=bias_corrected)


def test_logits_that_speak_against_the_labels_have_no_temperature():
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="best inverse temperature of -"):
        temperature_scaling(logits, torch.tensor([1, 0, 1, 0, 0]))


# --- bad input ---

HALVES = torch.tensor([0.5, 0.5])
ROWS = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
LABELS = torch.tensor([0, 1])
NAN = torch.tensor([[math.nan, 0.5], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: confusion_matrix(ROWS, LABELS, 1), ValueError, "classes must be at least 2"),
        (lambda: confusion_matrix(ROWS, LABELS, 0), ValueError, "classes must be a positive integer"),
        (lambda: confusion_matrix(ROWS, LABELS.float(), 2), TypeError, "labels must be a tensor of integers"),
        (lambda: confusion_matrix(ROWS, [0, 1], 2), TypeError, "labels must be a tensor of integers, got list"),
        (lambda: confusion_matrix(ROWS, LABELS[:0], 2), ValueError, "labels must have shape"),
        (lambda: confusion_matrix(ROWS, LABELS + 1, 2), ValueError, "labels must lie in 0 … 1"),
        (lambda: confusion_matrix(ROWS, LABELS - 1, 2), ValueError, "labels must lie in 0 … 1"),
        (lambda: confusion_matrix(ROWS, LABELS * 0, 2), ValueError, "got none of class 1"),
        (lambda: confusion_matrix(LABELS + 1, LABELS, 2), ValueError, "predictions must lie in 0 … 1"),
        (lambda: confusion_matrix(ROWS[:1], LABELS, 2), ValueError, "of one length, got 1 and 2"),
        (
            lambda: confusion_matrix(ROWS, torch.tensor([0, 1, 2]), 3),
            ValueError,
            r"predictions must have shape \(n, 3\)",
        ),
        (lambda: confusion_matrix(3 * ROWS, LABELS, 2), ValueError, "sum to 1"),
        (lambda: confusion_matrix(NAN, LABELS, 2), ValueError, "1 NaN"),
        (lambda: confusion_matrix(ROWS.long(), LABELS, 2), TypeError, "floating point"),
        (lambda: confusion_matrix(ROWS.tolist(), LABELS, 2), TypeError, "predictions must be a torch.Tensor"),
        (lambda: bbse(ROWS[:1], HALVES, HALVES), ValueError, "confusion must have shape"),
        (lambda: bbse(ROWS, HALVES, HALVES), ValueError, "columns"),
        (lambda: bbse(NAN, HALVES, HALVES), ValueError, "confusion must be finite"),
        (lambda: bbse(torch.eye(2), torch.tensor([0.0, 1.0]), HALVES), ValueError, "source_prior must be > 0"),
        (lambda: bbse(torch.eye(2), torch.ones(3) / 3, HALVES), ValueError, "source_prior must have shape"),
        (lambda: bbse(torch.eye(2), HALVES, 2 * HALVES), ValueError, "target_predictions must be ≥ 0 and sum to 1"),
        (lambda: bbse(torch.eye(2), HALVES, [0.5, 0.5]), TypeError, "target_predictions must be a torch.Tensor"),
        (lambda: bbse(torch.eye(2), HALVES, HALVES, max_condition=0.0), ValueError, "max_condition"),
        (lambda: rlls(torch.eye(2), HALVES, HALVES, penalty=-1.0), ValueError, "penalty"),
        (lambda: rlls(torch.eye(2), HALVES, HALVES, shrinkage=1.5), ValueError, "shrinkage"),
        (lambda: em_prior(ROWS[0], HALVES), ValueError, "probabilities must have shape"),
        (lambda: em_prior(ROWS[:0], HALVES), ValueError, "probabilities must have shape"),
        (lambda: em_prior(ROWS - 0.5, HALVES), ValueError, "sum to 1"),
        (lambda: em_prior(torch.tensor([[1.5, -0.5]]), HALVES), ValueError, "minimum of -0.5"),
        (lambda: em_prior(NAN, HALVES), ValueError, "1 NaN"),
        (lambda: em_prior(ROWS, torch.tensor([1.0, 0.0])), ValueError, "source_prior must be > 0"),
        (lambda: em_prior(ROWS, HALVES, tolerance=0.0), ValueError, "tolerance"),
        (lambda: em_prior(ROWS, HALVES, max_iterations=0), ValueError, "max_iterations"),
        (lambda: em_prior(ROWS, HALVES, tolerance=1e-12, max_iterations=1), RuntimeError, "EM left a gap"),
        (lambda: adjust(ROWS, HALVES, torch.tensor([0.5, 0.6])), ValueError, "target_prior"),
        (lambda: adjust(ROWS, HALVES, torch.tensor([-0.5, 1.5])), ValueError, "target_prior"),
        (lambda: temperature_scaling(NAN, LABELS), ValueError, "logits must be finite"),
        (lambda: temperature_scaling(ROWS[0], LABELS), ValueError, "logits must have shape"),
        (lambda: temperature_scaling(ROWS[:1], LABELS), ValueError, "of one length, got 1 and 2"),
        (lambda: temperature_scaling(ROWS, LABELS + 5), ValueError, "labels must lie in"),
        (lambda: temperature_scaling(ROWS, LABELS * 0), ValueError, "got none of class 1"),
        (lambda: temperature_scaling(torch.ones(2, 2), LABELS), ValueError, "differ between the classes"),
        (lambda: Calibration(1.0, torch.zeros(3)).apply(ROWS), ValueError, r"logits must have shape \(n, 3\)"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_em_of_rows_that_sum_to_one_but_for_rounding_has_the_same_prior_and_certificate():
    generator = torch.Generator().manual_seed(0)
    rows = torch.softmax(torch.randn(500, 3, generator=generator, dtype=torch.float64), dim=1)
    exact = em_prior(rows, SOURCE, tolerance=1e-9)
    for scale in (0.9985, 1.0015):
        rounded = em_prior(scale * rows, SOURCE, tolerance=1e-9)
        assert torch.allclose(rounded.prior, exact.prior, atol=1e-12)
        assert rounded.iterations == exact.iterations
