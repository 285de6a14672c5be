"""Lyapunov exponents: how fast, per factor, a long product of matrices stretches vectors and volumes.

The product itself leaves the range of floats after some hundred factors; logarithms and directions do not.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from stablenets._arguments import finite, positive, positive_integer
from stablenets.products.chains import read_chain, to_unit


def gaussian_lyapunov_exponents(dimension: int, sigma: float = 1.0, count: int | None = None) -> Tensor:
    """Return the Lyapunov exponents of products of square matrices with independent N(0, σ²) entries.

    λ_i = ln σ + ½(ln 2 + ψ((d − i + 1)/2)),  i = 1, 2, …, with ψ the digamma function.

    A Gaussian matrix treats all directions alike, so ‖Wv‖²/σ² is χ²_d for every unit vector v, independently at each
    step, and λ_1 is the mean of ln‖Wv‖. Behind i − 1 directions already taken, d − i + 1 degrees of freedom are left.

    Args:
        dimension: d, the number of rows and of columns.
        sigma: standard deviation σ of each entry.
        count: how many exponents, largest first; all d by default.

    Returns:
        Float64 tensor ``(count,)`` in nats per factor, descending.

    Raises:
        ValueError: ``dimension`` or ``count`` is not a positive integer, ``count`` > ``dimension``, or ``sigma`` ≤ 0.

    >>> gaussian_lyapunov_exponents(4)
    tensor([ 0.5580,  0.3648,  0.0580, -0.6352], dtype=torch.float64)

    A float32 product of 4×4 matrices therefore overflows after about ln(3.4e38) / λ_1 factors:

    >>> round(88.72 / gaussian_lyapunov_exponents(4, count=1).item())
    159

    Source: Cohen & Newman (1984) for λ_1 and Newman (1986) for the spectrum, both for σ = 1.
    """
    count = _count(dimension, count)
    degrees = dimension - torch.arange(count, dtype=torch.float64)
    return math.log(positive("sigma", sigma)) + 0.5 * (math.log(2) + torch.special.digamma(degrees / 2))


def log_norm_trajectory(matrices: Iterable[Tensor], vector: Tensor) -> Tensor:
    """Return ln‖W_t…W_1 v‖ for t = 0, 1, …, without ever leaving the range of floats.

    Args:
        matrices: W_1, W_2, … in the order in which they act, W_t of shape ``(n_t, n_{t-1})``: an iterable (read once,
            one matrix at a time) or a tensor ``(steps, d, d)``.
        vector: v of shape ``(n_0,)``.

    Returns:
        Float64 tensor ``(steps + 1,)`` in nats; −∞ from where the vector is exactly zero.

    Raises:
        TypeError: ``vector`` or a matrix is not a real tensor.
        ValueError: no matrix, shapes that do not chain, NaN or infinity.

    >>> log_norm_trajectory([1e30 * torch.eye(2)] * 3, torch.tensor([3.0, 4.0])) / math.log(10)
    tensor([ 0.6990, 30.6990, 60.6990, 90.6990], dtype=torch.float64)
    """
    vector = finite("vector", vector).detach()
    if vector.ndim != 1 or not len(vector):
        raise ValueError(f"vector must have shape (n_0,), got {tuple(vector.shape)}")
    direction, log_norm = to_unit(vector.to("cpu", torch.float64), 0)
    trajectory = [log_norm]
    for matrix in read_chain(matrices, columns=len(vector)):
        matrix, log_scale = to_unit(matrix, (0, 1))
        direction, stretch = to_unit(matrix @ direction, 0)
        trajectory.append(trajectory[-1] + stretch + log_scale)
    return torch.stack(trajectory)


def gaussian_log_norms(
    dimension: int, steps: int, *, sigma: float = 1.0, chains: int = 1, generator: torch.Generator
) -> Tensor:
    """Simulate ln‖W_t…W_1 v‖, ‖v‖ = 1, for many independent products of square matrices with N(0, σ²) entries.

    Args:
        dimension: d, the number of rows and of columns.
        steps: number of factors.
        sigma: standard deviation σ of each entry.
        chains: number of independent products; a step holds chains·d² numbers in memory.
        generator: source of randomness.

    Returns:
        Float64 tensor ``(chains, steps + 1)`` in nats; the first column is 0.

    Raises:
        TypeError: ``generator`` is not a torch.Generator.
        ValueError: a size is not a positive integer, or ``sigma`` is not positive and finite.

    >>> logs = gaussian_log_norms(4, 100, chains=1000, generator=torch.Generator().manual_seed(0))
    >>> print(f"{logs[:, -1].mean() / 100:.2f}")  # theory: 0.558
    0.56
    """
    for name, value in (("dimension", dimension), ("steps", steps), ("chains", chains)):
        positive_integer(name, value)
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, got {generator!r}")
    log_sigma = math.log(positive("sigma", sigma))
    logs = torch.zeros(chains, steps + 1, dtype=torch.float64)
    direction = torch.full((chains, dimension, 1), dimension**-0.5, dtype=torch.float64)
    for step in range(steps):
        factors = torch.randn(chains, dimension, dimension, dtype=torch.float64, generator=generator)
        direction, stretch = to_unit(factors @ direction, (1, 2))
        logs[:, step + 1] = logs[:, step] + stretch + log_sigma
    return logs


def lyapunov_exponents(matrices: Iterable[Tensor], count: int | None = None) -> Tensor:
    """Return the average log stretch per factor of given square matrices, direction by direction (the QR method).

    W_t Q_{t−1} = Q_t R_t,  λ_i = (1/L) Σ_t ln|(R_t)_ii|.

    For finitely many factors this is an estimate: the start Q_0 is forgotten like 1/L, so neighbours that lie close
    may come out in the wrong order. The exact ln σ_i of the product come from :func:`product_log_singular_values`.

    Args:
        matrices: W_1, …, W_L, each ``(d, d)``: an iterable (read once, one matrix at a time) or a tensor ``(L, d, d)``.
        count: how many of the largest exponents; all d by default.

    Returns:
        Float64 tensor ``(count,)`` in nats per factor, largest first up to the noise of the estimate; a singular factor
        gives −∞, or a term near ln ε ≈ −36 in the sum where rounding leaves ε for 0.

    Raises:
        TypeError: a matrix is not a real tensor.
        ValueError: no matrix, matrices that are not square, NaN or infinity, or a ``count`` outside 1…d.

    >>> largest, smallest = lyapunov_exponents([torch.tensor([[2.0, 1.0], [1.0, 1.0]])] * 1000)
    >>> print(f"{largest:.2f} {smallest:.2f}")  # ln of the eigenvalues (3 ± √5)/2 = ±0.9624
    0.96 -0.96

    Source: Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15 (1980). Our start is a cosine basis, not the axes: a
    diagonal product never mixes its axes, and the first would pass for the one that grows fastest.
    """
    sums, steps = torch.zeros(()), 0
    for matrix in read_chain(matrices):
        if matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"matrices[{steps}] must be square, got shape {tuple(matrix.shape)}")
        if steps == 0:
            basis = _cosine_basis(len(matrix))[:, : _count(len(matrix), count)]
        matrix, log_scale = to_unit(matrix, (0, 1))
        basis, triangle = torch.linalg.qr(matrix @ basis)
        sums, steps = sums + triangle.diagonal().abs().log() + log_scale, steps + 1
    return sums / steps


def _cosine_basis(dimension: int) -> Tensor:
    """Return orthonormal cosines (d, d): any k rows of the first k columns are independent, so no axis is favoured."""
    index = torch.arange(dimension, dtype=torch.float64)
    cosines = torch.cos(math.pi / dimension * torch.outer(index + 0.5, index))
    return cosines / torch.linalg.vector_norm(cosines, dim=0)


def _count(dimension: int, count: int | None) -> int:
    positive_integer("dimension", dimension)
    count = dimension if count is None else positive_integer("count", count)
    if count > dimension:
        raise ValueError(f"count must be at most the dimension {dimension}, got {count}")
    return count
