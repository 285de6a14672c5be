"""What mends a run in which something went wrong."""

import itertools
import math
from collections.abc import Sequence

from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=40)


LR, MAX_NORM, TRUST, STEPS = 0.5, 1.0, 0.04, 400


CURES = ("none", "skip", "clip", "lars", "restart")


Case = tuple[list[float], list[float], float, list[float]]


def _norm(vector: Sequence[float]) -> float:
    # math.hypot would say that a vector of an infinity and a NaN has an infinite norm.
    return math.sqrt(sum([entry * entry for entry in vector]))


def _recovers(cure: str, start: list[float], target: list[float], sharpness: float, factors: list[float]) -> bool:
    """Run gradient descent on ½·k·r²/(1 + r²), r = ‖w − target‖, and say whether it ends at rest near the target."""

    def loss(distance: float) -> float:
        return sharpness / 2 * distance**2 / (1 + distance**2)

    w, lr, away = start, LR, [a - b for a, b in zip(start, target)]
    distances = [_norm(away)]
    for factor in factors:
        slope = factor * sharpness / (1 + distances[-1] ** 2) ** 2
        gradient = [slope * a for a in away]
        length, rate = _norm(gradient), lr
        if cure == "skip" and not math.isfinite(length):
            rate, gradient = 0.0, [0.0] * len(w)
        elif cure == "clip" and length > MAX_NORM:
            rate *= MAX_NORM / length
        elif cure == "lars" and length != 0:
            rate *= TRUST * _norm(w) / length
        new = [a - rate * g for a, g in zip(w, gradient)]
        away = [a - b for a, b in zip(new, target)]
        distance = _norm(away)
        if cure == "restart" and not loss(distance) <= loss(distances[-1]):
            new, lr, distance = w, lr / 10, distances[-1]
            away = [a - b for a, b in zip(w, target)]
        w = new
        distances.append(distance)
    return all(d < 0.1 for d in distances[-10:])


def _case(trouble: str, generator: Generator) -> Case:
    """Start, target, sharpness and the factors on the gradient; in a run without spikes all factors are one."""
    # A tenth of the learning rate fits a sharp run.
    # In a steep run the first gradient is longer than MAX_NORM, and yet the learning rate fits.
    distance = {"far": (13, 18), "steep": (0.5, 0.65)}.get(trouble, (0.5, 0.9))
    sharpness = {"sharp": (16, 30), "steep": (3.4, 3.7)}.get(trouble, (0.8, 1.2))
    away, target = normal(2, 3, generator=generator)
    away = away / away.norm() * uniform(*distance, generator)
    target = target / target.norm() * uniform(1.5, 3, generator)
    factors, step = [1.0] * STEPS, integer(0, 1, generator)
    factors[step] = {
        "infinite": math.inf,
        "spike": log_uniform(1e4, 1e7, generator),
        "small spike": log_uniform(100, 250, generator),
    }.get(trouble, 1.0)
    return (target + away).tolist(), target.tolist(), uniform(*sharpness, generator), factors


WHY = {
    ("infinite", "none"): "one infinite gradient makes the weights NaN, for ever",
    ("infinite", "skip"): "to skip the one infinite gradient is all that it takes",
    ("infinite", "clip"): "clipping divides by an infinite norm, and 0 · ∞ is NaN",
    ("infinite", "lars"): "λ is zero for an infinite gradient, and 0 · ∞ is NaN: LARS repairs nothing",
    ("infinite", "restart"): "a step to NaN is taken back, and the next gradient is finite",
    ("spike", "none"): "the spike throws the weights onto the plateau, where the gradient is as good as zero",
    ("spike", "skip"): "a spike is finite, so it is not skipped",
    ("spike", "clip"): "a clipped spike is a step of bounded length: the run goes on",
    ("spike", "lars"): "the step of LARS does not grow with the spike",
    ("spike", "restart"): "the step that raised the loss is taken back",
    ("sharp", "none"): "every step overshoots",
    ("sharp", "skip"): "the gradients are finite, so nothing is skipped",
    ("sharp", "clip"): "clipped steps are bounded but still overshoot: the run jumps about the minimum and never rests",
    ("sharp", "lars"): "the step of LARS does not grow with the sharpness: it ends as near as lr · η · ‖w‖",
    ("sharp", "restart"): "a learning rate that is divided often enough fits: it must stay divided",
    ("far", "none"): "on the plateau the gradient is too small for the steps that are left",
    ("far", "skip"): "the gradient is small but finite, so nothing is skipped",
    ("far", "clip"): "clipping never makes a gradient longer",
    ("far", "lars"): "LARS makes long steps of small gradients: there is no threshold",
    ("far", "restart"): "the loss never rises, so nothing is taken back",
}


def _hold(answer: Answer, generator: Generator, *troubles: str) -> None:
    for trouble, cure in itertools.product(troubles, CURES):
        arguments = (cure, *_case(trouble, generator))
        verdict = answer.number(*arguments)
        if verdict not in (0, 1):
            raise Mistake(f"{answer.call(*arguments)} must be True or False, got {verdict:.4g}")
        if verdict != _recovers(*arguments):
            reason = WHY.get((trouble.split()[-1], cure), "a run without any trouble ends at the target")
            raise Mistake(f"{cure!r} gives the wrong verdict: {reason}")


@exercise.part("infinite gradient", points=1)
def infinite(answer: Answer, generator: Generator) -> None:
    _hold(answer, generator, "infinite", "healthy", "steep")


@exercise.part("one spike", points=1)
def spike(answer: Answer, generator: Generator) -> None:
    _hold(answer, generator, "spike", "small spike")


@exercise.part("learning rate too large for the curvature", points=1)
def sharp(answer: Answer, generator: Generator) -> None:
    # By chance a run that never rests may be near the target at the end: three of them hardly are.
    _hold(answer, generator, "sharp", "sharp", "sharp")


@exercise.part("start on a plateau", points=2)
def plateau(answer: Answer, generator: Generator) -> None:
    _hold(answer, generator, "far")
