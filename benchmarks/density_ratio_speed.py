"""Density ratios beside their peers: time of logistic regression at equal accuracy, error of log w, growth with n.

Run with ``OMP_NUM_THREADS=1 python benchmarks/density_ratio_speed.py``. Speed: CPU seconds on one thread, the methods
take turns, medians of paired ratios. Ours is all of ``density_ratio``: checks, standardisation, fit and weights, from
two samples. scikit-learn's is timed twice: its fit alone, on rows that were stacked and standardised before, and the
same job as ours, with its own ``StandardScaler`` and the weights of the source. Errors are those of the coefficients,
relative to Newton's method run to the end. The peers of benchmarks/requirements.txt that are not installed are skipped.
"""

import math
import statistics
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy
import sklearn
import torch
from shared import peer, processor, seconds
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from stablenets.shift._kernels import bandwidths, median_distance
from stablenets.shift._logistic import _Problem, fit_logistic
from stablenets.shift.ratios import PENALTIES, kliep, kmm, ulsif
from stablenets.shift.weights import OverlapWarning, density_ratio

ROUNDS = 5
EQUAL = 2e-7  # relative error of the coefficients that counts as the same answer
TOLERANCES = [10.0**-k for k in range(4, 13)]  # 1e-4 is scikit-learn's default
SIZES = [250, 500, 1000, 2000, 4000]
LONGEST = 10.0  # seconds after which a method is not run at larger n
ADAPT: dict[str, dict[str, Sequence[float]]] = {"KLIEP": {}, "ULSIF": {"lambdas": PENALTIES}, "KMM": {}}
Weigh = Callable[[Tensor, Tensor], Tensor]  # source and target to weights of the source


class Setting(NamedTuple):
    """n points a sample in d dimensions; a common factor of 3 standard deviations correlates the features or not."""

    n: int
    d: int
    correlated: bool

    @property
    def name(self) -> str:
        return f"{self.n:,} × {self.d}{', correlated' if self.correlated else ''}"


class Shift(NamedTuple):
    """Standard normal source in d dimensions; target moved by 1 and scaled."""

    d: int
    scale: float = 1.0

    @property
    def name(self) -> str:
        return f"d = {self.d}, {'mean' if self.scale == 1 else 'mean and variance'}"


SETTINGS = [
    Setting(n, d, c) for n, d in [(1000, 16), (10_000, 16), (100_000, 16), (100_000, 64)] for c in (False, True)
]
SHIFTS = [Shift(2), Shift(16), Shift(64), Shift(16, 0.8)]


def samples(n: int, shift: Shift, seed: int, factor: float = 0.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(d: int) -> Tensor:
        return torch.randn(n, d, generator=generator, dtype=torch.float64)

    source = normal(shift.d) + factor * normal(1)
    return source, shift.scale * normal(shift.d) + 1 / math.sqrt(shift.d) + factor * normal(1)


def log_ratio(x: Tensor, shift: Shift) -> Tensor:
    away = (x - 1 / math.sqrt(shift.d)) / shift.scale
    return (x.square().sum(1) - away.square().sum(1)) / 2 - shift.d * math.log(shift.scale)


def fit_sklearn(rows: Tensor, tolerance: float, solver: str) -> LogisticRegression:
    labels = [0] * (len(rows) // 2) + [1] * (len(rows) // 2)
    return LogisticRegression(tol=tolerance, max_iter=10_000, solver=solver).fit(rows.numpy(), labels)


def weights_of_sklearn(source: Tensor, target: Tensor, tolerance: float, solver: str) -> Tensor:
    """What ``density_ratio`` does, as one writes it with scikit-learn."""
    scaler = StandardScaler()
    rows = torch.from_numpy(scaler.fit_transform(numpy.concatenate([source.numpy(), target.numpy()])))
    model = fit_sklearn(rows, tolerance, solver)
    return torch.from_numpy(model.decision_function(rows[: len(source)].numpy())).exp()


def speed_row(setting: Setting) -> str:
    source, target = samples(setting.n, Shift(setting.d), seed=0, factor=3.0 if setting.correlated else 0.0)
    fit = fit_logistic(source, target, l2=1.0)
    problem = _Problem(source, target, fit.center, fit.scale, 1.0)
    exact = problem.newton(torch.zeros(setting.d + 1, dtype=torch.float64), 1e-11)[0][:-1]
    rows = (torch.cat([source, target]) - fit.center) / fit.scale

    def error(coefficients: Tensor) -> float:
        return ((coefficients - exact).norm() / exact.norm()).item()

    def error_of_sklearn(tolerance: float, solver: str) -> float:
        return error(torch.from_numpy(fit_sklearn(rows, tolerance, solver).coef_[0]))

    chosen, errors = [(1e-4, "lbfgs")], [error_of_sklearn(1e-4, "lbfgs")]
    for solver in ("lbfgs", "newton-cholesky"):
        # The loosest tolerance that is accurate enough, or else the most accurate.
        tried = []
        for tolerance in TOLERANCES:
            tried.append((error_of_sklearn(tolerance, solver), tolerance))
            if tried[-1][0] <= EQUAL:
                break
        best, tolerance = min(tried)
        errors.append(best)
        chosen.append((tolerance, solver))
    times = []
    for _ in range(ROUNDS):
        own = seconds(lambda: density_ratio(source, target))
        runs = [
            run
            for how in chosen
            for run in (partial(fit_sklearn, rows, *how), partial(weights_of_sklearn, source, target, *how))
        ]
        times.append([own, *(seconds(run) / own for run in runs)])
    own, *ratios = map(statistics.median, zip(*times))
    pairs = zip(ratios[::2], ratios[1::2], errors)
    cells = " | ".join(f"{fit:.1f} / {job:.1f} ({error:.0e})" for fit, job, error in pairs)
    return f"| {setting.name} | {1000 * own:.1f} | {fit.passes} | {error(fit.coefficients):.0e} | {cells} |"


def speed_table() -> None:
    print("\n| n a sample × d | ours, ms | passes | error | default lbfgs | lbfgs | newton-cholesky |")
    print("|---" * 7 + "|")
    for setting in SETTINGS:
        print(speed_row(setting), flush=True)
    print(
        f"\nscikit-learn {sklearn.__version__}: time ÷ ours of its fit alone / of the same job (error). The last two "
        f"columns at an error of at most {EQUAL:g}, or the least they reach. The job goes from two samples to weights; "
        "the fit alone gets rows that were stacked and standardised before, and gives no weights. Passes: gradients "
        "over all rows; for up to about 10,000 rows a sample, steps of Newton."
    )


def methods() -> dict[str, Weigh]:
    """Every estimator that is there, ours first."""
    found: dict[str, Weigh] = {
        "logistic, x": lambda s, t: density_ratio(s, t).weights,
        "logistic, x and x²": lambda s, t: density_ratio(s, t, quadratic=True).weights,
        "KLIEP": lambda s, t: kliep(s, t, generator=torch.Generator().manual_seed(0)),
        "uLSIF": lambda s, t: ulsif(s, t, generator=torch.Generator().manual_seed(0)),
        "KMM": kmm,
    }
    if densratio := peer("densratio", "densratio", "densratio"):

        def ratio(source: Tensor, target: Tensor) -> Tensor:
            # It draws its kernels from the global generator.
            numpy.random.seed(0)  # noqa: NPY002
            model = densratio(target.numpy(), source.numpy(), verbose=False)
            return torch.as_tensor(model.compute_density_ratio(source.numpy()))

        found["densratio's uLSIF"] = ratio
    for name, options in ADAPT.items():
        if method := peer(f"adapt's {name}", "adapt.instance_based", name):
            found[f"adapt's {name}"] = partial(adapt, method, options)
    return found


def adapt(method: type, options: dict[str, Sequence[float]], source: Tensor, target: Tensor) -> Tensor:
    """adapt's weights, with the bandwidths and penalties that ours chooses from, or for KMM the median that ours takes.

    Above 1000 points its KMM matches the parts of a split one by one, so that its time grows as n and not as n².
    """
    widths = [median_distance(source, target)] if method.__name__ == "KMM" else bandwidths(None, source, target)
    gamma = [1 / (2 * width**2) for width in widths]
    model = method(
        gamma=gamma[0] if len(gamma) == 1 else gamma, Xt=target.numpy(), random_state=0, verbose=0, **options
    )
    return torch.as_tensor(model.fit_weights(source.numpy(), target.numpy()))


def error_table(weigh: dict[str, Weigh], n: int = 1000, runs: int = 5) -> None:
    print(f"\n| error of log w, n = {n} | {' | '.join(shift.name for shift in SHIFTS)} |")
    print("|---" * (len(SHIFTS) + 1) + "|")
    for name, estimate in weigh.items():
        errors = [statistics.mean(error_of_log(estimate, n, shift, seed) for seed in range(runs)) for shift in SHIFTS]
        print(f"| {name} | {' | '.join(f'{error:.3g}' for error in errors)} |", flush=True)
    print(
        "\nMean squared error of log w at the source over the variance of the truth; a weight counts as 1e-8 at least."
    )


def error_of_log(estimate: Weigh, n: int, shift: Shift, seed: int) -> float:
    source, target = samples(n, shift, seed)
    truth = log_ratio(source, shift)
    found = estimate(source, target).clamp(min=1e-8).log()
    return ((found - truth).square().mean() / truth.var()).item()


def growth_table(weigh: dict[str, Weigh]) -> None:
    print(f"\n| CPU seconds, d = 16, n = | {' | '.join(map(str, SIZES))} |")
    print("|---" * (len(SIZES) + 1) + "|")
    for name, estimate in weigh.items():
        cells, spent = [], 0.0
        for n in SIZES:
            if spent > LONGEST:
                cells.append("–")
                continue
            source, target = samples(n, Shift(16), seed=0)
            spent = seconds(partial(estimate, source, target), repeats=3)
            cells.append(f"{spent:.3f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", OverlapWarning)  # the hard problems are meant to be hard
    warnings.simplefilter(
        "ignore", ConvergenceWarning
    )  # a tolerance that lbfgs cannot reach: its error is in the table
    print(f"{processor()}, torch {torch.__version__}, 1 thread; medians of paired CPU-time ratios")
    speed_table()
    weigh = methods()
    error_table(weigh)
    growth_table(weigh)


if __name__ == "__main__":
    main()
