"""Calibration by a temperature, and the prior of the target by maximum likelihood."""

import math

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=30)


GAP = 1e-4


def _draw(prior: Tensor, n: int, generator: Generator) -> Tensor:
    return torch.multinomial(prior, n, replacement=True, generator=generator)


def _case(generator: Generator, scale: float) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Logits of a validation set with its labels, logits of the target, and the target's prior.

    Before they are multiplied by ``scale`` the logits are those of the exact posterior of Gaussian classes.
    """
    k = 4
    source = torch.tensor([0.4, 0.3, 0.2, 0.1]).double() + uniform(-0.03, 0.03, generator)
    source, target = source / source.sum(), torch.tensor([0.05, 0.15, 0.2, 0.6]).double()
    centres = 2.2 * torch.eye(k).double() + 0.2 * normal(k, k, generator=generator)

    def logits(labels: Tensor) -> Tensor:
        x = centres[labels] + normal(len(labels), k, generator=generator)
        return scale * (x @ centres.T - centres.square().sum(1) / 2 + source.log())

    labels = _draw(source, 1200, generator)
    return (logits(labels), labels, logits(_draw(target, 1000, generator))), target


def _temperature(logits: Tensor, labels: Tensor) -> float:
    """The zero of the derivative of the negative log-likelihood, which is convex in 1/T, by bisection."""
    right = logits.gather(1, labels[:, None]).squeeze(1)
    low, high = 1e-6, 1e6
    for _ in range(120):
        middle = (low * high) ** 0.5
        slope = ((logits * (logits / middle).softmax(1)).sum(1) - right).mean()
        low, high = (low, middle) if slope < 0 else (middle, high)
    return middle


def _steps(ratios: Tensor, start: Tensor, steps: int) -> Tensor:
    prior = start
    for _ in range(steps):
        posterior = ratios * prior
        prior = (posterior / posterior.sum(1, keepdim=True)).mean(0)
    return prior


def _gap(prior: Tensor, posterior: Tensor, source: Tensor) -> float:
    """No prior has a log-likelihood larger by more than this."""
    ratios = posterior / source
    return (ratios / (ratios @ prior)[:, None]).mean(0).max().item() - 1


SHAPES = ((), (4,))


@exercise.part("temperature calibrates", points=1)
def temperature(answer: Answer, generator: Generator) -> None:
    (logits, labels, target), _ = _case(generator, log_uniform(1.8, 4, generator))
    temperature = _temperature(logits, labels)
    got = Value(answer, 0, "temperature", SHAPES)
    if 0 < got(logits, labels, target) < temperature / 100:
        raise Mistake("near zero: fit it to the labels of the source, not to those that the logits prefer")
    got.expect(
        logits, labels, target,
        value=temperature,
        relative=0.01,
        mistakes={
            "logits are divided by the temperature: that is its inverse": 1 / temperature,
            "that is the logarithm of the temperature": math.log(temperature),
            "these logits are overconfident, so the temperature is not one": 1.0,
        },
    )  # fmt: skip


def _prior(answer: Answer, logits: Tensor, labels: Tensor, target: Tensor) -> tuple[float, Tensor]:
    temperature, prior = answer.tensors(logits, labels, target, shapes=SHAPES)
    if temperature <= 0:
        raise Mistake("a temperature is positive")
    if (prior < 0).any() or abs(prior.sum() - 1) > 1e-6:
        raise Mistake("a prior has no negative entries and sums to one")
    return temperature.item(), prior


@exercise.part("prior maximizes the likelihood", points=2)
def prior(answer: Answer, generator: Generator) -> None:
    (logits, labels, target), _ = _case(generator, log_uniform(1.8, 4, generator))
    temperature, prior = _prior(answer, logits, labels, target)
    posterior = (target / temperature).softmax(1)
    source = torch.bincount(labels, minlength=4).double() / len(labels)
    gap = _gap(prior, posterior, source)
    raw, counted = target.softmax(1) / source, torch.bincount(target.argmax(1), minlength=4) / len(target)
    mistakes = {
        "that is the mean of the posteriors, one step of EM only": posterior.mean(0),
        "those are the frequencies of the predictions": counted,
        "that is the prior of the source": source,
        "the posteriors must be divided by the prior of the source, or it counts twice": _steps(posterior, source, 500),
        "divide by the prior of the source, do not multiply": _steps(posterior * source, source, 500),
        "the prior is found with the logits as they were, without your temperature": _steps(raw, source, 500),
        "each step must start from the posteriors of the source, not from those of the step before":
            _compounded(posterior, source),
        "divide the target's logits by the temperature, do not multiply":
            _steps((target * temperature).softmax(1) / source, source, 500),
        "the source's prior is that of its labels, not of the target's predictions":
            _steps(posterior / counted.clamp(min=1e-9), source, 500),
        "the likelihood is that of the target's logits, not of the validation set's":
            _steps((logits / temperature).softmax(1) / source, source, 500),
    }  # fmt: skip
    if gap > GAP:
        for text, wrong in mistakes.items():
            if (prior - wrong).abs().max() < 2e-3:
                raise Mistake(text)
        raise Mistake(
            f"the likelihood is not at its maximum: the gap is {gap:.1g}. More steps make it smaller, if L is that "
            "of the question"
        )


def _compounded(posterior: Tensor, source: Tensor) -> Tensor:
    """What comes out when the posteriors are overwritten in each step, and divided by the source's prior again."""
    for _ in range(200):
        posterior = posterior * posterior.mean(0) / source
        posterior = posterior / posterior.sum(1, keepdim=True)
    return posterior.mean(0)


@exercise.part("prior comes near the truth", points=1)
def truth(answer: Answer, generator: Generator) -> None:
    (logits, labels, target), truth = _case(generator, log_uniform(2.5, 5, generator))
    _, prior = _prior(answer, logits, labels, target)
    if (prior - truth).abs().sum() > 0.15:
        raise Mistake("the prior is further from the true one than a thousand examples allow")


@exercise.part("large logits do no harm", points=1)
def large_logits(answer: Answer, generator: Generator) -> None:
    (logits, labels, target), _ = _case(generator, 3000.0)
    first = "logits of several thousand must first be divided by the temperature"
    try:
        temperature, prior = _prior(answer, logits, labels, target)
    except Mistake as mistake:
        raise Mistake(f"{first}: {mistake}") from mistake
    if abs(temperature / _temperature(logits, labels) - 1) > 0.05:
        raise Mistake(f"{first}, which is large itself: search far enough")
    source = torch.bincount(labels, minlength=4).double() / len(labels)
    if _gap(prior, (target / temperature).softmax(1), source) > GAP:
        raise Mistake(f"{first}: the prior is not that of the greatest likelihood")
