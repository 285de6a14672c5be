"""Where gradient descent on linear and softmax regression ends, from any start."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer
from stablenets.checks.draws import normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=30)


def _inputs(examples: int, inputs: int, generator: Generator) -> Tensor:
    """Inputs whose nonzero singular values are close together, so that descent is soon at its end."""
    u, s, vt = torch.linalg.svd(normal(examples, inputs, generator=generator), full_matrices=False)
    return examples**0.5 * u @ torch.diag(torch.ones_like(s) + s / s.max() / 2) @ vt


def _expect_end(answer: Answer, model: str, more_inputs: bool, constant: bool, generator: Generator) -> None:
    examples, inputs, classes = (5, 9, 3) if more_inputs else (12, 4, 3)
    x, shape = _inputs(examples, inputs, generator), (inputs,) if model == "linear" else (classes, inputs)
    # Small, so that no class is so improbable that descent would take long.
    minimizer = normal(*shape, generator=generator) / 4
    start = normal(*shape, generator=generator)
    if constant:
        start = torch.full_like(start, uniform(0.5, 2.0, generator))
    predict = {"linear": lambda z: z, "softmax": lambda z: torch.softmax(z, 1)}[model]
    w, target = start, predict(x @ minimizer.t())
    for _ in range(800 if model == "softmax" else 100):
        w = w - 0.8 * (predict(x @ w.t()) - target).t() @ x / examples
    seen = torch.linalg.pinv(x) @ x
    minimal, centered = minimizer @ seen, minimizer - minimizer.mean(0)
    classes_mistakes = {
        "the gradients of all classes add up to zero: so the mean over the classes cannot change": (
            start + (minimizer - start) @ seen
        ),
        "with fewer examples than inputs, the gradient does not see every direction of the inputs": (
            centered + start.mean(0)
        ),
        "from zero it ends there, but here it starts elsewhere": centered,
    }
    mistakes = {
        "that is where it started: equal weights do move, each with its own input": start,
        **(classes_mistakes if model == "softmax" else {}),
        "that is right only if nothing of the start is invisible to the gradient": minimizer,
        "the pseudoinverse gives the minimizer of least norm, which descent finds from zero": minimal,
        "what the gradient can see of the start is forgotten: do not add all of it": start + minimal,
    }
    answer.expect(model, x, minimizer, start, value=w, relative=1e-5, mistakes=mistakes)


@exercise.part("linear regression", points=2)
def linear(answer: Answer, generator: Generator) -> None:
    for more_inputs in (False, True):
        for constant in (True, False):
            _expect_end(answer, "linear", more_inputs, constant, generator)


@exercise.part("softmax regression", points=2)
def softmax(answer: Answer, generator: Generator) -> None:
    for constant in (True, False):
        _expect_end(answer, "softmax", False, constant, generator)


@exercise.part("softmax regression with few examples", points=1)
def few_examples(answer: Answer, generator: Generator) -> None:
    for constant in (True, False):
        _expect_end(answer, "softmax", True, constant, generator)
