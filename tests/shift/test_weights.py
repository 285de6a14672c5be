"""Density ratios, kernel weights and weighted risks against closed forms, other libraries and brute force."""

import math
import warnings

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from stablenets.shift._kernels import log_kernel, median_distance
from stablenets.shift.ratios import _held_out_likelihood, _left_out_loss, kliep, kmm, ulsif
from stablenets.shift.risk import fit_weighted, weighted_risk
from stablenets.shift.weights import OverlapWarning, density_ratio, effective_sample_size


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mean_shift(n_source: int, n_target: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Standard normal source, target moved by 1 along the diagonal; and the true log ratio at the source."""
    generator = seeded(seed)
    source = torch.randn(n_source, d, generator=generator, dtype=torch.float64)
    target = torch.randn(n_target, d, generator=generator, dtype=torch.float64) + 1 / math.sqrt(d)
    return source, target, source.sum(1) / math.sqrt(d) - 0.5


def error(weights: Tensor, log_ratio: Tensor) -> float:
    return ((weights.log() - log_ratio).square().mean() / log_ratio.var()).item()


def log_odds(source: Tensor, target: Tensor, l2: float) -> Tensor:
    """Log odds that a source point is of the target, by the classifier behind the density ratio."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        weights = density_ratio(source, target, l2=l2).weights
    return weights.log() - math.log(len(source) / len(target))


def sklearn_log_odds(source: Tensor, target: Tensor, l2: float) -> Tensor:
    both = torch.cat([source, target])
    rows = ((both - both.mean(0)) / both.std(0, correction=0)).numpy()
    labels = [0] * len(source) + [1] * len(target)
    model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(rows, labels)
    return torch.from_numpy(model.decision_function(rows[: len(source)]))


class TestClassifierOfTheDensityRatio:
    @pytest.mark.parametrize(("sizes", "d", "l2"), [((200, 300), 3, 1.0), ((8000, 9000), 6, 0.1), ((500, 40), 30, 5.0)])
    def test_it_is_that_of_scikit_learn(self, sizes, d, l2):
        source, target, _ = mean_shift(*sizes, d)
        source *= torch.logspace(-3, 3, d, dtype=torch.float64)
        target *= torch.logspace(-3, 3, d, dtype=torch.float64)
        torch.testing.assert_close(
            log_odds(source, target, l2), sklearn_log_odds(source, target, l2), rtol=0, atol=1e-6
        )

    @pytest.mark.parametrize("step", [1.0, 3.0, 10.0])
    def test_many_rows_of_correlated_features_do_not_lead_it_astray(self, step):
        generator = seeded(3)
        mix = torch.randn(8, 8, generator=generator, dtype=torch.float64)
        source = torch.randn(40_000, 8, generator=generator, dtype=torch.float64) @ mix
        target = torch.randn(30_000, 8, generator=generator, dtype=torch.float64) @ mix + step
        torch.testing.assert_close(
            log_odds(source, target, 1.0), sklearn_log_odds(source, target, 1.0), rtol=2e-6, atol=2e-6
        )

    def test_rows_far_away_at_even_distances_do_not_lead_it_astray(self):
        # Every sixth row is far away, and a part of the rows taken evenly may see no other.
        source, target, _ = mean_shift(6 * 1100, 6 * 1100, 2)
        source[::6] *= 30
        target[::6] *= 30
        torch.testing.assert_close(
            log_odds(source, target, 1.0), sklearn_log_odds(source, target, 1.0), rtol=0, atol=1e-6
        )

    @pytest.mark.parametrize("l2", [1.0, 1e-6])
    def test_separated_samples_get_a_finite_fit(self, l2):
        source = torch.linspace(0, 1, 50, dtype=torch.float64)[:, None]
        for sign in (1, -1):
            odds = log_odds(source, source + 5 * sign, l2)
            assert odds.isfinite().all()
            assert (odds < 0).all()


class TestDensityRatio:
    @pytest.mark.parametrize(("n", "bound"), [(1000, 0.06), (10_000, 0.005)])
    def test_log_ratio_of_shifted_gaussians_is_found(self, n, bound):
        errors = []
        for seed in range(10):
            source, target, log_ratio = mean_shift(n, n, 16, seed)
            errors.append(error(density_ratio(source, target).weights, log_ratio))
        assert sum(errors) / len(errors) <= bound

    def test_squares_find_a_change_of_variance_that_a_plane_cannot(self):
        generator = seeded()
        source = torch.randn(5000, 1, generator=generator, dtype=torch.float64)
        target = 0.6 * torch.randn(5000, 1, generator=generator, dtype=torch.float64)
        log_ratio = 0.5 * source[:, 0].square() * (1 - 1 / 0.36) - math.log(0.6)
        assert error(density_ratio(source, target, quadratic=True).weights, log_ratio) < 0.01
        assert error(density_ratio(source, target).weights, log_ratio) > 0.9

    @pytest.mark.parametrize("sizes", [(8000, 800), (800, 8000), (2000, 2000)])
    def test_mean_weight_is_one_whatever_the_sizes(self, sizes):
        source, target, _ = mean_shift(*sizes, 2)
        ratio = density_ratio(source, target)
        assert ratio.mean_weight == pytest.approx(1, abs=0.15)
        assert ratio.weights.mean().item() == pytest.approx(ratio.mean_weight, rel=1e-12)

    def test_points_like_the_target_weigh_more(self):
        source, target, log_ratio = mean_shift(1000, 1000, 3)
        assert torch.corrcoef(torch.stack([density_ratio(source, target).weights.log(), log_ratio]))[0, 1] > 0.97

    def test_two_samples_of_one_distribution_weigh_nearly_alike(self):
        source = torch.randn(4000, 2, generator=seeded(1))
        ratio = density_ratio(source, torch.randn(4000, 2, generator=seeded(2)))
        assert ratio.effective_sample_size > 0.98 * 4000

    def test_units_and_offsets_do_not_matter(self):
        source, target, _ = mean_shift(500, 400, 3)
        weights = density_ratio(source, target).weights
        factor, offset = torch.tensor([1e-6, 1.0, 1e6]), torch.tensor([1.0, -100.0, 1e12])
        moved = density_ratio(source * factor + offset, target * factor + offset)
        torch.testing.assert_close(moved.weights, weights, rtol=1e-6, atol=0)
        torch.testing.assert_close(moved.of(source * factor + offset), weights, rtol=1e-6, atol=0)

    def test_a_constant_feature_changes_nothing(self):
        source, target, _ = mean_shift(300, 300, 2)
        wider = [torch.cat([x, torch.full((300, 1), 0.1)], 1) for x in (source, target)]
        torch.testing.assert_close(density_ratio(*wider).weights, density_ratio(source, target).weights)

    @pytest.mark.parametrize("quadratic", [False, True])
    def test_weights_of_other_points_follow_the_same_function(self, quadratic):
        source, target, _ = mean_shift(400, 300, 2)
        ratio = density_ratio(source, target, quadratic=quadratic, clip=1.5)
        torch.testing.assert_close(ratio.of(source), ratio.weights)
        torch.testing.assert_close(ratio.of(source[:1]), ratio.weights[:1])

    def test_clipping_is_reported(self):
        source, target, _ = mean_shift(1000, 1000, 2)
        free, cut = density_ratio(source, target), density_ratio(source, target, clip=2.0)
        assert torch.equal(cut.weights, free.weights.clamp(max=2.0))
        assert cut.clipped == int((free.weights > 2).sum()) > 0
        assert free.clipped == 0
        assert cut.effective_sample_size > free.effective_sample_size
        assert cut.mean_weight == free.mean_weight

    def test_a_low_clip_is_no_sign_of_missing_overlap(self):
        source, target, _ = mean_shift(1000, 1000, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert density_ratio(source, target, clip=0.1).weights.mean() < 0.5

    def test_no_overlap_is_warned_of(self):
        source, target, _ = mean_shift(300, 300, 1)
        with pytest.warns(OverlapWarning, match=r"of 300 points are in effect, mean weight"):
            density_ratio(source, target + 20)

    def test_overlap_is_not_warned_of(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for seed in range(20):
                density_ratio(*mean_shift(100, 100, 2, seed)[:2])

    def test_float32_is_taken_and_float64_given(self):
        source, target, _ = mean_shift(300, 300, 2)
        weights = density_ratio(source.float(), target.float()).weights
        assert weights.dtype == torch.float64
        torch.testing.assert_close(weights, density_ratio(source, target).weights, rtol=1e-5, atol=0)

    @pytest.mark.parametrize(
        ("source", "target", "options", "message"),
        [
            (torch.zeros(5), torch.zeros(5, 1), {}, r"source must have shape \(n, d\).*got \(5,\)"),
            (torch.randn(5, 2), torch.randn(5, 3), {}, r"target must have 2 features as source has, got 3"),
            (torch.randn(1, 2), torch.randn(5, 2), {}, r"source must have .* n ≥ 2"),
            (torch.randn(5, 2), torch.empty(0, 2), {}, r"target must have .* n ≥ 2"),
            (torch.tensor([[1.0], [math.nan]]), torch.randn(5, 1), {}, "source must be finite, got 1 NaN"),
            (torch.tensor([[1.0], [math.inf]]), torch.randn(5, 1), {}, "source must be finite, got 1 NaN or inf"),
            (torch.tensor([[1e200], [1.0]]).double() * 1e100, torch.randn(5, 1), {}, "source must be finite"),
            (
                torch.tensor([[1e200], [1]], dtype=torch.float64),
                torch.randn(5, 1),
                {},
                "must have features of finite var",
            ),
            (torch.randn(5, 1), torch.randn(5, 1), {"l2": 0.0}, "l2 must be a positive finite number, got 0.0"),
            (torch.randn(5, 1), torch.randn(5, 1), {"clip": -1.0}, "clip must be a positive finite number, got -1.0"),
        ],
    )
    def test_bad_input_is_named(self, source, target, options, message):
        with pytest.raises(ValueError, match=message):
            density_ratio(source, target, **options)

    def test_points_of_another_width_are_refused(self):
        ratio = density_ratio(*mean_shift(100, 100, 2)[:2], quadratic=True)
        for width in (1, 4):
            with pytest.raises(ValueError, match=f"x must have 2 features as source has, got {width}"):
                ratio.of(torch.zeros(3, width))


class TestEffectiveSampleSize:
    def test_equal_weights_count_fully_and_one_weight_counts_one(self):
        assert effective_sample_size(torch.full((7,), 3.0)) == pytest.approx(7)
        assert effective_sample_size(torch.tensor([0.0, 5.0, 0.0])) == 1

    @pytest.mark.parametrize("scale", [1e-300, 1e300])
    def test_scale_does_not_matter(self, scale):
        assert effective_sample_size(torch.tensor([3.0, 1.0], dtype=torch.float64) * scale) == pytest.approx(1.6)

    @pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -1.0], [math.nan], [math.inf], [[1.0]]])
    def test_bad_weights_are_refused(self, weights):
        with pytest.raises(ValueError, match="weights must"):
            effective_sample_size(torch.tensor(weights))


class TestKernelMeanMatching:
    @pytest.mark.parametrize("bound", [1.2, 3.0, 1000.0])
    @pytest.mark.parametrize("seed", range(3))
    def test_optimum_is_that_of_a_general_solver(self, bound, seed):
        from scipy.optimize import minimize

        source, target, _ = mean_shift(25, 40, 1, seed)
        k = log_kernel(source, source, 1.0).exp().numpy() / 625
        m = log_kernel(source, target, 1.0).exp().mean(1).numpy() / 25

        def value(w):
            return w @ k @ w - 2 * w @ m

        exact = minimize(
            value,
            [1.0] * 25,
            jac=lambda w: 2 * (k @ w - m),
            bounds=[(0, bound)] * 25,
            constraints={"type": "eq", "fun": lambda w: w.mean() - 1, "jac": lambda w: w * 0 + 1 / 25},
            method="SLSQP",
            options={"maxiter": 1000, "ftol": 1e-12},
        )
        weights = kmm(source, target, bandwidth=1.0, bound=bound)
        assert exact.success
        assert weights.mean().item() == pytest.approx(1, abs=1e-12)
        assert 0 <= weights.min() <= weights.max() <= bound
        assert -1e-9 < value(weights.numpy()) - exact.fun <= 0.1 / 25

    def test_equal_points_get_the_shares_of_the_target(self):
        source, target = torch.tensor([[0.0], [9.0]]), torch.tensor([[0.0], [9.0], [9.0], [9.0]])
        assert kmm(source, target, bandwidth=1.0).tolist() == pytest.approx([0.5, 1.5], abs=0.1)

    def test_bound_is_kept(self):
        source, target, _ = mean_shift(200, 200, 1)
        assert kmm(source, target).max() > 2
        assert kmm(source, target, bound=2.0).max() <= 2
        assert torch.allclose(kmm(source, target, bound=1.0), torch.ones(200, dtype=torch.float64))

    def test_bound_below_one_is_refused(self):
        with pytest.raises(ValueError, match=r"bound must be at least 1.*got 0.5"):
            kmm(*mean_shift(20, 20, 1)[:2], bound=0.5)


class TestLeastSquaresAndLikelihood:
    def test_left_out_loss_is_that_of_leaving_out(self):
        source, target, _ = mean_shift(12, 9, 2)
        in_source, in_target = (log_kernel(x, target[:4], 1.0).exp() for x in (source, target))
        pairs = torch.tensor([3, 0, 11, 5]), torch.tensor([8, 1, 4, 0])
        losses = []
        for i, j in zip(*(p.tolist() for p in pairs)):
            x, t = (torch.cat([phi[:k], phi[k + 1 :]]) for phi, k in ((in_source, i), (in_target, j)))
            moments = x.T @ x / len(x) + 0.05 * torch.eye(4, dtype=torch.float64)
            alpha = torch.linalg.solve(moments, t.mean(0)).clamp(min=0)
            losses.append(0.5 * (in_source[i] @ alpha) ** 2 - in_target[j] @ alpha)
        fast = _left_out_loss(in_source, in_target, in_source.T @ in_source / 12, in_target.mean(0), 0.05, pairs)
        assert fast == pytest.approx(sum(losses).item() / 4, rel=1e-10)

    def test_least_squares_of_one_kernel_is_a_fraction(self):
        source, target = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [0.0]])
        weights = ulsif(source, target, bandwidth=1.0, l2=0.1, centers=1, generator=seeded())
        high, low = 1.0, math.exp(-0.5)
        assert weights.tolist() == pytest.approx([2 * high / (high + low), 2 * low / (high + low)])

    def test_no_shares_of_three_kernels_are_likelier(self):
        target = torch.tensor([[-1.0], [0.3], [1.0]], dtype=torch.float64)
        # Source points at those of the target tell its likelihood.
        source = torch.cat([target, mean_shift(300, 1, 1)[0]])
        weights = kliep(source, target, bandwidth=0.7, generator=seeded())
        kernels = log_kernel(source, target, 0.7).exp()
        ratios = kernels[:3] / kernels.mean(0)
        grid = torch.linspace(0, 1, 301, dtype=torch.float64)
        shares = torch.stack(torch.meshgrid(grid, grid, indexing="ij")).flatten(1)
        shares = torch.cat([shares, 1 - shares.sum(0, keepdim=True)])
        shares = shares[:, shares.min(0).values >= 0]
        best = (ratios @ shares).log().mean(0).max()
        assert best - weights[:3].log().mean() < 1e-3

    def test_a_held_out_point_carries_no_kernel(self):
        # Of a far point's own kernel the likelihood would be boundless; of the others' it is tiny.
        target = torch.arange(10, dtype=torch.float64)[:, None]
        target[7] = 100.0
        log_ratios = log_kernel(target, target, 1.0)
        others = [k for k in range(10) if k % 5 != 2]
        best = log_ratios[7, others].max().item()
        rest = [log_ratios[k, [j for j in range(10) if j % 5 != k % 5]].max().item() for k in range(10) if k != 7]
        assert _held_out_likelihood(log_ratios) <= (best + sum(rest)) / 10

    @pytest.mark.parametrize("estimate", [ulsif, kliep])
    def test_weights_follow_the_true_ratio_in_one_dimension(self, estimate):
        correlations = []
        for seed in range(5):
            source, target, log_ratio = mean_shift(1000, 600, 1, seed)
            weights = estimate(source, target, generator=seeded(seed))
            correlations.append(torch.corrcoef(torch.stack([weights, log_ratio.exp()]))[0, 1].item())
        assert min(correlations) > 0.7

    def test_samples_far_apart_keep_mean_one(self):
        source, target, _ = mean_shift(50, 50, 1)
        weights = kliep(source, target + 300, bandwidth=1.0, generator=seeded())
        assert weights.mean().item() == pytest.approx(1, abs=1e-6)
        with pytest.raises(ValueError, match="must overlap"):
            ulsif(source, target + 300, bandwidth=1.0, generator=seeded())

    def test_too_few_points_or_kernels_are_refused(self):
        with pytest.raises(ValueError, match="at least 5 points to choose a bandwidth by, got 4"):
            kliep(*mean_shift(20, 4, 1)[:2], generator=seeded())
        with pytest.raises(ValueError, match="centers must be at least 3, got 2"):
            kliep(*mean_shift(20, 20, 1)[:2], centers=2, generator=seeded())
        with pytest.raises(ValueError, match="l2 must be a positive"):
            ulsif(*mean_shift(20, 20, 1)[:2], l2=0.0, generator=seeded())


KERNEL_METHODS = {
    "kmm": kmm,
    "ulsif": lambda source, target, **options: ulsif(source, target, generator=seeded(), **options),
    "kliep": lambda source, target, **options: kliep(source, target, generator=seeded(), **options),
}


@pytest.mark.parametrize("estimate", KERNEL_METHODS.values(), ids=KERNEL_METHODS)
class TestKernelWeights:
    @pytest.mark.parametrize("sizes", [(300, 60), (60, 300)])
    def test_mean_is_one_and_sign_is_right_whatever_the_sizes(self, estimate, sizes):
        source, target, log_ratio = mean_shift(*sizes, 1)
        weights = estimate(source, target)
        assert weights.shape == (sizes[0],)
        assert weights.dtype == torch.float64
        assert weights.mean().item() == pytest.approx(1, abs=1e-9)
        assert weights.min() >= 0
        assert torch.corrcoef(torch.stack([weights, log_ratio.exp()]))[0, 1] > 0.5

    def test_shifting_and_scaling_both_samples_changes_nothing(self, estimate):
        source, target, _ = mean_shift(150, 100, 2)
        weights = estimate(source, target)
        torch.testing.assert_close(estimate(8 * source + 1000, 8 * target + 1000), weights, rtol=1e-4, atol=1e-4)

    def test_bad_samples_and_bandwidths_are_refused(self, estimate):
        source, target, _ = mean_shift(30, 30, 2)
        with pytest.raises(ValueError, match="source must be finite, got 60"):
            estimate(source / 0.0, target)
        with pytest.raises(ValueError, match="target must have 2 features"):
            estimate(source, target[:, :1])
        with pytest.raises(ValueError, match="bandwidth must be a positive"):
            estimate(source, target, bandwidth=0.0)
        with pytest.raises(ValueError, match="two different points"):
            estimate(torch.ones(10, 2), torch.ones(10, 2))


def test_median_distance_is_symmetric_and_exact_for_small_samples():
    source, target, _ = mean_shift(30, 20, 2)
    exact = torch.pdist(torch.cat([source, target])).median().item()
    assert median_distance(source, target) == median_distance(target, source) == pytest.approx(exact, rel=1e-12)


class TestWeightedRisk:
    def test_equal_weights_give_the_mean_and_its_standard_error(self):
        losses = torch.tensor([1.0, 2.0, 4.0, 7.0], dtype=torch.float64)
        for self_normalized in (False, True):
            risk = weighted_risk(losses, torch.ones(4), self_normalized=self_normalized)
            assert risk.value == pytest.approx(3.5)
            assert risk.standard_error == pytest.approx(losses.std().item() / 2)
            assert risk.effective_sample_size == pytest.approx(4)
            assert risk.upper - risk.value == pytest.approx(1.959963985 * risk.standard_error)
            assert risk.value - risk.lower == pytest.approx(1.959963985 * risk.standard_error)

    def test_scale_of_the_weights_matters_unless_self_normalized(self):
        losses, weights = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.5, 1.0, 2.0])
        assert weighted_risk(losses, 3 * weights).value == pytest.approx(3 * weighted_risk(losses, weights).value)
        plain = weighted_risk(losses, weights, self_normalized=True)
        assert weighted_risk(losses, 3 * weights, self_normalized=True) == pytest.approx(plain)
        assert plain.value == pytest.approx((0.5 + 2 + 8) / 3.5)

    @pytest.mark.parametrize("self_normalized", [False, True])
    def test_interval_covers_the_target_risk_as_often_as_it_says(self, self_normalized):
        # Source N(0, 1), target N(1/2, 1), loss x: the target risk is 1/2. 9.5 is 4 standard deviations of the count.
        covered = 0
        for seed in range(1000):
            x = torch.randn(1000, generator=seeded(seed), dtype=torch.float64)
            risk = weighted_risk(x, (x / 2 - 1 / 8).exp(), self_normalized=self_normalized, confidence=0.9)
            covered += risk.lower <= 0.5 <= risk.upper
        assert abs(covered - 900) <= 4 * math.sqrt(90)

    def test_estimate_is_unbiased_with_true_weights(self):
        values = []
        for seed in range(2000):
            x = torch.randn(20, generator=seeded(seed), dtype=torch.float64)
            values.append(weighted_risk(x, (x / 2 - 1 / 8).exp()).value)
        values = torch.tensor(values)
        assert abs(values.mean() - 0.5) < 4 * values.std() / math.sqrt(2000)

    @pytest.mark.parametrize(
        ("losses", "weights", "confidence", "message"),
        [
            ([1.0], [1.0], 0.95, r"losses must have shape \(n,\) with n ≥ 2"),
            ([[1.0, 2.0]], [1.0, 1.0], 0.95, "losses must have shape"),
            ([1.0, math.nan], [1.0, 1.0], 0.95, "losses must be finite"),
            ([1.0, 2.0], [1.0], 0.95, "weights must have one entry per loss, 2, got 1"),
            ([1.0, 2.0], [1.0, -1.0], 0.95, "weights must be ≥ 0"),
            ([1.0, 2.0], [1.0, 1.0], 1.0, r"confidence must be a number in \(0, 1\), got 1.0"),
            ([1.0, 2.0], [1.0, 1.0], 95, r"confidence must be a number in"),
        ],
    )
    def test_bad_input_is_named(self, losses, weights, confidence, message):
        with pytest.raises(ValueError, match=message):
            weighted_risk(torch.tensor(losses), torch.tensor(weights), confidence=confidence)


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).square().sum(1)


def weighted_line(weights: Tensor, **options) -> tuple[Tensor, list[float]]:
    generator = seeded(5)
    x = torch.randn(60, 1, generator=generator, dtype=torch.float64)
    model = nn.Linear(1, 1, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = fit_weighted(model, squared, x, x**3 - x, weights, optimizer=optimizer, **options)
    return torch.cat([model.weight.detach()[0], model.bias.detach()]), losses


class TestFitWeighted:
    def test_minimum_is_weighted_least_squares(self):
        x = torch.randn(60, 1, generator=seeded(5), dtype=torch.float64)
        weights = torch.rand(60, generator=seeded(6), dtype=torch.float64)
        design = torch.cat([x, torch.ones_like(x)], 1)
        exact = torch.linalg.solve(design.T @ (weights[:, None] * design), design.T @ (weights * (x**3 - x)[:, 0]))
        line, losses = weighted_line(weights, steps=2000)
        torch.testing.assert_close(line, exact)
        residuals = (x**3 - x)[:, 0] - design @ exact
        assert losses[-1] == pytest.approx((weights * residuals**2).mean().item())
        assert len(losses) == 2000

    def test_points_of_weight_zero_do_not_matter(self):
        weights = torch.ones(60)
        weights[::2] = 0
        generator = seeded(5)
        x = torch.randn(60, 1, generator=generator, dtype=torch.float64)
        y = (x**3 - x).clone()
        y[::2] = 1e6
        model = nn.Linear(1, 1, dtype=torch.float64)
        fit_weighted(model, squared, x, y, weights, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), steps=2000)
        torch.testing.assert_close(model.weight.detach()[0], weighted_line(weights, steps=2000)[0][:1])

    def test_each_epoch_sees_each_point_once(self):
        seen = []

        def loss(outputs, targets):
            seen.append(targets[:, 0].tolist())
            return squared(outputs, targets)

        x, y = torch.zeros(10, 1), torch.arange(10.0)[:, None]
        model = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        fit_weighted(model, loss, x, y, torch.ones(10), optimizer=optimizer, steps=6, batch_size=3, generator=seeded())
        for epoch in (seen[:3], seen[3:]):
            assert [len(batch) for batch in epoch] == [3, 3, 3]
            assert len({label for batch in epoch for label in batch}) == 9

    def test_same_seed_gives_the_same_batches(self):
        def run():
            x, y = torch.zeros(10, 1), torch.arange(10.0)[:, None]
            model = nn.Linear(1, 1)
            nn.init.zeros_(model.bias)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            options = {"optimizer": optimizer, "steps": 9, "batch_size": 3, "generator": seeded(7)}
            return fit_weighted(model, squared, x, y, torch.ones(10), **options)

        assert run() == run()

    def test_training_stops_where_the_loss_is_not_finite(self):
        x = torch.ones(4, 1)
        model = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=1e20)
        losses = fit_weighted(model, squared, x, 2 * x, torch.ones(4), optimizer=optimizer, steps=50)
        first = next(k for k, value in enumerate(losses) if not math.isfinite(value))
        assert 0 < first < 10
        assert all(math.isnan(value) for value in losses[first + 1 :])
        assert all(p.isfinite().all() for p in model.parameters())

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"loss": nn.MSELoss()}, r"loss must return one value a point, shape \(4,\), got \(\)"),
            ({"loss": nn.MSELoss(reduction="none")}, r"loss must return one value a point.*got \(4, 1\)"),
            ({"weights": torch.ones(3)}, "must have the same length, got 4, 4 and 3"),
            ({"weights": -torch.ones(4)}, "weights must be ≥ 0"),
            ({"y": torch.ones(3, 1)}, "must have the same length, got 4, 3 and 4"),
            ({"batch_size": 5}, "batch_size must be at most the number of points, 4, got 5"),
            ({"batch_size": 2}, "generator must be given with batch_size"),
            ({"steps": 0}, "steps must be a positive integer, got 0"),
        ],
    )
    def test_bad_input_is_named(self, changes, message):
        model = nn.Linear(1, 1)
        options = {"loss": squared, "x": torch.ones(4, 1), "y": torch.ones(4, 1), "weights": torch.ones(4), "steps": 2}
        options |= {"optimizer": torch.optim.SGD(model.parameters(), lr=0.1)} | changes
        with pytest.raises(ValueError, match=message):
            fit_weighted(model, **options)
