"""Products of Jacobians: their order and what bounds them."""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, nearly
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

JACOBIANS = Exercise("ordered-jacobians", chapter="gradient-stability", minutes=15)
BOUNDS = Exercise("singular-value-bounds", chapter="gradient-stability", minutes=20)
NILPOTENT = Exercise("nilpotent-factors", chapter="gradient-stability", minutes=10)


def _factors(weights: list[Tensor], x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The Jacobians of tanh layers, in order of application, and the outputs of the layers."""
    outputs = [x]
    for weight in weights:
        outputs.append(torch.tanh(weight @ outputs[-1]))
    return [(1 - h**2)[:, None] * weight for weight, h in zip(weights, outputs[1:])], outputs[1:]


def _chain(factors: list[Tensor]) -> Tensor:
    product = factors[0]
    for factor in factors[1:]:
        product = factor @ product
    return product


def _tanh_net(widths: list[int], generator: Generator) -> tuple[list[Tensor], Tensor, Tensor]:
    """Weights, an input, and the Jacobian by automatic differentiation."""
    weights = [normal(m, n, generator=generator) * 1.5 / math.sqrt(n) for n, m in pairwise(widths)]
    x = normal(widths[0], generator=generator)
    return weights, x, torch.func.jacrev(lambda point: _factors(weights, point)[1][-1])(x)


@JACOBIANS.part(points=2)
def agrees_with_automatic_differentiation(answer: Answer, generator: Generator) -> None:
    weights, x, jacobian = _tanh_net([4] * integer(4, 6, generator), generator)
    factors, outputs = _factors(weights, x)
    slopes = [1 - h**2 for h in outputs]
    answer.expect(
        weights, x, value=jacobian, relative=1e-9,
        mistakes={
            "the factors are in reverse order: the layer applied last stands on the left": _chain(factors[::-1]),
            "this is the entrywise product; Jacobians multiply as matrices": torch.stack(factors).prod(0),
            "the factors are partial derivatives alone, not derivatives times activations":
                _chain([h[:, None] * factor for h, factor in zip(outputs, factors)]),
            "the slopes of tanh are missing": _chain(weights),
            "the slopes belong to the rows of the weights, the outputs of the layer":
                _chain([weight * slope for weight, slope in zip(weights, slopes)]),
            "the slope is taken at the output of tanh instead of its input":
                _chain([(1 - h.tanh() ** 2)[:, None] * weight for h, weight in zip(outputs, weights)]),
            "each slope belongs to its own layer, not to the one before":
                _chain([(1 - h**2)[:, None] * weight for h, weight in zip([x.tanh(), *outputs], weights)]),
            "this is the transposed Jacobian: outputs are rows, inputs are columns": jacobian.T,
        },
    )  # fmt: skip


@JACOBIANS.part(points=1)
def works_for_layers_of_different_widths(answer: Answer, generator: Generator) -> None:
    weights, x, jacobian = _tanh_net(torch.randperm(5, generator=generator).add(2).tolist(), generator)
    answer.expect(weights, x, value=jacobian, relative=1e-9)


def _turned(matrix: Tensor, generator: Generator) -> Tensor:
    """The matrix between two random rotations."""
    left, right = (torch.linalg.qr(normal(n, n, generator=generator)).Q for n in matrix.shape)
    return left @ matrix @ right


def _square_factors(generator: Generator) -> list[Tensor]:
    """Three to five square matrices with singular values from 0.2 to 5."""
    d, count = integer(3, 5, generator), integer(3, 5, generator)
    scales = [torch.exp(1.6 * (2 * torch.rand(d, dtype=torch.float64, generator=generator) - 1)) for _ in range(count)]
    return [_turned(scale.diag(), generator) for scale in scales]


def _mistakes(matrices: list[Tensor], name: str) -> dict[str, float]:
    """The answers that one could mistake for the bound; ``name`` is amin or amax."""
    product = _chain(matrices)
    pick = getattr(torch, name)
    eigenvalues = [pick(torch.linalg.eigvals(matrix).abs()).item() for matrix in matrices]
    singular = [torch.linalg.svdvals(matrix) for matrix in matrices]
    return {
        "the eigenvalues of the factors bound nothing; their singular values do": math.prod(eigenvalues),
        "this is an eigenvalue of this one product: another rotation of the factors moves it":
            pick(torch.linalg.eigvals(product).abs()).item(),
        "this is a singular value of this one product: another rotation of the factors moves it":
            pick(torch.linalg.svdvals(product)).item(),
        "this is a mean over the singular values, not the extreme one":
            math.prod(values.log().mean().exp().item() for values in singular),
        "the bounds of the factors multiply, they do not add": sum(pick(values).item() for values in singular),
        "lower and upper bound are exchanged":
            math.prod((values.amin() if name == "amax" else values.amax()).item() for values in singular),
    }  # fmt: skip


def _expect_bound(answer: Answer, matrices: list[Tensor], index: int, value: float, mistakes: dict[str, float]) -> None:
    got = answer.tensor(matrices, shape=(2,))[index].item()
    if abs(got - value) > 1e-8 * value + 1e-9:
        which = f"the {('lower', 'upper')[index]} bound"
        if abs(got - value) <= 1e-5 * value:
            raise Mistake(nearly(which))
        reasons = [reason for reason, wrong in mistakes.items() if abs(got - wrong) <= 1e-8 * wrong]
        loose = got > value if index else got < value
        reasons.append("a better bound exists" if loose else "there are rotations of the factors that break it")
        raise Mistake(f"{which}: {reasons[0]}")


@BOUNDS.part(points=1)
def the_upper_bound_is_the_best(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        matrices = _square_factors(generator)
        best = math.prod(torch.linalg.svdvals(matrix)[0].item() for matrix in matrices)
        frobenius = math.prod(matrix.norm().item() for matrix in matrices)
        loose = {"the Frobenius norm bounds too, but the largest singular value is the better bound": frobenius}
        _expect_bound(answer, matrices, 1, best, _mistakes(matrices, "amax") | loose)


@BOUNDS.part(points=1)
def the_lower_bound_is_the_best(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        matrices = _square_factors(generator)
        best = math.prod(torch.linalg.svdvals(matrix)[-1].item() for matrix in matrices)
        _expect_bound(answer, matrices, 0, best, _mistakes(matrices, "amin"))


@BOUNDS.part(points=1)
def rectangular_factors_can_cancel(answer: Answer, generator: Generator) -> None:
    for widths in ([3, 5, 3], [4, 2, 4], [3, 3, 4, 6, 3], [4, 2, 4, 4]):
        matrices = [normal(m, n, generator=generator) for n, m in pairwise(widths)]
        values = [torch.linalg.svdvals(matrix) for matrix in matrices]
        reason = "a wide factor maps some vectors to zero, and a rotation turns the output of the others there"
        _expect_bound(answer, matrices, 0, 0.0, {reason: math.prod(value[-1].item() for value in values)})
        _expect_bound(answer, matrices, 1, math.prod(value[0].item() for value in values), {})


@NILPOTENT.part(points=2)
def eigenvalues_of_the_factors_say_nothing(answer: Answer, generator: Generator) -> None:
    for growth in (1.0, uniform(2, 100, generator), uniform(1e3, 1e5, generator)):
        first, second = answer.tensors(growth, shapes=[(2, 2), (2, 2)])
        for matrix in (first, second):
            if (matrix @ matrix).norm() > 1e-9 * matrix.norm() ** 2:
                raise Mistake("a factor has an eigenvalue other than zero: its square is not zero")
        radius = torch.linalg.eigvals(first @ second).abs().max().item()
        if radius < 1e-6 * growth:
            raise Mistake("the product has no eigenvalue but zero either: the two send the same direction to zero")
        if not math.isclose(radius, growth, rel_tol=1e-6):
            raise Mistake(f"{answer.call(growth)}: the largest eigenvalue of the product, not its norm, must be growth")
