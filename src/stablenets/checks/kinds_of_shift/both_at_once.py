"""What a change of the classes does to the inputs and to the labels of an input."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise
from stablenets.checks.kinds_of_shift._probabilities import factors, positive

exercise = Exercise.of(__name__, minutes=20)


def _bayes(source: Tensor, conditional: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The distribution of the inputs and the conditional after the classes got the weights."""
    joint = source[:, None] * conditional * weights
    return joint.sum(1), joint / joint.sum(1, keepdim=True)


def _problem(generator: Generator, *, certain: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    inputs, classes = integer(5, 7, generator), integer(4, 5, generator)
    source = positive(inputs, generator=generator).square()
    conditional = positive(inputs, classes, generator=generator).square()
    conditional = conditional / conditional.sum(1, keepdim=True)
    if certain:
        conditional = torch.eye(classes, dtype=torch.float64).repeat(2, 1)[torch.arange(inputs) % classes]
    source = source / source.sum()
    prior = factors(classes, generator) * (source @ conditional)
    return source, conditional, prior / prior.sum()


def _value(answer: Answer, index: int, what: str, problem: tuple[Tensor, Tensor, Tensor]) -> Value:
    source, conditional, _ = problem
    return Value(answer, index, what, (source.shape, conditional.shape, ()))


def _weights(source: Tensor, conditional: Tensor, prior: Tensor) -> dict[str, Tensor]:
    """What is often taken for the weights q(y)/p(y) of the classes."""
    old = source @ conditional
    return {
        "divide by the source's p(y): a class counts q(y)/p(y)": prior,
        "the weights of the classes are upside down": old / prior,
        "p(y) is the mean of p(y | x) over the inputs with their probabilities, not over the rows": (
            prior / conditional.mean(0)
        ),
    }


@exercise.part("inputs follow the classes", points=1)
def inputs(answer: Answer, generator: Generator) -> None:
    for certain in (False, True):
        problem = source, conditional, prior = _problem(generator, certain=certain)
        wrong = {text: _bayes(source, conditional, w)[0] for text, w in _weights(*problem).items()}
        _value(answer, 0, "distribution q(x)", problem).expect(
            *problem,
            value=_bayes(source, conditional, prior / (source @ conditional))[0],
            mistakes={
                "the inputs do not stay as they were: q(x) = Σ p(x | y) q(y)": source,
                "it is p(x | y) that q(y) is to be multiplied by, not p(y | x)": conditional @ prior,
                "p(x | y) is p(x, y)/p(y): the columns of p(y | x) know nothing of p(x)": (
                    conditional / conditional.sum(0) @ prior
                ),
            }
            | {text: total / total.sum() for text, total in wrong.items()}
            | {f"q(x) must sum to one: {text}": total for text, total in wrong.items()},
        )


@exercise.part("labels of an input follow as well", points=1)
def conditional(answer: Answer, generator: Generator) -> None:
    for certain in (True, False):
        problem = source, conditional, prior = _problem(generator, certain=certain)
        weights = prior / (source @ conditional)
        joint = source[:, None] * conditional * weights
        _value(answer, 1, "conditional q(y | x)", problem).expect(
            *problem,
            value=_bayes(source, conditional, weights)[1],
            mistakes={
                "p(y | x) stays under a covariate shift: here p(x | y) stays": conditional,
                "each row must sum to one: divide by q(x)": conditional * weights,
                "that is the joint distribution: divide by q(x)": joint,
                "each row must sum to one: that is q(x | y)": joint / joint.sum(0),
            }
            | {text: _bayes(source, conditional, w)[1] for text, w in _weights(*problem).items()},
        )


@exercise.part("movement is zero for certain labels alone", points=1)
def movement(answer: Answer, generator: Generator) -> None:
    for certain in (False, True):
        problem = source, conditional, prior = _problem(generator, certain=certain)
        inputs, new = _bayes(source, conditional, prior / (source @ conditional))
        distance = (new - conditional).abs().sum(1) / 2
        named = {
            "half of the sum: a distance between distributions is at most one": 2 * inputs @ distance,
            "weigh the inputs as the target does": source @ distance,
            "weigh the inputs: they are not equally probable": distance.mean(),
            "the mean over the inputs, not the largest": distance.max(),
            "compare the conditionals of each input, not the joint distributions": (
                (inputs[:, None] * new - source[:, None] * conditional).abs().sum() / 2
            ),
            "the labels of uncertain inputs do move": 0.0,
        }
        _value(answer, 2, "movement", problem).expect(
            *problem, value=inputs @ distance, absolute=1e-9, mistakes={} if certain else named
        )
