"""Other weights that compute the same function: channels, heads, factors."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, normal
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=30)


def _expect_move(
    answer: Answer,
    arguments: tuple,
    apply: Callable[..., Tensor],
    moved: Tensor,
    mistakes: dict[str, tuple[Tensor, ...]],
) -> None:
    """Require the function of the old weights from the new ones, the first of which must be ``moved``."""
    weights, call = arguments[1], answer.call(*arguments)
    got = answer.tensors(*arguments, shapes=[w.shape for w in weights])
    old, new = apply(*weights), apply(*got)
    same = torch.allclose(new, old, rtol=1e-8, atol=1e-8 * old.abs().max().item())
    if same and torch.allclose(got[0], moved, rtol=1e-8, atol=1e-10):
        return
    for message, wrong in mistakes.items():
        if all(torch.allclose(a, b, rtol=1e-8, atol=1e-10) for a, b in zip(got, wrong)):
            raise Mistake(f"{call}: {message}")
    if not same:
        raise Mistake(f"{call}: the network with the new weights computes another function")
    if torch.allclose(got[0], weights[0]):
        raise Mistake(f"{call}: the function is unchanged, but so are the weights")
    raise Mistake(f"{call}: the function is unchanged, but the first weights are not moved as asked")


def _shuffle(count: int, generator: Generator) -> Tensor:
    """A permutation that is not its own inverse."""
    order = torch.randperm(count, generator=generator)
    while torch.equal(order[order], torch.arange(count)):
        order = torch.randperm(count, generator=generator)
    return order


@exercise.part("channels of a convolution", points=1)
def channels(answer: Answer, generator: Generator) -> None:
    channels = integer(3, 6, generator)
    # As many outputs as channels, so that a permutation of the wrong axis is found by what it does.
    shapes = (channels, 2, 3, 3), (channels,), (channels, channels, 3, 3)
    a, bias, b = (normal(*shape, generator=generator) for shape in shapes)
    x, p = normal(2, 2, 7, 7, generator=generator), _shuffle(channels, generator)
    back = torch.argsort(p)
    mistakes = {
        "the biases move with their channels": (a[p], bias, b[:, p]),
        "the next kernels take channels in along their second axis": (a[p], bias[p], b[p]),
        "nothing undoes the exchange: the next layer expects the old order": (a[p], bias[p], b),
        "the second kernels undo nothing with the inverse: their inputs are listed in the new order": (
            a[p],
            bias[p],
            b[:, back],
        ),
        "new channel i is the old channel permutation[i], not the other way round": (a[back], bias[back], b[:, back]),
        "ReLU is neither even nor odd: signs cannot be moved through it": (-a, -bias, -b),
    }
    _expect_move(
        answer,
        ("conv", [a, bias, b], p.tolist()),
        lambda a, bias, b: conv2d(torch.relu(conv2d(x, a, bias)), b),
        a[p],
        mistakes,
    )


def _attention(x: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, heads: int) -> Tensor:
    def split(matrix: Tensor) -> Tensor:
        return (x @ matrix.T).unflatten(1, (heads, -1)).transpose(0, 1)

    queries, keys, values = map(split, (q, k, v))
    scores = queries @ keys.transpose(1, 2) / queries.shape[-1] ** 0.5
    return (torch.softmax(scores, -1) @ values).transpose(0, 1).flatten(1) @ out.T


@exercise.part("heads of attention", points=2)
def heads(answer: Answer, generator: Generator) -> None:
    heads, size = integer(3, 5, generator), integer(2, 3, generator)
    d = heads * size
    q, k, v, out = (normal(d, d, generator=generator) for _ in range(4))
    x, p = normal(4, d, generator=generator), _shuffle(heads, generator)

    def blocks(order: Tensor, step: int = 1) -> Tensor:
        return (order[:, None] * size + torch.arange(size)).flatten()

    r, back = blocks(p), blocks(torch.argsort(p))
    short = torch.cat([p, torch.arange(heads, d)])
    strided = (torch.arange(size)[:, None] * heads + p).flatten()
    mistakes = {
        "a head is a block of rows, not one row": (q[short], k[short], v[short], out[:, short]),
        "the rows of one head stand next to each other": (q[strided], k[strided], v[strided], out[:, strided]),
        "the output matrix takes the heads in along its columns": (q[r], k[r], v[r], out[r]),
        "the output matrix still expects the heads in the old order": (q[r], k[r], v[r], out),
        "the values belong to their head, too": (q[r], k[r], v, out),
        "new head i is the old head permutation[i], not the other way round": (q[back], k[back], v[back], out[:, back]),
    }
    _expect_move(
        answer,
        ("heads", [q, k, v, out], p.tolist()),
        lambda *weights: _attention(x, *weights, heads=heads),
        q[r],
        mistakes,
    )


@exercise.part("pairs of factors", points=2)
def factors(answer: Answer, generator: Generator) -> None:
    rank = integer(2, 4, generator)
    u, v = normal(rank + 2, rank, generator=generator), normal(rank + 3, rank, generator=generator)
    rotation = torch.linalg.qr(normal(rank, rank, generator=generator))[0]
    a = rotation + 0.4 * normal(rank, rank, generator=generator).triu(1)
    inverse = torch.linalg.inv(a)
    mistakes = {
        "(UA)(VA)ᵀ = U AAᵀ Vᵀ: only an orthogonal A drops out": (u @ a, v @ a),
        "the second factor is transposed in the product, and so must its inverse be": (u @ a, v @ inverse),
        "an inverse is needed, which the transpose is for orthogonal matrices only": (u @ a, v @ a.T),
        "the first factor is to be multiplied by A itself": (u @ inverse, v @ a.T),
        "that divides entry by entry": (u @ a, v @ (1 / a)),
        "the second factor must undo what the first one got": (u @ a, v),
    }
    _expect_move(answer, ("factors", [u, v], a), lambda u, v: u @ v.T, u @ a, mistakes)
