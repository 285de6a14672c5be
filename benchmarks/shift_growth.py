"""How time and memory grow: every detector and corrector of shift, against the examples, classes or observations.

Run with ``OMP_NUM_THREADS=1 python benchmarks/shift_growth.py``. CPU seconds on one thread, the least of three runs; a
is the slope of a line through log seconds over log size. Memory is what the peak of a fresh process grows by beyond
the input, which has run the smallest size before. ``univariate_test`` is ``ks_test`` and a sort of its p-values.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from shared import extra_megabytes, processor, seconds
from torch import Tensor

from stablenets.shift.adwin import Adwin
from stablenets.shift.black_box import black_box_test
from stablenets.shift.calibration import temperature_scaling
from stablenets.shift.classifier import classifier_test
from stablenets.shift.confusion import bbse, confusion_matrix, rlls
from stablenets.shift.label import em_prior
from stablenets.shift.mmd import linear_mmd_test, mmd_test
from stablenets.shift.online import DDM, PageHinkley, run_detector
from stablenets.shift.ratios import kliep, kmm, ulsif
from stablenets.shift.risk import weighted_risk
from stablenets.shift.two_sample import ks_test
from stablenets.shift.weights import density_ratio

DIMENSION, CLASSES, DOUBLINGS, REPEATS = 64, 10, 5, 3
STREAMS = [DDM, PageHinkley, Adwin]


class Prepared(NamedTuple):
    """The call to measure and the bytes of its tensors."""

    run: Callable[[], object]
    bytes: int


class Method(NamedTuple):
    """The smallest size, and how to prepare the call for a size."""

    smallest: int
    prepare: Callable[[int], Prepared]

    @property
    def sizes(self) -> list[int]:
        return [self.smallest * 2**k for k in range(DOUBLINGS)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def prepared(function: Callable, *inputs: Tensor, **options: object) -> Prepared:
    return Prepared(partial(function, *inputs, **options), sum(x.numel() * x.element_size() for x in inputs))


def samples(n: int, m: int) -> tuple[Tensor, Tensor]:
    """Normal features, those of the target moved a little."""
    source, target = (torch.randn(size, DIMENSION, generator=seeded(size), dtype=torch.float64) for size in (n, m))
    return source, target + 0.02


def logits(n: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Logits that are right about four times of five for ten classes, and the labels."""
    labels = torch.randint(classes, (n,), generator=seeded(seed))
    noise = torch.randn(n, classes, generator=seeded(seed + 1), dtype=torch.float64)
    return noise + 2.5 * torch.nn.functional.one_hot(labels, classes), labels


def compare(n: int, function: Callable, fewer: int = 0, **options: object) -> Prepared:
    return prepared(function, *samples(n, n - fewer), **options)


def draw(n: int, function: Callable, **options: object) -> Prepared:
    """What draws at random; runs follow each other in the numbers of one generator."""
    return compare(n, function, generator=seeded(), **options)


def black_box(n: int, outputs: str) -> Prepared:
    weights = torch.randn(DIMENSION, CLASSES, generator=seeded(1), dtype=torch.float64)

    def test(source: Tensor, target: Tensor) -> float:
        return black_box_test(lambda x: x @ weights, source, target, outputs=outputs).p_value

    return prepared(test, *samples(n, n))


def confusions(n: int, correct: Callable, classes: int = CLASSES) -> Prepared:
    """The matrix from held-out data, and what follows from it."""
    held_out, labels = logits(n, classes, seed=0)
    target, _ = logits(n, classes, seed=2)
    prior = torch.full((classes,), 1 / classes, dtype=torch.float64)

    def estimate(held_out: Tensor, labels: Tensor, target: Tensor) -> Tensor:
        return correct(confusion_matrix(held_out, labels, classes), prior, target.mean(0)).prior

    return prepared(estimate, held_out.softmax(1), labels, target.softmax(1))


def em(n: int, classes: int = CLASSES) -> Prepared:
    probabilities = logits(n, classes, seed=0)[0].softmax(1)
    return prepared(em_prior, probabilities, torch.linspace(1, 3, classes).div(2 * classes))


def temperature(n: int, classes: int = CLASSES) -> Prepared:
    return prepared(temperature_scaling, *logits(n, classes, seed=0))


def stream(n: int, detector: type) -> Prepared:
    """Errors with a rate of .2 without change: ADWIN's window only grows then, which is its hardest case."""
    errors = (torch.rand(n, generator=seeded()) < 0.2).double()
    return prepared(lambda errors: run_detector(detector(), errors), errors)


def risk(n: int) -> Prepared:
    return prepared(weighted_risk, *torch.rand(2, n, generator=seeded(), dtype=torch.float64))


BY_EXAMPLES = {
    "`ks_test`, n = m": Method(5000, partial(compare, function=ks_test)),
    "`ks_test`, exact, m = n − 1": Method(31, partial(compare, function=ks_test, fewer=1)),
    "`mmd_test`": Method(250, partial(draw, function=mmd_test)),
    "`linear_mmd_test`": Method(2500, partial(draw, function=linear_mmd_test)),
    "`classifier_test`, 1 fold": Method(2500, partial(draw, function=classifier_test, folds=1)),
    "`classifier_test`, 2 folds, 199 relabelings": Method(500, partial(draw, function=classifier_test, folds=2)),
    "`black_box_test`, probabilities": Method(5000, partial(black_box, outputs="probabilities")),
    "`black_box_test`, labels": Method(5000, partial(black_box, outputs="labels")),
    "`density_ratio`": Method(5000, partial(compare, function=density_ratio)),
    "`kliep`": Method(500, partial(draw, function=kliep)),
    "`ulsif`": Method(500, partial(draw, function=ulsif)),
    "`kmm`": Method(250, partial(compare, function=kmm)),
    "`confusion_matrix` and `bbse`": Method(10_000, partial(confusions, correct=bbse)),
    "`confusion_matrix` and `rlls`": Method(10_000, partial(confusions, correct=rlls)),
    "`em_prior`": Method(10_000, em),
    "`temperature_scaling`": Method(10_000, temperature),
    "`weighted_risk`": Method(100_000, risk),
}
EXAMPLES = 10_000
BY_CLASSES = {
    "`confusion_matrix` and `bbse`": Method(25, lambda k: confusions(EXAMPLES, bbse, k)),
    "`confusion_matrix` and `rlls`": Method(25, lambda k: confusions(EXAMPLES, rlls, k)),
    "`em_prior`": Method(25, lambda k: em(EXAMPLES, k)),
    "`temperature_scaling`": Method(25, lambda k: temperature(EXAMPLES, k)),
}
BY_LENGTH = {f"`{detector.__name__}`": Method(10_000, partial(stream, detector=detector)) for detector in STREAMS}
TABLES = {
    f"examples, d = {DIMENSION} or k = {CLASSES}": ("n", BY_EXAMPLES),
    f"classes, n = {EXAMPLES:,}": ("k", BY_CLASSES),
    "length of the stream": ("n", BY_LENGTH),
}


def exponent(sizes: list[int], values: list[float]) -> float:
    x, y = (torch.tensor(numbers, dtype=torch.float64).log() for numbers in (sizes, values))
    return ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()


def at_size(table: str, name: str, size: int) -> Callable[[], object]:
    method = TABLES[table][1][name]
    method.prepare(method.smallest).run()
    return method.prepare(size).run


def growth_table(table: str) -> None:
    letter, methods = TABLES[table]
    print(
        f"\n| growth with the {table} | {letter} = | CPU seconds | time ∝ {letter}ᵃ, a = | MB | input at the end, MB |"
    )
    print("|---" * 6 + "|")
    for name, method in methods.items():
        megabytes = extra_megabytes(*(partial(at_size, table, name, size) for size in method.sizes))
        calls = [method.prepare(size) for size in method.sizes]
        times = [seconds(call.run, repeats=REPEATS) for call in calls]
        sizes = f"{method.smallest:,} … {method.sizes[-1]:,}"
        told, memory = " · ".join(f"{t:.2g}" for t in times), " · ".join(f"{m:.0f}" for m in megabytes)
        slope, size = exponent(method.sizes, times), calls[-1].bytes / 2**20
        print(f"| {name} | {sizes} | {told} | {slope:.2f} | {memory} | {size:.1f} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    print(f"{processor()}, torch {torch.__version__}, 1 thread; CPU seconds, the least of {REPEATS} runs")
    for table in TABLES:
        growth_table(table)


if __name__ == "__main__":
    main()
