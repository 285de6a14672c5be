import math
from fractions import Fraction

import pytest
import torch
from torch.distributions import Independent, Normal

from stablenets.shift.adwin import Adwin
from stablenets.shift.corrupt import add_noise, knock_out, label_shift_indices, shift_pixels
from stablenets.shift.feedback import LocationMap, contraction_rate, patrol_shares, repeated_retraining
from stablenets.shift.loans import Applicants, ShoesAndLoans, auc, fit_lender
from stablenets.shift.online import DDM, PageHinkley, run_detector
from stablenets.shift.simulate import DRIFTS, drift_stream, gaussian_shift, shimodaira, two_worlds


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bernoulli(seed: int, *parts: tuple[int, float]) -> torch.Tensor:
    draws = generator(seed)
    return torch.cat([(torch.rand(n, generator=draws) < p).double() for n, p in parts])


# Shifts with known answers


@pytest.mark.parametrize(("mean", "scale"), [(0.7, 1.0), (torch.tensor([0.2, -1.0, 0.5]), 0.6), (0.0, 1.7)])
def test_log_ratio_is_the_difference_of_the_log_densities(mean, scale):
    shift = gaussian_shift(50, 40, dimension=3, mean=mean, scale=scale, generator=generator())
    centre = mean.double() if isinstance(mean, torch.Tensor) else torch.tensor([mean, 0, 0], dtype=torch.float64)
    source = Independent(Normal(torch.zeros(3, dtype=torch.float64), 1.0), 1)
    target = Independent(Normal(centre, scale), 1)
    x = torch.cat([shift.source, shift.target])
    torch.testing.assert_close(shift.log_ratio(x), target.log_prob(x) - source.log_prob(x))
    torch.testing.assert_close(shift.weights, shift.log_ratio(shift.source).exp())


def test_samples_of_the_gaussian_shift_have_its_moments():
    shift = gaussian_shift(40_000, 40_000, dimension=2, mean=1.5, scale=0.5, generator=generator())
    assert shift.source.mean(0).abs().max() < 0.025
    assert (shift.target.mean(0) - torch.tensor([1.5, 0.0])).abs().max() < 0.0125
    assert (shift.target.std(0) - 0.5).abs().max() < 0.01


def test_effective_sample_size_falls_as_the_exponential_of_the_squared_mean():
    weights = gaussian_shift(200_000, 1, dimension=5, mean=0.8, generator=generator()).weights
    assert abs(weights.mean() - 1) < 0.01
    assert abs(weights.sum() ** 2 / weights.square().sum() / len(weights) - math.exp(-0.64)) < 0.02


def test_shimodaira_weights_turn_source_moments_into_target_moments():
    problem = shimodaira(200_000, generator=generator())
    x = problem.x_source.squeeze(1)
    assert abs(problem.weights.mean() - 1) < 0.02
    assert abs((problem.weights * x).mean()) < 0.01
    assert abs((problem.weights * x**2).mean() - 0.09) < 0.005
    assert abs(problem.x_target.std() - 0.3) < 0.003


@pytest.mark.parametrize("side", ["source", "target"])
def test_shimodaira_outputs_are_the_cubic_with_noise_on_both_sides(side):
    problem = shimodaira(100_000, generator=generator())
    x, y = getattr(problem, f"x_{side}").squeeze(1), getattr(problem, f"y_{side}")
    residual = y - (x**3 - x)
    assert abs(residual.mean()) < 0.005
    assert abs(residual.std() - 0.3) < 0.004
    assert abs((residual * x).mean()) < 0.005


def line_error(x, y, weights, x_new):
    def design(x):
        return torch.cat([torch.ones_like(x), x], 1)

    a = design(x)
    line = torch.linalg.solve(a.T @ (weights[:, None] * a), a.T @ (weights * y))
    truth = (x_new**3 - x_new).squeeze(1)
    return (design(x_new) @ line - truth).square().mean()


def test_true_weights_mend_the_misspecified_line():
    plain, weighted = [], []
    for seed in range(200):
        problem = shimodaira(100, generator=generator(seed))
        x_new = shimodaira(2000, generator=generator(10_000 + seed)).x_target
        args = problem.x_source, problem.y_source
        plain.append(line_error(*args, torch.ones(100, dtype=torch.float64), x_new))
        weighted.append(line_error(*args, problem.weights, x_new))
    plain, weighted = torch.stack(plain), torch.stack(weighted)
    assert weighted.mean() < 0.05
    assert plain.mean() > 0.1
    assert (weighted < plain).double().mean() > 0.97


@pytest.mark.parametrize("displacement", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_two_worlds_differ_exactly_where_the_source_has_never_been(displacement):
    worlds = two_worlds(20_000, displacement=displacement, generator=generator())
    unseen = worlds.x_target[:, 1] > 1
    assert torch.equal(worlds.y_steady != worlds.y_flipped, unseen)
    assert abs(unseen.double().mean() - min(displacement / 2, 1)) < 0.02
    assert torch.equal(worlds.y_source, (worlds.x_source[:, 0] > 0).long())
    assert worlds.x_source.abs().max() <= 1


def test_without_overlap_what_is_gained_in_one_world_is_lost_in_the_other():
    worlds = two_worlds(500, generator=generator())
    guess = (worlds.x_target @ torch.tensor([0.3, -0.8], dtype=torch.float64) > 0.1).long()
    right = [int((guess == y).sum()) for y in (worlds.y_steady, worlds.y_flipped)]
    assert sum(right) == 500


@pytest.mark.parametrize("kind", DRIFTS)
def test_the_best_rule_of_the_moment_errs_only_by_the_noise(kind):
    stream = drift_stream(kind, 60_000, noise=0.3, generator=generator())
    rule = (stream.x[:, 0] * stream.angle.cos() + stream.x[:, 1] * stream.angle.sin() > 0).long()
    # Standard deviation 0.0012.
    assert abs((rule == stream.y).double().mean() - (1 - math.atan(0.3) / math.pi)) < 0.006


@pytest.mark.parametrize(
    ("kind", "agreement"), [("none", 1.0), ("abrupt", 0.75), ("gradual", 0.5), ("recurring", 0.75)]
)
def test_the_first_rule_loses_what_the_angle_says(kind, agreement):
    stream = drift_stream(kind, 60_000, noise=0.0, generator=generator())
    assert abs(((stream.x[:, 0] > 0).long() == stream.y).double().mean() - agreement) < 0.01


@pytest.mark.parametrize(("kind", "changes"), [("none", ()), ("abrupt", (6,)), ("recurring", (2, 4, 6, 8, 10))])
def test_the_angle_jumps_at_the_changes(kind, changes):
    stream = drift_stream(kind, 12, generator=generator())
    jumps = (stream.angle.diff().abs() > 1).nonzero().flatten() + 1
    assert stream.changes == changes == tuple(jumps.tolist())


# Shifts made out of data


def test_label_shift_draws_the_prior_and_keeps_each_class():
    labels = torch.arange(3).repeat_interleave(torch.tensor([5, 50, 500]))
    prior = torch.tensor([0.7, 0.0, 0.3])
    indices = label_shift_indices(labels, prior, 20_000, generator=generator())
    shares = torch.bincount(labels[indices], minlength=3) / 20_000
    assert shares[1] == 0
    assert (shares - prior).abs().max() < 0.015
    within_first = torch.bincount(indices[labels[indices] == 0], minlength=5)
    # χ² with 4 degrees of freedom exceeds 23.5 with probability 1e-4.
    expected = within_first.sum() / 5
    assert ((within_first - expected).square() / expected).sum() < 23.5


def test_shifted_pixels_come_back_after_a_whole_turn():
    images = torch.rand(3, 64, generator=generator())
    assert torch.equal(shift_pixels(images, 8), images)
    assert torch.equal(shift_pixels(shift_pixels(images, 3), -3), images)
    assert torch.equal(shift_pixels(images, 1).view(3, 8, 8)[..., 1:], images.view(3, 8, 8)[..., :-1])


def test_noise_has_its_deviation():
    x = torch.zeros(20_000, 2)
    assert abs(add_noise(x, 0.3, generator=generator()).std() - 0.3) < 0.005
    assert x.abs().max() == 0


def test_knock_out_takes_its_share_of_one_class_only():
    y = torch.tensor([0, 1, 1, 2, 1, 1])
    x = torch.arange(6.0).unsqueeze(1)
    kept_x, kept_y = knock_out(x, y, 1, 0.5, generator=generator())
    assert torch.bincount(kept_y).tolist() == [1, 2, 1]
    assert torch.equal(y[kept_x.flatten().long()], kept_y)
    assert torch.equal(knock_out(x, y, 1, 0.0, generator=generator())[0], x)


# Detectors


def test_ddm_agrees_with_its_definition_in_fractions():
    errors = bernoulli(3, (200, 0.1), (200, 0.5)).tolist()
    wrong, best, alarm = 0, None, None
    for n, error in enumerate(errors, start=1):
        wrong += int(error)
        p = Fraction(wrong, n)
        s = math.sqrt(p * (1 - p) / n)
        if n < 30:
            continue
        if best is None or p + s <= sum(best):
            best = float(p), s
        if p + s > best[0] + 3 * best[1]:
            alarm = n - 1
            break
    assert run_detector(DDM(), errors).alarms[0] == alarm


def test_ddm_does_not_take_the_first_error_ever_for_drift():
    assert run_detector(DDM(), [0.0] * 100 + [1.0] + [0.0] * 100).alarms == []


def test_page_hinkley_agrees_with_its_definition():
    errors = bernoulli(0, (500, 0.1), (500, 0.4))
    means = errors.cumsum(0) / torch.arange(1, 1001)
    sums = (errors - means - 0.005).cumsum(0)
    lowest = torch.minimum(sums.cummin(0).values, torch.zeros(()))
    first = int((sums - lowest > 20).nonzero()[0])
    assert run_detector(PageHinkley(), errors).alarms[0] == first


def test_adwin_keeps_only_what_came_after_the_change():
    detector = Adwin()
    assert len(run_detector(detector, bernoulli(0, (2000, 0.1), (2000, 0.6))).alarms) == 1
    assert abs(detector.mean - 0.6) < 0.05


def test_adwin_forgets_an_improvement_without_alarm():
    detector = Adwin()
    assert run_detector(detector, bernoulli(0, (1000, 0.6), (1000, 0.1))).alarms == []
    assert abs(detector.mean - 0.1) < 0.05


def test_adwin_window_holds_all_errors_of_a_steady_stream_in_few_buckets():
    detector, errors = Adwin(), torch.rand(5000, generator=generator()).double() / 2
    assert run_detector(detector, errors).alarms == []
    assert detector.mean == pytest.approx(errors.mean().item(), abs=1e-12)
    assert sum(len(row) for row in detector._rows) <= 5 * math.ceil(math.log2(5000))


def test_adwin_cuts_where_the_written_bound_is_exceeded():
    # With minimum 1 and 16 errors, all buckets hold 1, 2 or 4; the only alarm may come at the 16th error.
    errors = [0.0] * 8 + [1.0] * 8
    log_term = math.log(2 * math.log(16) / 0.002)
    bound = math.sqrt(2 / 4 * 0.25 * log_term) + 2 / (3 * 4) * log_term
    assert bound > 1  # 8 against 8 are too few at this confidence
    assert run_detector(Adwin(), errors).alarms == []
    log_term = math.log(2 * math.log(16) / 0.9)
    assert math.sqrt(2 / 4 * 0.25 * log_term) + 2 / (3 * 4) * log_term < 1
    assert run_detector(Adwin(delta=0.9), errors).alarms == [15]


@pytest.mark.parametrize(
    ("detector", "mean_delay", "alarms"), [(DDM, 220, 1.7), (PageHinkley, 110, 0.5), (Adwin, 170, 0.1)]
)
def test_detectors_find_a_rise_and_stay_calm_without_one(detector, mean_delay, alarms):
    delays, false = [], 0
    for seed in range(50):
        delays.append(run_detector(detector(), bernoulli(seed, (1000, 0.1), (2500, 0.3))).delay(1000))
        false += len(run_detector(detector(), bernoulli(1000 + seed, (3000, 0.1))).alarms)
    assert None not in delays
    assert 20 < sum(delays) / 50 < mean_delay
    assert false / 50 < alarms


@pytest.mark.parametrize("detector", [DDM, PageHinkley, Adwin])
def test_a_warning_comes_before_the_alarm_and_ends_with_it(detector):
    found = run_detector(detector(), bernoulli(1, (1000, 0.02), (1000, 0.2)))
    assert found.warnings
    first = next(alarm for alarm in found.alarms if alarm >= 1000)
    assert first not in found.warnings


def test_the_delay_of_a_missed_change_is_none():
    assert run_detector(PageHinkley(), [0.0] * 50).delay(10) is None


def test_booleans_count_as_errors():
    errors = bernoulli(0, (200, 0.1), (200, 0.9))
    assert run_detector(DDM(), errors.bool()) == run_detector(DDM(), errors)


# Feedback


@pytest.mark.parametrize("sensitivity", [0.5, 0.9, -0.9])
def test_retraining_contracts_to_the_stable_point_at_the_predicted_rate(sensitivity):
    world = LocationMap(1.0, sensitivity)
    theta0 = torch.tensor(5.0, dtype=torch.float64)
    path = repeated_retraining(lambda mean: mean, lambda theta: 1 + sensitivity * theta, theta0, 30)
    gaps = (path - world.stable_point).abs()
    torch.testing.assert_close(gaps[1:] / gaps[:-1], torch.full((30,), abs(sensitivity), dtype=torch.float64))
    assert contraction_rate(abs(sensitivity), 1.0, 1.0) == abs(sensitivity)


def test_retraining_on_samples_ends_near_the_stable_point():
    world, draws = LocationMap(1.0, 0.5), generator()
    path = repeated_retraining(
        torch.mean,
        lambda theta: world.sample(theta, 20_000, generator=draws),
        torch.tensor(0.0, dtype=torch.float64),
        40,
    )
    # The stationary deviation is 1/√20000/√(1 − 0.25) = 0.0082.
    assert abs(path[-1] - world.stable_point) < 0.05


def test_retraining_diverges_beyond_the_bound_and_says_so_by_nan():
    path = repeated_retraining(lambda mean: mean, lambda theta: 1 + 2 * theta, torch.tensor(1.0), 200)
    assert path[100] > 1e30
    assert path[150].isnan()
    assert path[-1].isnan()


@pytest.mark.parametrize("sensitivity", [-0.5, 0.2, 0.4])
def test_the_optimum_has_the_least_performative_risk(sensitivity):
    world = LocationMap(1.0, sensitivity)
    theta = torch.tensor(world.optimum, dtype=torch.float64, requires_grad=True)
    risk = world.risk(theta)
    (slope,) = torch.autograd.grad(risk, theta, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, theta)
    assert abs(slope.item()) < 1e-12
    assert curvature > 0
    assert world.risk(world.optimum) < world.risk(world.stable_point)


def population_weight(shoe_weight: float, loop: ShoesAndLoans, n: int = 300_000) -> float:
    draws = generator(123)
    return fit_lender(loop.respond(loop.applicants(n, generator=draws), shoe_weight, generator=draws)).shoe_weight


def test_the_share_that_changes_shoes_is_that_of_the_costs_below_the_reward():
    loop, draws = ShoesAndLoans(cost=2.0), generator()
    before = loop.applicants(50_000, generator=draws)
    after = loop.respond(before, 1.0, generator=draws)
    sneakers = before.oxfords == 0
    assert abs(after.oxfords[sneakers].mean() - (1 - math.exp(-0.5))) < 0.015
    assert after.oxfords[~sneakers].min() == 1
    assert torch.equal(after.repays, before.repays)
    against = loop.respond(before, -1.0, generator=draws)
    assert against.oxfords[sneakers].max() == 0


def test_the_lender_solves_the_equations_of_logistic_regression():
    applicants = ShoesAndLoans(cost=1.0).applicants(5000, generator=generator())
    lender = fit_lender(applicants)
    surplus = applicants.repays - torch.sigmoid(lender.score(applicants))
    for feature in (torch.ones_like(surplus), applicants.income, applicants.oxfords):
        assert abs((surplus * feature).mean()) < 1e-5
    assert abs((lender.score(applicants) > lender.threshold).double().mean() - 0.5) < 0.001


def test_acting_on_shoes_destroys_what_they_told():
    for seed in range(3):
        loop, draws = ShoesAndLoans(cost=0.3), generator(seed)
        lender = fit_lender(loop.applicants(20_000, generator=draws))
        before = loop.applicants(20_000, generator=draws)
        after = loop.respond(before, lender.shoe_weight, generator=draws)
        income = auc(before.income, before.repays)
        assert auc(before.oxfords, before.repays) > 0.69
        assert 0.49 < auc(after.oxfords, after.repays) < 0.52
        assert auc(lender.score(before), before.repays) > income + 0.05
        assert abs(auc(lender.score(after), after.repays) - income) < 0.01
        granted = [
            applicants.repays[lender.score(applicants) > lender.threshold].mean() for applicants in (before, after)
        ]
        assert granted[0] > 0.69
        assert granted[1] < 0.57


def test_retraining_settles_where_it_reproduces_itself_when_costs_differ():
    loop = ShoesAndLoans(cost=3.0)
    weights = [round_.lender.shoe_weight for round_ in loop.retrain(13, 20_000, generator=generator())]
    assert max(weights[-4:]) - min(weights[-4:]) < 0.25
    settled = sum(weights[-8:]) / 8
    assert abs(population_weight(settled, loop) - settled) < 0.08
    assert weights[0] - settled > 0.2


def test_retraining_cycles_when_all_have_one_cost():
    weights = [
        r.lender.shoe_weight for r in ShoesAndLoans(cost=0.5, costs="equal").retrain(8, 20_000, generator=generator())
    ]
    assert min(weights[::2]) > 1.2
    assert weights[1::2] == pytest.approx([0] * 4, abs=1e-9)


def test_auc_counts_pairs():
    draws = generator()
    scores, positives = torch.randint(5, (60,), generator=draws).double(), torch.randint(2, (60,), generator=draws)
    high, low = scores[positives == 1], scores[positives == 0]
    pairs = (high[:, None] > low).double() + (high[:, None] == low).double() / 2
    assert auc(scores, positives) == pytest.approx(pairs.mean().item(), abs=1e-12)


def test_patrols_of_equal_districts_end_anywhere():
    shares = patrol_shares((1.0, 1.0), 400, 4000, generator=generator())
    # Pólya's urn: uniform over 1/402 … 401/402, so the standard deviation is near 1/√12 = 0.2887.
    assert abs(shares.mean() - 0.5) < 0.02
    assert abs(shares.std() - 0.2887) < 0.01


def test_rejection_brings_patrols_back_to_the_crime():
    plain, mended = (
        patrol_shares((0.55, 0.45), 3000, 300, reject=reject, generator=generator()) for reject in (False, True)
    )
    assert abs(mended.mean() - 0.55) < 0.01
    assert mended.std() < 0.04
    assert plain.mean() > 0.62


# Bad input

X, Y = torch.zeros(3, 4), torch.tensor([0, 1, 1])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("n_source", lambda g: gaussian_shift(0, 1, dimension=1, generator=g)),
        ("n_target", lambda g: gaussian_shift(1, 0, dimension=1, generator=g)),
        ("dimension", lambda g: gaussian_shift(1, 1, dimension=0, generator=g)),
        ("scale", lambda g: gaussian_shift(1, 1, dimension=1, scale=0.0, generator=g)),
        ("mean", lambda g: gaussian_shift(1, 1, dimension=1, mean=math.nan, generator=g)),
        ("mean", lambda g: gaussian_shift(1, 1, dimension=2, mean=torch.zeros(3), generator=g)),
        ("n must", lambda g: shimodaira(0, generator=g)),
        ("n must", lambda g: two_worlds(0, generator=g)),
        ("displacement", lambda g: two_worlds(1, displacement=-1.0, generator=g)),
        ("kind", lambda g: drift_stream("sudden", 10, generator=g)),
        ("steps", lambda g: drift_stream("none", 5, generator=g)),
        ("dimension", lambda g: drift_stream("none", 10, dimension=1, generator=g)),
        ("noise", lambda g: drift_stream("none", 10, noise=-1.0, generator=g)),
        ("prior", lambda g: label_shift_indices(Y, torch.tensor([0.5, 0.6]), 1, generator=g)),
        ("prior", lambda g: label_shift_indices(Y, torch.tensor([1.5, -0.5]), 1, generator=g)),
        ("prior", lambda g: label_shift_indices(Y, torch.tensor([math.nan, 1.0]), 1, generator=g)),
        ("labels", lambda g: label_shift_indices(Y, torch.tensor([1.0]), 1, generator=g)),
        ("labels", lambda g: label_shift_indices(Y, torch.tensor([0.5, 0, 0.5]), 1, generator=g)),
        ("labels", lambda g: label_shift_indices(Y.double(), torch.tensor([0.5, 0.5]), 1, generator=g)),
        ("labels", lambda g: label_shift_indices(Y[:0], torch.tensor([0.5, 0.5]), 1, generator=g)),
        ("n must", lambda g: label_shift_indices(Y, torch.tensor([0.5, 0.5]), 0, generator=g)),
        ("images", lambda g: shift_pixels(torch.zeros(3, 5))),
        ("images", lambda g: shift_pixels(torch.zeros(4))),
        ("images", lambda g: shift_pixels(torch.full((1, 4), math.inf))),
        ("pixels", lambda g: shift_pixels(X, 0.5)),
        ("deviation", lambda g: add_noise(X, -1.0, generator=g)),
        ("x must", lambda g: add_noise(X / 0, 1.0, generator=g)),
        ("fraction", lambda g: knock_out(X, Y, 1, 1.5, generator=g)),
        ("cls", lambda g: knock_out(X, Y, 2, generator=g)),
        ("length", lambda g: knock_out(X[:2], Y, 1, generator=g)),
        ("y must", lambda g: knock_out(X, Y.double(), 1, generator=g)),
        ("drift_level", lambda g: DDM(warning_level=3.0, drift_level=2.0)),
        ("minimum", lambda g: DDM(minimum=0)),
        ("delta", lambda g: PageHinkley(delta=-1.0)),
        ("threshold", lambda g: PageHinkley(threshold=0.0)),
        ("warning_level", lambda g: PageHinkley(warning_level=1.5)),
        ("delta", lambda g: Adwin(delta=1.0)),
        ("clock", lambda g: Adwin(clock=0)),
        ("minimum", lambda g: Adwin(minimum=0)),
        ("error", lambda g: DDM().update(0.5)),
        ("error", lambda g: PageHinkley().update(math.nan)),
        ("error", lambda g: Adwin().update(1.5)),
        ("error", lambda g: Adwin().update("1")),
        ("steps", lambda g: repeated_retraining(lambda s: s, lambda s: s, torch.tensor(0.0), 0)),
        ("theta0", lambda g: repeated_retraining(lambda s: s, lambda s: s, torch.tensor(math.nan), 1)),
        ("retrain", lambda g: repeated_retraining(lambda s: s[None], lambda s: s, torch.tensor(0.0), 1)),
        ("retrain", lambda g: repeated_retraining(lambda s: s.item(), lambda s: s, torch.tensor(0.0), 1)),
        ("sensitivity", lambda g: contraction_rate(-1.0, 1.0, 1.0)),
        ("strong_convexity", lambda g: contraction_rate(1.0, 1.0, 2.0)),
        ("sensitivity", lambda g: LocationMap(1.0, 1.0).stable_point),
        ("sensitivity", lambda g: LocationMap(1.0, 0.5).optimum),
        ("n must", lambda g: LocationMap(1.0, 0.5).sample(torch.tensor(0.0), 0, generator=g)),
        ("crime", lambda g: patrol_shares((0.5, 1.5), 1, 1, generator=g)),
        ("crime", lambda g: patrol_shares((0.5, 0.5, 0.5), 1, 1, generator=g)),
        ("days", lambda g: patrol_shares((0.5, 0.5), 0, 1, generator=g)),
        ("runs", lambda g: patrol_shares((0.5, 0.5), 1, 0, generator=g)),
        ("cost ", lambda g: ShoesAndLoans(cost=0.0)),
        ("costs", lambda g: ShoesAndLoans(cost=1.0, costs="random")),
        ("habit", lambda g: ShoesAndLoans(cost=1.0, habit=-1.0)),
        ("n must", lambda g: ShoesAndLoans(cost=1.0).applicants(0, generator=g)),
        ("rounds", lambda g: ShoesAndLoans(cost=1.0).retrain(0, 100, generator=g)),
        ("shoe_weight", lambda g: ShoesAndLoans(cost=1.0).respond(Applicants(X, X, X), math.nan, generator=g)),
        ("applicants", lambda g: fit_lender(Applicants(X[0], X[0], X[0]))),
        ("positives", lambda g: auc(X[0], X[0])),
        ("scores", lambda g: auc(X, X[0])),
        ("scores", lambda g: auc(X[0] / 0, X[0])),
    ],
)
def test_bad_arguments_are_named(name, call):
    with pytest.raises(ValueError, match=name):
        call(generator())
