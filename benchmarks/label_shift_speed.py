"""Label shift beside its peers: CPU time to one certificate, and squared error over the Cramér–Rao bound.

Run with ``OMP_NUM_THREADS=1 python benchmarks/label_shift_speed.py``. The classes are Gaussian and the probabilities
exact, so that the bound is known. The methods take turns on the same data, on one thread, and each figure is a median.
The gap is computed here for all alike: max_j mean_i L_ij / (Lπ)_i − 1, in nats. "At 1e-5" a peer gets the loosest of
its own tolerances, by decades, that brings its gap below 1e-5. The peers of benchmarks/requirements.txt that are not
installed are skipped.
"""

import statistics
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

import torch
from shared import peer, processor, seconds
from torch import Tensor

from stablenets.shift.confusion import LabelShift, bbse, confusion_matrix, rlls
from stablenets.shift.label import em_prior

GAP = 1e-5
Estimate = Callable[[Tensor, Tensor], Tensor]  # probabilities (n, k) and source prior (k,) to target prior (k,)


class Setting(NamedTuple):
    """k Gaussian classes with means N(0, separation² I) in a few dimensions, n examples in source and in target."""

    classes: int
    n: int
    dimension: int
    separation: float
    runs: int


# Accuracies of about .9, .8 and .9, then of .4: where classes overlap, plain EM is slow.
SETTINGS = [Setting(2, 5000, 2, 0.7, 200), Setting(10, 10_000, 10, 0.8, 40), Setting(100, 20_000, 20, 1.0, 12)]
HARD = Setting(10, 10_000, 10, 0.4, 40)


def sample(setting: Setting, prior: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return the exact probabilities under equal shares, and the labels, of a sample with shares ``prior``."""
    fixed, generator = torch.Generator().manual_seed(0), torch.Generator().manual_seed(seed)
    shape = setting.classes, setting.dimension
    means = setting.separation * torch.randn(shape, generator=fixed, dtype=torch.float64)
    labels = torch.multinomial(prior, setting.n, replacement=True, generator=generator)
    x = means[labels] + torch.randn(setting.n, setting.dimension, generator=generator, dtype=torch.float64)
    return torch.softmax(x @ means.T - means.square().sum(1) / 2, dim=1), labels


def priors(setting: Setting) -> tuple[Tensor, Tensor]:
    """Return equal shares, and a target whose largest share is five times the smallest."""
    target = torch.linspace(1, 5, setting.classes, dtype=torch.float64)
    return torch.full_like(target, 1 / setting.classes), target / target.sum()


def gap(probabilities: Tensor, source: Tensor, prior: Tensor) -> float:
    ratios = probabilities / source
    return (ratios / (ratios @ prior)[:, None]).mean(0).max().item() - 1


def cramer_rao(probabilities: Tensor, source: Tensor, prior: Tensor) -> float:
    """The least mean squared error, summed over the classes, of an unbiased estimate of the prior."""
    ratios = probabilities / source
    ratios = ratios / (ratios @ prior)[:, None]
    tangent = torch.linalg.svd(torch.ones(1, len(prior), dtype=torch.float64)).Vh[1:].T
    return torch.linalg.inv(tangent.T @ ratios.T @ ratios @ tangent).trace().item()


def plain_em(probabilities: Tensor, source: Tensor) -> Tensor:
    """The textbook loop with our products, our certificate and no acceleration."""
    prior = source
    while True:
        factors = (1 / (probabilities @ (prior / source)) @ probabilities) / (len(probabilities) * source)
        if factors.max() <= 1 + GAP:
            return prior
        prior = prior * factors


def _quapy(peer: type, tolerance: float, limit: int) -> Estimate:
    def estimate(probabilities: Tensor, source: Tensor) -> Tensor:
        peer.MAX_ITER = limit
        return torch.from_numpy(peer.EM(source.numpy(), probabilities.numpy(), epsilon=tolerance)[0])

    return estimate


def _abstention(peer: type, tolerance: float, limit: int) -> Estimate:
    adapter = peer(tolerance=tolerance, max_iterations=limit)
    # It takes the source prior as the mean of validation probabilities: one row is enough.
    return lambda probabilities, source: (
        source * torch.from_numpy(adapter(probabilities.numpy(), source.numpy()[None]).multipliers)
    )


# Module, attribute, how to call it, and its default tolerance and limit of iterations.
PEERS = {
    "quapy": ("quapy.method.aggregative", "EMQ", _quapy, 1e-4, 1000),
    "abstention": ("abstention.label_shift", "EMImbalanceAdapter", _abstention, 1e-6, 100),
}


def methods(probabilities: Tensor, source: Tensor) -> dict[str, Estimate]:
    """Return ours, the plain loop, and each installed peer by default and at a gap of at most ``GAP`` on these data."""
    found = {"stablenets": lambda p, q: em_prior(p, q, tolerance=GAP).prior, "plain EM loop": plain_em}
    for name, (module, attribute, make, tolerance, limit) in PEERS.items():
        if not (method := peer(name, module, attribute)):
            continue
        found[f"{name} {version(name)}, default"] = make(method, tolerance, limit)
        while gap(probabilities, source, make(method, tolerance, 100_000)(probabilities, source)) > GAP:
            tolerance /= 10
        found[f"{name}, at 1e-5"] = make(method, tolerance, 100_000)
    return found


def speed_table(settings: list[Setting], rounds: int = 7) -> None:
    print("\n| k (n), accuracy | method | CPU ms | gap | time ÷ stablenets |\n|---|---|---|---|---|")
    for setting in settings:
        source, target = priors(setting)
        probabilities, labels = sample(setting, target, seed=1)
        accuracy = (probabilities.argmax(1) == labels).double().mean().item()
        estimates = methods(probabilities, source)
        runs = [partial(estimate, probabilities, source) for estimate in estimates.values()]
        times = [[seconds(run) for run in runs] for _ in range(rounds)]
        for index, (name, estimate) in enumerate(estimates.items()):
            milliseconds = 1e3 * statistics.median(row[index] for row in times)
            ratio = statistics.median(row[index] / row[0] for row in times)
            reached = gap(probabilities, source, estimate(probabilities, source))
            label = f"{setting.classes} ({setting.n}), {accuracy:.2f}"
            print(f"| {label} | {name} | {milliseconds:.2f} | {reached:.0e} | {ratio:.1f} |")


def error_table(settings: list[Setting]) -> None:
    print("\n| squared error ÷ Cramér–Rao, k (n) | EM | BBSE soft | BBSE hard | RLLS soft | CPU ms, BBSE soft |")
    print("|---|---|---|---|---|---|")
    for setting in settings:
        source, target = priors(setting)
        errors, bound, spent = torch.zeros(4, dtype=torch.float64), 0.0, []
        for run in range(setting.runs):
            held_out, labels = sample(setting, source, seed=2 * run)
            probabilities, _ = sample(setting, target, seed=2 * run + 1)
            spent.append(seconds(partial(_soft, held_out, labels, probabilities, source)))
            soft = confusion_matrix(held_out, labels, setting.classes)
            estimates = [
                em_prior(probabilities, source).prior,
                _soft(held_out, labels, probabilities, source).prior,
                _hard(held_out, labels, probabilities, source).prior,
                rlls(soft, source, probabilities.mean(0)).prior,
            ]
            errors += (torch.stack(estimates) - target).square().sum(1)
            bound += cramer_rao(probabilities, source, target)
        ratios = " | ".join(f"{ratio:.2f}" for ratio in (errors / bound).tolist())
        milliseconds = 1e3 * statistics.median(spent)
        print(f"| {setting.classes} ({setting.n}), {setting.runs} runs | {ratios} | {milliseconds:.2f} |")


def _soft(held_out: Tensor, labels: Tensor, probabilities: Tensor, source: Tensor) -> LabelShift:
    return bbse(confusion_matrix(held_out, labels, len(source)), source, probabilities.mean(0))


def _hard(held_out: Tensor, labels: Tensor, probabilities: Tensor, source: Tensor) -> LabelShift:
    classes = len(source)
    shares = torch.bincount(probabilities.argmax(1), minlength=classes) / len(probabilities)
    return bbse(confusion_matrix(held_out.argmax(1), labels, classes), source, shares)


def main() -> None:
    torch.set_num_threads(1)
    print(f"{processor()}, torch {torch.__version__}, 1 thread; medians of CPU time")
    speed_table([*SETTINGS, HARD])
    error_table(SETTINGS)


if __name__ == "__main__":
    main()
