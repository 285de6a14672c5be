import math
from itertools import combinations

import pytest
import torch
from scipy import stats
from torch import nn

from stablenets.shift import _discrepancies, kolmogorov, mmd
from stablenets.shift.black_box import black_box_test
from stablenets.shift.classifier import classifier_test
from stablenets.shift.kolmogorov import kolmogorov_p_values
from stablenets.shift.mmd import linear_mmd_test, mmd_test
from stablenets.shift.result import permutation_p_value
from stablenets.shift.two_sample import bonferroni, holm, ks_test, univariate_test

COUNT = 1000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def samples(n, m, d, *, seed=0, shift=0.0, scale=1.0):
    generator = seeded(seed)
    source = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return source, torch.randn(m, d, generator=generator, dtype=torch.float64) * scale + shift


def by_definition(source, target, bandwidth):
    """MMD² pair by pair."""

    def mean(x, y, *, different):
        kernel = torch.exp(-(x[:, None] - y[None]).square().sum(-1) / (2 * bandwidth**2))
        return (kernel.sum() - different * len(x)) / (len(x) * (len(y) - different))

    within = mean(source, source, different=True) + mean(target, target, different=True)
    return (within - 2 * mean(source, target, different=False)).item()


def assert_level(p_values, *alphas):
    """P(p ≤ α) ≤ α, by a bound that 1000 right tests exceed once in ten thousand."""
    assert len(p_values) == COUNT
    for alpha in alphas:
        rejected = sum(p <= alpha for p in p_values)
        assert rejected <= stats.binom.isf(1e-4, COUNT, alpha)


# The p-value of a permutation test


def test_p_value_counts_the_observed_labeling_and_ties():
    assert permutation_p_value(2.0, torch.tensor([1.0, 2.0, 3.0])) == 3 / 4
    assert permutation_p_value(9.0, torch.zeros(99)) == 1 / 100
    assert permutation_p_value(1.0, torch.tensor([0.99, 0.5]), tie=0.02) == 2 / 3


# Maximum mean discrepancy


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 1), (5, 7, 3), (60, 90, 4)])
@pytest.mark.parametrize("block", [1, 4, 256])
def test_mmd_is_the_mean_over_pairs_of_different_points(n, m, d, block):
    source, target = samples(n, m, d, shift=0.5)
    statistic = mmd_test(source, target, bandwidth=1.3, permutations=1, generator=seeded(), block=block).statistic
    assert statistic == pytest.approx(by_definition(source, target, 1.3), abs=1e-14)


def test_mmd_of_two_points_each_is_known():
    # Both pairs within a sample coincide, so their kernel is 1; every pair across has distance 2 and kernel exp(−2).
    source, target = torch.zeros(2, 1), torch.full((2, 1), 2.0)
    statistic = mmd_test(source, target, bandwidth=1.0, permutations=1, generator=seeded()).statistic
    assert statistic == pytest.approx(2 - 2 * math.exp(-2), abs=1e-14)


def test_mmd_is_unbiased_for_gaussians_that_differ_in_mean():
    # E k(x, y) for x − y ~ N(δ, 2I) in d dimensions is (1 + 2/h²)^(−d/2) exp(−|δ|² / 2(h² + 2)).
    d, h, delta, repetitions = 3, 1.5, 0.8, 400
    values = [
        mmd_test(*samples(20, 30, d, seed=seed, shift=delta), bandwidth=h, permutations=1, generator=seeded()).statistic
        for seed in range(repetitions)
    ]
    expected = 2 * (1 + 2 / h**2) ** (-d / 2) * (1 - math.exp(-d * delta**2 / (2 * (h**2 + 2))))
    values = torch.tensor(values)
    assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(repetitions)


def test_mmd_p_value_is_that_of_all_labelings():
    source, target = samples(4, 4, 2, seed=3, shift=0.7)
    pooled = torch.cat([source, target])
    observed = by_definition(source, target, 1.0)
    every = []
    for chosen in combinations(range(8), 4):
        rest = [i for i in range(8) if i not in chosen]
        every.append(by_definition(pooled[list(chosen)], pooled[rest], 1.0))
    share = sum(value >= observed - 1e-12 for value in every) / len(every)
    p_value = mmd_test(source, target, bandwidth=1.0, permutations=20000, generator=seeded()).p_value
    assert abs(p_value - share) < 4.5 * math.sqrt(share * (1 - share) / 20000) + 1e-4


@pytest.mark.parametrize("test", [mmd_test, linear_mmd_test])
@pytest.mark.parametrize(("n", "m"), [(30, 50), (40, 40)])
def test_mmd_does_not_care_which_sample_is_the_source(test, n, m):
    source, target = samples(n, m, 3, shift=0.2)
    assert test(source, target, generator=seeded(1)) == test(target, source, generator=seeded(1))


@pytest.mark.parametrize("test", [mmd_test, linear_mmd_test])
def test_mmd_does_not_change_when_both_samples_move_or_grow(test):
    source, target = samples(40, 30, 3, shift=0.3)
    here = test(source, target, generator=seeded(1))
    there = test(source * 8 + 1024, target * 8 + 1024, generator=seeded(1))
    assert there.p_value == here.p_value
    assert there.statistic == pytest.approx(here.statistic, abs=1e-10 if test is mmd_test else 2)


def test_mmd_of_float32_is_that_of_float64():
    source, target = (sample.float() for sample in samples(30, 40, 3, shift=0.3))
    assert mmd_test(source, target, generator=seeded()) == mmd_test(
        source.double(), target.double(), generator=seeded()
    )


@pytest.mark.parametrize("kind", ["normal", "binary", "offset", "heavy"])
def test_large_samples_get_the_p_value_of_float64(kind, monkeypatch):
    source, target = samples(2100, 1950, 1 if kind == "binary" else 4, seed=5)
    if kind == "binary":  # so few different points that many labelings tie
        source, target = (source > 0).float(), (target > 0).float()
    elif kind == "offset":
        source, target = source + 1e6, target + 1e6
    elif kind == "heavy":
        source, target = (2 * source).exp(), (2 * target).exp()
    options = {"permutations": 199, "bandwidth": 1.0}
    fast = mmd_test(source, target, **options, generator=seeded(2))
    monkeypatch.setattr(_discrepancies, "LARGE", math.inf)
    slow = mmd_test(source, target, **options, generator=seeded(2))
    assert fast.p_value == slow.p_value
    assert fast.statistic == pytest.approx(slow.statistic, abs=1e-7)


@pytest.mark.parametrize("kind", ["normal", "skew", "repeated"])
@pytest.mark.parametrize(("n", "total"), [(90, 4100), (2050, 4100), (300, 1000)])
def test_float32_only_ranks_what_its_bound_allows(n, total, kind):
    points = torch.randn(total, 2, generator=seeded(6), dtype=torch.float64)
    if kind == "skew":
        points = points.abs().sqrt()
    elif kind == "repeated":
        points[: total // 11] = 0
    points = points[torch.randperm(total, generator=seeded(1))]
    labelings = mmd._labelings(len(points), n, 100, seeded())
    assert _discrepancies.float32_is_enough(points)
    coarse, fine = (
        _discrepancies._one_pass(points, labelings, n, dtype, 256, lambda fraction: None)
        for dtype in (torch.float32, torch.float64)
    )
    error = (coarse.squared - coarse.squared[0]) - (fine.squared - fine.squared[0])
    assert error.abs().max() < coarse.rounding


def test_labelings_too_close_for_float32_are_ranked_in_float64(monkeypatch):
    source, target = samples(2100, 1950, 3, seed=7)
    fast = mmd_test(source, target, permutations=99, generator=seeded(2))
    # As if float32 could not tell any two labelings apart.
    monkeypatch.setitem(_discrepancies.ROUNDING, torch.float32, 1.0)
    assert mmd_test(source, target, permutations=99, generator=seeded(2)).p_value == fast.p_value


@pytest.mark.parametrize("test", [mmd_test, linear_mmd_test])
def test_mmd_p_value_is_never_zero(test):
    source, target = samples(20, 20, 2, shift=50.0)
    assert test(source, target, permutations=99, generator=seeded()).p_value == 1 / 100


@pytest.mark.parametrize("test", [mmd_test, linear_mmd_test])
def test_mmd_of_a_sample_with_itself_is_no_evidence(test):
    source, _ = samples(30, 2, 2)
    assert test(source, source, generator=seeded()).p_value > 0.9


@pytest.mark.parametrize("test", [mmd_test, linear_mmd_test])
def test_mmd_keeps_its_level(test):
    p_values = []
    for seed in range(COUNT):
        source, target = samples(12, 8, 2, seed=seed)
        extra = {} if test is mmd_test else {"features": 32}
        p_values.append(test(source, target, permutations=39, generator=seeded(seed + 5000), **extra).p_value)
    assert_level(p_values, 0.025, 0.05, 0.1, 0.5)
    # A test that never rejects would keep its level too.
    assert sum(p <= 0.5 for p in p_values) > 400


def test_mmd_sees_a_change_of_scale_and_of_dependence():
    source, target = samples(200, 200, 2, scale=2.0)
    assert mmd_test(source, target, generator=seeded()).p_value == 1 / 500
    same, _ = samples(200, 2, 2, seed=1)
    tied = torch.stack([same[:, 0], same[:, 0]], dim=1)
    assert mmd_test(same, tied, generator=seeded()).p_value == 1 / 500


def test_random_features_approach_the_kernel():
    source, target = samples(50, 40, 3, shift=0.5)
    exact = by_definition(source, target, 1.5)
    near = linear_mmd_test(source, target, bandwidth=1.5, features=20000, permutations=1, generator=seeded()).statistic
    # A mean over 10 000 frequencies of numbers between −4 and 4.
    assert near == pytest.approx(exact, abs=0.05)


def test_random_features_lose_little_power():
    exact, linear = 0, 0
    for seed in range(200):
        source, target = samples(40, 40, 4, seed=seed, shift=0.3)
        exact += mmd_test(source, target, permutations=99, generator=seeded(seed)).p_value <= 0.05
        linear += linear_mmd_test(source, target, permutations=99, generator=seeded(seed)).p_value <= 0.05
    assert 40 < exact < 190
    # The same data serve both: what differs is the few that lie at the edge.
    assert abs(exact - linear) / 200 < 0.08


def test_default_bandwidth_is_the_median_distance_of_all_points():
    source, target = samples(30, 50, 3, shift=2.0)
    median = torch.pdist(torch.cat([source, target])).median().item()
    given = mmd_test(source, target, bandwidth=median, permutations=1, generator=seeded()).statistic
    assert mmd_test(source, target, permutations=1, generator=seeded()).statistic == pytest.approx(given, abs=1e-13)


def test_mmd_reports_progress_up_to_one():
    done = []
    mmd_test(*samples(50, 50, 2), generator=seeded(), block=30, progress=done.append)
    assert done == [0.3, 0.6, 0.9, 1.0]


@pytest.mark.parametrize("test", [mmd_test, linear_mmd_test])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"permutations": 0}, "permutations must be a positive integer, got 0"),
        ({"bandwidth": 0.0}, "bandwidth must be a positive finite number, got 0.0"),
        ({"bandwidth": math.nan}, "bandwidth must be a positive finite number, got nan"),
        ({"bandwidth": 1e-200}, "spread whose square is finite"),
    ],
)
def test_mmd_refuses_bad_options(test, arguments, message):
    with pytest.raises(ValueError, match=message):
        test(*samples(5, 5, 2), generator=seeded(), **arguments)


def test_mmd_refuses_bad_block_and_features():
    with pytest.raises(ValueError, match="block must be a positive integer, got -1"):
        mmd_test(*samples(5, 5, 2), generator=seeded(), block=-1)
    with pytest.raises(ValueError, match="features must be even, a cosine and a sine a frequency, got 3"):
        linear_mmd_test(*samples(5, 5, 2), generator=seeded(), features=3)


def test_mmd_of_equal_points_needs_a_bandwidth():
    with pytest.raises(ValueError, match="two different points"):
        mmd_test(torch.ones(5, 2), torch.ones(4, 2), generator=seeded())
    assert mmd_test(torch.ones(5, 2), torch.ones(4, 2), bandwidth=1.0, generator=seeded()) == (0.0, 1.0)


# Kolmogorov–Smirnov


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 4), (7, 9), (30, 30), (40, 60), (500, 3), (999, 999)])
def test_ks_agrees_with_scipy(n, m):
    source, target = samples(n, m, 5, seed=n, shift=torch.tensor([0.0, 0.1, 0.5, 1.0, 3.0], dtype=torch.float64))
    statistics, p_values = ks_test(source, target)
    for j in range(5):
        expected = stats.ks_2samp(source[:, j].numpy(), target[:, j].numpy(), method="exact")
        assert statistics[j].item() == pytest.approx(expected.statistic, abs=1e-15)
        assert p_values[j].item() == pytest.approx(expected.pvalue, rel=1e-9)


def test_ks_distance_is_exact_with_ties():
    generator = seeded(4)
    source, target = torch.randint(4, (50, 6), generator=generator), torch.randint(5, (35, 6), generator=generator)
    levels = torch.arange(5)[:, None, None]
    apart = (source <= levels).double().mean(1) - (target <= levels).double().mean(1)
    assert torch.allclose(ks_test(source, target).statistics, apart.abs().amax(0), rtol=0, atol=1e-15)


def test_ks_tells_neighbouring_floats_apart():
    # The two values differ in the last bit; the sample of the first column has ties, that of the second has none.
    low = torch.tensor(1.0, dtype=torch.float64)
    high = torch.nextafter(low, torch.tensor(2.0, dtype=torch.float64))
    source = torch.stack([torch.stack([low, low]), torch.stack([low, -high])], dim=1)
    target = torch.stack([torch.stack([high, high]), torch.stack([high, -low])], dim=1)
    assert ks_test(source, target).statistics.tolist() == [1.0, 0.5]


@pytest.mark.parametrize("decimal", [False, True])
def test_ks_of_many_features_is_that_of_each(decimal):
    source, target = samples(3000, 2000, 60, shift=0.1)
    if decimal:  # ties of values whose last bit counts
        source, target = (source * 10).round() / 10, (target * 10).round() / 10
    together = ks_test(source, target)
    assert together.statistics.tolist() == [
        ks_test(x[:, None], y[:, None]).statistics.item() for x, y in zip(source.T, target.T)
    ]
    expected = stats.ks_2samp(source[:, 7].numpy(), target[:, 7].numpy(), method="asymp").statistic
    assert together.statistics[7].item() == pytest.approx(expected, abs=1e-14)


def test_ks_treats_both_zeros_as_one():
    assert ks_test(torch.tensor([[0.0]]), torch.tensor([[-0.0]])).statistics.item() == 0


def test_ks_of_equal_samples_has_p_one():
    source, _ = samples(20, 1, 3)
    assert ks_test(source, source).p_values.tolist() == [1.0] * 3


@pytest.mark.parametrize(("n", "m", "excess"), [(500, 501, 1.15), (20, 13000, 1.35)])
def test_limit_law_errs_on_the_safe_side(n, m, excess, monkeypatch):
    gaps = torch.tensor([round(1.36 * math.sqrt(n * m * (n + m)))])  # p ≈ .05
    limit = kolmogorov_p_values(gaps, n, m)
    monkeypatch.setattr(kolmogorov, "EXACT", math.inf)
    assert 1 <= limit.item() / kolmogorov_p_values(gaps, n, m).item() < excess


@pytest.mark.parametrize(("n", "m"), [(15, 15), (20, 13), (600, 500)])
def test_ks_keeps_its_level(n, m):
    source, target = samples(n, m, COUNT)
    assert_level(ks_test(source, target).p_values.tolist(), 0.01, 0.05, 0.1, 0.5)


# Many tests at once


def test_holm_and_bonferroni_agree_with_hand_calculation():
    p_values = torch.tensor([0.01, 0.04, 0.03, 0.005], dtype=torch.float64)
    assert bonferroni(p_values).tolist() == pytest.approx([0.04, 0.16, 0.12, 0.02])
    assert holm(p_values).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_rejects_what_the_step_down_procedure_rejects():
    generator = seeded(2)
    for _ in range(200):
        p_values = torch.rand(12, generator=generator, dtype=torch.float64).pow(4)
        rejected = torch.zeros(12, dtype=torch.bool)
        for step, place in enumerate(p_values.argsort().tolist()):
            if p_values[place] * (12 - step) > 0.05:
                break
            rejected[place] = True
        assert torch.equal(holm(p_values) <= 0.05, rejected)
        assert (holm(p_values) <= bonferroni(p_values)).all()


def test_adjusted_p_values_stay_below_one():
    assert holm(torch.tensor([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert bonferroni(torch.tensor([0.9, 0.8])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("correct", [holm, bonferroni])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.tensor([]), r"shape \(d,\) with d ≥ 1, got \(0,\)"),
        (torch.zeros(2, 2), r"shape \(d,\) with d ≥ 1, got \(2, 2\)"),
        (torch.tensor([0.5, 1.5]), r"must lie in \[0, 1\], got values from 0.5 to 1.5"),
        (torch.tensor([math.nan]), "must be finite"),
    ],
)
def test_corrections_refuse_what_is_no_p_value(correct, values, message):
    with pytest.raises(ValueError, match=message):
        correct(values)


@pytest.mark.parametrize("correction", ["holm", "bonferroni"])
def test_univariate_test_corrects_for_the_number_of_features(correction):
    source, target = samples(50, 60, 7, shift=0.2)
    statistics, p_values = ks_test(source, target)
    result = univariate_test(source, target, correction=correction)
    assert result == (statistics.max().item(), pytest.approx(min(1.0, 7 * p_values.min().item())))


def test_univariate_test_keeps_its_level():
    p_values = [univariate_test(*samples(20, 15, 6, seed=seed)).p_value for seed in range(COUNT)]
    assert_level(p_values, 0.01, 0.05, 0.1)


def test_univariate_test_does_not_see_dependence():
    source, _ = samples(300, 1, 2)
    assert univariate_test(source, torch.stack([source[:, 0], source[:, 0].flip(0)], dim=1)).p_value > 0.1
    with pytest.raises(ValueError, match="correction must be one of 'holm', 'bonferroni', got 'none'"):
        univariate_test(source, source, correction="none")


# Classifier two-sample test


@pytest.mark.parametrize("options", [{"folds": 1}, {"folds": 2, "permutations": 39}, {"folds": 1, "permutations": 39}])
def test_classifier_test_keeps_its_level_with_unequal_samples(options):
    p_values = [
        classifier_test(*samples(16, 9, 3, seed=seed), **options, generator=seeded(seed + 5000)).p_value
        for seed in range(COUNT)
    ]
    assert_level(p_values, 0.025, 0.05, 0.1)
    # Not too careful either; with a dozen points held out few p-values lie just below .5.
    assert sum(p <= 0.5 for p in p_values) > 200


@pytest.mark.parametrize(("n", "m"), [(100, 100), (300, 40)])
def test_classifier_accuracy_approaches_that_of_the_best_rule(n, m):
    # Between N(0, 1) and N(2, 1) the best rule cuts at 1 and is right with probability Φ(1), on either side.
    accuracies = [
        classifier_test(*samples(n, m, 1, seed=seed, shift=2.0), folds=1, generator=seeded(seed)).statistic
        for seed in range(40)
    ]
    assert sum(accuracies) / 40 == pytest.approx(stats.norm.cdf(1), abs=0.03)


def test_classifier_p_value_is_fishers():
    source, target = samples(21, 12, 2, shift=0.8)
    accuracy, p_value = classifier_test(source, target, folds=1, generator=seeded(1))
    # 11 source and 6 target points are held out. Whatever table gives this accuracy, its p-value is Fisher's.
    candidates = [
        stats.fisher_exact([[hits, 6 - hits], [wrong, 11 - wrong]], alternative="greater").pvalue
        for hits in range(7)
        for wrong in range(12)
        if abs((hits / 6 + 1 - wrong / 11) / 2 - accuracy) < 1e-12
    ]
    assert any(p_value == pytest.approx(candidate, rel=1e-10) for candidate in candidates)


def test_classifier_that_learns_nothing_has_accuracy_one_half():
    accuracy, p_value = classifier_test(torch.ones(10, 2), torch.ones(30, 2), folds=1, generator=seeded())
    assert (accuracy, p_value) == (0.5, pytest.approx(1.0))


def test_classifier_is_blind_to_scale_of_features():
    source, target = samples(30, 30, 2, shift=0.5)
    units = torch.tensor([2.0**20, 2.0**-20])
    assert classifier_test(source, target, generator=seeded()) == classifier_test(
        source * units, target * units, generator=seeded()
    )


def test_more_features_than_points_do_not_fool_the_classifier():
    p_values = [
        classifier_test(*samples(10, 10, 40, seed=seed), folds=1, generator=seeded(seed)).p_value for seed in range(200)
    ]
    assert sum(p <= 0.05 for p in p_values) <= stats.binom.isf(1e-4, 200, 0.05)


def test_classifier_refuses_bad_options():
    with pytest.raises(ValueError, match="folds must be a positive integer, got 0"):
        classifier_test(*samples(9, 9, 2), folds=0, generator=seeded())
    with pytest.raises(ValueError, match="permutations must be a positive integer, got 0"):
        classifier_test(*samples(9, 9, 2), permutations=0, generator=seeded())
    with pytest.raises(ValueError, match=r"target must have shape \(n, d\) with n ≥ 5"):
        classifier_test(*samples(9, 4, 2), folds=5, generator=seeded())


# Black-box test


def as_logits(x):
    return x


def one_hot(counts):
    return torch.eye(len(counts)).repeat_interleave(torch.tensor(counts), dim=0)


def test_labels_agree_with_scipys_chi_square():
    source, target = [40, 30, 20], [25, 45, 0]
    expected = stats.chi2_contingency([source, target], correction=False)
    result = black_box_test(as_logits, one_hot(source), one_hot(target), outputs="labels")
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_small_counts_get_the_exact_p_value():
    # Two classes: the table has one free entry, and the law of χ² is Fisher's two-sided one.
    source, target = [7, 1], [3, 5]
    law = stats.hypergeom(16, 10, 8)
    exact = sum(law.pmf(a) for a in range(2, 9) if abs(a - 5) >= 2)
    result = black_box_test(as_logits, one_hot(source), one_hot(target), outputs="labels", generator=seeded(3))
    assert abs(result.p_value - exact) < 4.5 * math.sqrt(exact * (1 - exact) / 9999) + 1e-4


def test_one_predicted_class_is_no_evidence():
    assert black_box_test(as_logits, one_hot([0, 9]), one_hot([0, 5]), outputs="labels") == (0.0, 1.0)


def test_probabilities_are_compared_class_by_class():
    source, target = samples(60, 50, 4, shift=torch.tensor([0.5, 0, 0, 0], dtype=torch.float64))
    expected = univariate_test(source.softmax(1), target.softmax(1))
    assert black_box_test(as_logits, source, target) == expected


@pytest.mark.parametrize("outputs", ["probabilities", "labels"])
def test_black_box_keeps_its_level(outputs):
    p_values = [
        black_box_test(as_logits, *samples(30, 24, 3, seed=seed), outputs=outputs, generator=seeded(seed)).p_value
        for seed in range(COUNT)
    ]
    # The χ² law is a limit: its level may be off by a little at these sizes.
    assert_level(p_values, *((0.01, 0.05, 0.1) if outputs == "probabilities" else (0.1,)))


def test_black_box_takes_a_network_and_images_and_leaves_no_gradient():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    nn.init.normal_(model[1].weight, generator=seeded(1))
    images = torch.randn(40, 1, 4, 4, generator=seeded())
    assert black_box_test(model, images, images + 3, outputs="probabilities").p_value < 1e-6
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x: x[:, 0], ValueError, r"model\(source\) must have shape \(6, k\) with k ≥ 2, .* got \(6,\)"),
        (lambda x: x[:, :1], ValueError, r"got \(6, 1\)"),
        (lambda x: x[:2], ValueError, r"got \(2, 3\)"),
        (lambda x: x * math.nan, ValueError, r"model\(source\) must be finite, got 18 NaN"),
        (lambda x: x.tolist(), TypeError, r"model\(source\) must be a torch.Tensor, got list"),
        (lambda x: x.new_zeros(len(x), len(x)), ValueError, "as many classes on target as on source, 6, got 5"),
    ],
)
def test_black_box_refuses_outputs_that_are_no_logits(model, error, message):
    with pytest.raises(error, match=message):
        black_box_test(model, torch.ones(6, 3), torch.ones(5, 3))


def test_black_box_refuses_unknown_options_and_empty_samples():
    with pytest.raises(ValueError, match="outputs must be one of 'probabilities', 'labels', got 'logits'"):
        black_box_test(as_logits, torch.ones(6, 3), torch.ones(5, 3), outputs="logits")
    with pytest.raises(ValueError, match="correction must be one of 'holm', 'bonferroni', got 'none'"):
        black_box_test(as_logits, torch.ones(6, 3), torch.ones(5, 3), correction="none")
    with pytest.raises(ValueError, match=r"target must have shape \(n, …\) with n ≥ 1, got \(0, 3\)"):
        black_box_test(as_logits, torch.ones(6, 3), torch.ones(0, 3))


# Every test of samples


@pytest.mark.parametrize(
    "test",
    [
        lambda x, y: mmd_test(x, y, generator=seeded()),
        lambda x, y: linear_mmd_test(x, y, generator=seeded()),
        ks_test,
        univariate_test,
        lambda x, y: classifier_test(x, y, generator=seeded()),
    ],
    ids=["mmd", "linear_mmd", "ks", "univariate", "classifier"],
)
@pytest.mark.parametrize(
    ("source", "target", "error", "message"),
    [
        (torch.ones(5), torch.ones(5, 1), ValueError, r"source must have shape \(n, d\) .* got \(5,\)"),
        (torch.ones(5, 2), torch.ones(0, 2), ValueError, r"target must have shape \(n, d\) .* got \(0, 2\)"),
        (torch.ones(5, 0), torch.ones(5, 0), ValueError, r"source must have shape \(n, d\) .* got \(5, 0\)"),
        (torch.ones(5, 2), torch.ones(5, 3), ValueError, "target must have 2 features as source has, got 3"),
        (torch.full((5, 1), math.nan), torch.ones(5, 1), ValueError, "source must be finite, got 5 NaN"),
        (torch.ones(5, 1), torch.full((5, 1), math.inf), ValueError, "target must be finite, got 5 NaN or infinite"),
        ([[1.0]], torch.ones(5, 1), TypeError, "source must be a torch.Tensor, got list"),
        (torch.ones(5, 1) * 1j, torch.ones(5, 1), TypeError, "source must be real, got torch.complex64"),
    ],
)
def test_bad_samples_are_refused(test, source, target, error, message):
    with pytest.raises(error, match=message):
        test(source, target)


def test_tests_do_not_touch_the_global_generator():
    before = torch.get_rng_state()
    source, target = samples(20, 20, 2)
    mmd_test(source, target, generator=seeded())
    linear_mmd_test(source, target, generator=seeded())
    classifier_test(source, target, generator=seeded())
    black_box_test(as_logits, source[:5], target[:5], outputs="labels")
    assert torch.equal(torch.get_rng_state(), before)
