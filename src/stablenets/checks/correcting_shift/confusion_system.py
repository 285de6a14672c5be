"""The class frequencies of a target, from a confusion matrix and predictions without labels."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=30)


def _frequencies(k: int, generator: Generator) -> Tensor:
    raw = 0.1 + torch.rand(k, dtype=torch.float64, generator=generator) ** 2
    return raw / raw.sum()


def _expand(counts: Tensor, generator: Generator) -> Tensor:
    """A shuffled sample with the given number of each class."""
    sample = torch.repeat_interleave(torch.arange(len(counts)), counts)
    return sample[torch.randperm(len(sample), generator=generator)]


def _source(k: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Predictions and labels of a validation set, their joint frequencies, and the labels' own."""
    noise = torch.rand(k, k, dtype=torch.float64, generator=generator)
    conditional = 0.55 * torch.eye(k).double() + 0.45 * noise / noise.sum(0)
    joint = (6000 * conditional * _frequencies(k, generator)).round().long() + 1
    pairs = _expand(joint.flatten(), generator)
    joint = joint.double() / joint.sum()
    return pairs // k, pairs % k, joint, joint.sum(0)


def _target(mean_prediction: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Predictions with about these frequencies, and the frequencies that they have."""
    counts = (20000 * mean_prediction).round().long()
    return _expand(counts, generator), counts.double() / counts.sum()


def _case(generator: Generator) -> tuple[tuple, Tensor, Tensor, Tensor]:
    k = integer(3, 5, generator)
    predictions, labels, joint, source = _source(k, generator)
    shifted = _frequencies(k, generator).flip(0)
    found, mean = _target(joint / source @ shifted, generator)
    return (predictions, labels, found, k), joint, source, mean


def _value(answer: Answer, index: int, what: str, k: int) -> Value:
    return Value(answer, index, what, ((k, k), (k,), (k,)))


@exercise.part("columns of the confusion matrix are conditional", points=1)
def confusion(answer: Answer, generator: Generator) -> None:
    arguments, joint, source, _ = _case(generator)
    _value(answer, 0, "confusion matrix", arguments[-1]).expect(
        *arguments,
        value=joint / source,
        mistakes={
            "those are shares of all examples: divide each column by the frequency of its class": joint,
            "those are shares of all examples, and transposed": joint.T,
            "column j belongs to the true class j: yours is transposed": (joint / source).T,
            "that is the probability of the class given the prediction": joint / joint.sum(1, keepdim=True),
            "that is the probability of the class given the prediction, transposed":
                (joint / joint.sum(1, keepdim=True)).T,
            "those are counts": joint * len(arguments[1]),
            "column j is divided by the number of predictions j: divide it by the number of labels j":
                joint / joint.sum(1),
        },
    )  # fmt: skip


@exercise.part("prior solves the system", points=2)
def prior(answer: Answer, generator: Generator) -> None:
    arguments, joint, source, mean = _case(generator)
    prior = torch.linalg.solve(joint / source, mean)
    literal = torch.linalg.solve(joint, mean)
    _value(answer, 1, "prior", arguments[-1]).expect(
        *arguments,
        value=prior,
        mistakes={
            "with the joint matrix the solution is the weights, and they do not sum to one": literal,
            "with the joint matrix the solution is the weights: rescaling does not make them a prior":
                literal / literal.sum(),
            "those are the frequencies of the predictions: the classifier errs": mean,
            "that is the prior of the source": source,
            "the system is transposed": _rescaled(torch.linalg.solve((joint / source).T, mean)),
            "the matrix is applied, not solved for": joint / source @ mean,
            "that assumes P(class | prediction) unchanged, but it is P(prediction | class) that stays":
                (joint / joint.sum(1, keepdim=True)).T @ mean,
        },
    )  # fmt: skip
    _weak_classifier_is_not_refused(answer, generator)


def _weak_classifier_is_not_refused(answer: Answer, generator: Generator) -> None:
    """The determinant is below a thousandth, the condition number below ten."""
    k, share = 5, uniform(0.12, 0.16, generator)
    counts = (200 * (share * torch.eye(k) + (1 - share) / k)).round().long()
    pairs, matrix = _expand(counts.flatten(), generator), counts.double() / counts.sum(0)
    found, mean = _target(matrix @ _frequencies(k, generator), generator)
    _value(answer, 1, "prior", k).expect(
        pairs // k, pairs % k, found, k,
        value=_rescaled(torch.linalg.solve(matrix, mean)),
        mistakes={"the condition number is below ten, though the determinant is small": torch.full((k,), 1 / k)},
    )  # fmt: skip


def _rescaled(prior: Tensor) -> Tensor:
    return prior.clamp(min=0) / prior.clamp(min=0).sum()


@exercise.part("weights are target over source", points=1)
def weights(answer: Answer, generator: Generator) -> None:
    arguments, joint, source, mean = _case(generator)
    prior = torch.linalg.solve(joint / source, mean)
    _value(answer, 2, "weights", arguments[-1]).expect(
        *arguments,
        value=prior / source,
        mistakes={
            "that is source over target": source / prior,
            "the division by the source's prior is done twice": prior / source.square(),
            "that is the prior: divide it by that of the source": prior,
            "divide by the source's prior, which is not uniform": prior * len(prior),
            "divide by the frequencies of the labels, not by those of the predictions": prior / joint.sum(1),
            "divide by the frequencies of the source's labels, not by those of the target's predictions": prior / mean,
        },
    )  # fmt: skip


@exercise.part("negative frequencies are mended", points=1)
def negative_frequencies(answer: Answer, generator: Generator) -> None:
    k = integer(3, 5, generator)
    predictions, labels, joint, source = _source(k, generator)
    shifted = _frequencies(k, generator)
    # As far below zero as the means of predictions, which cannot be negative, allow.
    shifted[0] = 0
    matrix = joint / source
    shifted /= shifted.sum()
    shifted[0] = -uniform(0.5, 0.9, generator) * (matrix[0, 1:] @ shifted[1:] / matrix[0, 0]).clamp(max=0.1)
    found, mean = _target(matrix @ shifted / shifted.sum(), generator)
    raw = torch.linalg.solve(matrix, mean)
    _value(answer, 1, "prior", k).expect(
        predictions, labels, found, k,
        value=_rescaled(raw),
        mistakes={
            "a frequency is negative": raw,
            "after negative frequencies are set to zero the sum must be one again": raw.clamp(min=0),
            "a negative frequency is not mended by changing its sign": raw.abs() / raw.abs().sum(),
            "subtracting the most negative one from all changes those that are right":
                (raw - raw.min()) / (raw - raw.min()).sum(),
            "that is a softmax: frequencies that are right must stay right": raw.softmax(0),
            "take zero for a negative frequency, not the mean of the predictions": mean,
        },
    )  # fmt: skip
    _value(answer, 2, "weights", k).expect(
        predictions, labels, found, k,
        value=_rescaled(raw) / source,
        mistakes={"the weights belong to the prior that was mended": raw / source},
    )  # fmt: skip


@exercise.part("blind classifier is refused", points=1)
def blind_classifier(answer: Answer, generator: Generator) -> None:
    for moved in (0, 1):
        k = integer(3, 5, generator)
        column = 16 * torch.randint(20, 90, (k,), generator=generator)
        counts = 16 * (torch.randint(20, 90, (k, k), generator=generator) + 300 * torch.eye(k, dtype=torch.int64))
        # The classifier cannot tell the first class from the second, which is two or three times as frequent;
        # the second time one example is moved, so that the system has a solution, which is noise.
        counts[:, 0], counts[:, 1] = column, integer(2, 3, generator) * column
        counts[:2, 1] += torch.tensor([moved, -moved])
        pairs, source = _expand(counts.flatten(), generator), counts.sum(0).double() / counts.sum()
        found, mean = _target(_frequencies(k, generator), generator)
        guess = torch.linalg.pinv(counts.double() / counts.sum(0)) @ mean
        _expect_refusal(answer, (pairs // k, pairs % k, found, k), source, _rescaled(guess))


def _expect_refusal(answer: Answer, arguments: tuple, source: Tensor, guess: Tensor) -> None:
    k = len(source)
    uniform_prior = torch.full((k,), 1 / k).double()
    prior = _value(answer, 1, "prior", k)
    got = prior.tensor(*arguments, shape=(k,))
    if not any(torch.allclose(got, known, atol=1e-6) for known in (source, guess, uniform_prior)):
        raise Mistake(
            "two classes look the same to this classifier: keep the prior of the source, not what a solver says"
        )
    prior.expect(
        *arguments,
        value=source,
        mistakes={
            "a pseudo-inverse invents an answer: two classes look the same to this classifier": guess,
            "without information keep the prior of the source, which is not uniform": uniform_prior,
        },
    )  # fmt: skip
    _value(answer, 2, "weights", k).expect(*arguments, value=torch.ones(k))
