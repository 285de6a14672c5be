"""Norms of gradients: measured without underflow, clipped without loss."""

import math

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

MONITOR = Exercise("gradient-monitor", chapter="gradient-stability", minutes=15)
CLIPPING = Exercise("clipped-gradient", chapter="gradient-stability", minutes=15)


def _gradients(scales: list[float], generator: Generator) -> list[Tensor]:
    """One float32 matrix of Gaussian entries for each scale."""
    shapes = [(integer(2, 30, generator), integer(2, 30, generator)) for _ in scales]
    return [(scale * normal(*shape, generator=generator)).float() for scale, shape in zip(scales, shapes)]


def _norm(gradient: Tensor) -> float:
    return gradient.double().norm().item()


def _expect_norms(answer: Answer, gradients: list[Tensor]) -> None:
    got = answer.tensor(gradients, shape=(len(gradients),)).tolist()
    for gradient, norm in zip(gradients, got):
        true, entries = _norm(gradient), gradient.double().abs()
        named = {
            "a norm of zero, though the gradient is not: the squares of its entries underflow": 0.0,
            "this is the square of the norm": true**2,
            "this is the root mean square, not the norm": true / math.sqrt(gradient.numel()),
            "this is the largest entry, not the norm": entries.max().item(),
            "this is the sum of absolute values, not the Euclidean norm": entries.sum().item(),
        }
        if abs(norm - true) > 1e-4 * true:
            reasons = [reason for reason, wrong in named.items() if abs(norm - wrong) <= 1e-4 * wrong]
            reasons.append(f"{norm:.4g} is too {'large' if norm > true else 'small'}")
            raise Mistake(f"entries of size {entries.mean().item():.1g}: {reasons[0]}")


@MONITOR.part(points=2)
def small_entries_do_not_underflow(answer: Answer, generator: Generator) -> None:
    for exponent in (-25, -22, -30):
        _expect_norms(answer, _gradients([10.0**exponent, 0.5 * 10.0**exponent], generator))


@MONITOR.part(points=1)
def large_entries_do_not_overflow(answer: Answer, generator: Generator) -> None:
    for exponent in (19, 25, 30):
        _expect_norms(answer, _gradients([10.0**exponent, 0.5 * 10.0**exponent], generator))


@MONITOR.part(points=1)
def layers_of_all_sizes_and_dead_ones_are_told_apart(answer: Answer, generator: Generator) -> None:
    small, one, large = _gradients([1e-30, 1.0, 1e30], generator)
    _expect_norms(answer, [large, torch.zeros(3, 2), one, torch.zeros(4), small])


def _expect_clipped(answer: Answer, gradients: list[Tensor], max_norm: float) -> None:
    """Compare with all gradients times min(1, max_norm / norm of them all)."""
    got = answer.tensors(gradients, max_norm, shapes=[gradient.shape for gradient in gradients])
    exact = [gradient.double() for gradient in gradients]
    norms = [_norm(gradient) for gradient in gradients]
    total = max(math.hypot(*norms), 1e-300)
    named = {
        "the gradients are gone, though all entries are finite: their squares overflow": [0 * g for g in exact],
        "nothing is clipped": exact,
        "each tensor is clipped by itself, which turns the step; one factor must fit all":
            [g * min(1, max_norm / max(norm, 1e-300)) for g, norm in zip(exact, norms)],
        "each entry is clipped by itself, which turns the step": [g.clamp(-max_norm, max_norm) for g in exact],
        "gradients shorter than max_norm must stay as they are": [g * max_norm / total for g in exact],
        "the factor has the square of the norm": [g * max_norm / total**2 for g in exact],
        "the result has norm one, not max_norm": [g / total for g in exact],
    }  # fmt: skip
    if not _same(got, [g * min(1, max_norm / total) for g in exact]):
        reasons = [reason for reason, wrong in named.items() if _same(got, wrong)]
        reasons.append(f"after clipping to {max_norm:.4g} the norm is {math.hypot(*map(_norm, got)):.4g}")
        raise Mistake(reasons[0])


def _same(got: list[Tensor], expected: list[Tensor]) -> bool:
    deviation = max((a - b).abs().max().item() for a, b in zip(got, expected))
    return deviation <= 1e-4 * max(b.abs().max().item() for b in expected)


@CLIPPING.part(points=1)
def one_factor_fits_all_tensors(answer: Answer, generator: Generator) -> None:
    gradients = _gradients([1.0, 3.0, 0.3], generator)
    short = 1 + math.hypot(*map(_norm, gradients))
    _expect_clipped(answer, gradients, uniform(0.2, 0.6, generator))
    _expect_clipped(answer, gradients, short)
    _expect_clipped(answer, [torch.zeros(2), torch.zeros(3, 1)], short)


@CLIPPING.part(points=1)
def huge_gradients_keep_their_direction(answer: Answer, generator: Generator) -> None:
    for scale in (1e19, 1e25, 1e30):
        _expect_clipped(answer, _gradients([scale, 2 * scale, 1.0], generator), uniform(0.2, 6, generator))


@CLIPPING.part(points=1)
def there_is_no_step_without_finite_gradients(answer: Answer, generator: Generator) -> None:
    for bad in (math.inf, -math.inf, math.nan):
        gradients = _gradients([1.0, 1.0], generator)
        gradients[integer(0, 1, generator)][0, integer(0, 1, generator)] = bad
        result = answer(gradients, 1.0)
        if isinstance(result, (list, tuple)) and not result:
            continue
        clipped = answer.tensors(gradients, 1.0, shapes=[gradient.shape for gradient in gradients])
        if not any(tensor.any() for tensor in clipped):
            raise Mistake(f"one entry is {bad}: zeros hide the failure, since they look like a minimum")
        raise Mistake(f"one entry is {bad}: the others do not make up a gradient; return an empty list")
