"""Chains of matrices W_1, W_2, …, W_L: reading them, and the scaled arithmetic that keeps their products in range."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

from stablenets._arguments import finite


def read_chain(matrices: Iterable[Tensor], columns: int | None = None) -> Iterator[Tensor]:
    """Yield W_1, W_2, … in float64 on the CPU, each checked to be a finite real matrix that fits what it acts on."""
    index = None
    for index, matrix in enumerate(matrices):
        name = f"matrices[{index}]"
        matrix = finite(name, matrix).detach()
        if matrix.is_complex():
            raise TypeError(f"{name} must be real, got {matrix.dtype}")
        if matrix.ndim != 2 or 0 in matrix.shape:
            raise ValueError(f"{name} must have shape (n_out, n_in), got {tuple(matrix.shape)}")
        if columns is not None and matrix.shape[1] != columns:
            raise ValueError(
                f"{name} must have {columns} columns to act on what comes before, got {tuple(matrix.shape)}"
            )
        columns = matrix.shape[0]
        yield matrix.to("cpu", torch.float64)
    if index is None:
        raise ValueError("matrices must hold at least one matrix, got none")


def to_unit(tensor: Tensor, dim: int | tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Split ``tensor`` into its direction and ln‖·‖₂ along ``dim``; a zero vector stays zero, with ln 0 = −∞.

    Dividing by the largest entry first keeps the squares of entries such as 1e±200 in range.
    """
    largest = tensor.abs().amax(dim, keepdim=True)
    scaled = tensor / torch.where(largest > 0, largest, 1.0)
    norm = torch.linalg.vector_norm(scaled, dim=dim, keepdim=True)
    return scaled / torch.where(norm > 0, norm, 1.0), (largest.log() + norm.log()).squeeze(dim)


def triangular_chain(chain: list[Tensor]) -> list[Tensor]:
    """Return R_1, …, R_L with W_L…W_1 = Q·R_L…R_1: one QR sweep, which never forms the product.

    Every step is orthogonal, so its rounding is a change of W_k by about ε‖W_k‖, whatever the product's condition.
    """
    basis = torch.eye(chain[0].shape[1], dtype=torch.float64)
    triangles = []
    for matrix in chain:
        basis, triangle = torch.linalg.qr(matrix @ basis)
        triangles.append(triangle)
    return triangles


def transposed(chain: list[Tensor]) -> list[Tensor]:
    """Return the chain of the transposed product, W_1ᵀ…W_Lᵀ."""
    return [matrix.T for matrix in reversed(chain)]


def without_dead_outputs(chain: list[Tensor]) -> list[Tensor]:
    """Drop the rows that are exactly zero, and the columns of the next matrix that they feed."""
    alive, living = slice(None), []
    for matrix in chain:
        matrix = matrix[:, alive]
        alive = matrix.any(dim=1)
        living.append(matrix[alive])
    return living


def graded_product(chain: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return unit rows u_i and logs a_i such that row i of W_L…W_1 is e^{a_i}·u_i."""
    rows, logs = to_unit(chain[0], dim=1)
    for matrix in chain[1:]:
        reached = torch.where(matrix != 0, logs, -torch.inf)
        shift = reached.amax(dim=1, keepdim=True)
        shift = torch.where(shift.isfinite(), shift, 0.0)  # a zero row
        rows, grown = to_unit((matrix * (reached - shift).exp()) @ rows, dim=1)
        logs = grown + shift.squeeze(1)
    return rows, logs


def orthogonalized_logs(rows: Tensor, logs: Tensor, max_sweeps: int = 60) -> Tensor:
    """Return ln σ of the matrix with rows e^{a_i}·u_i, descending, by one-sided Jacobi rotations in log scale.

    Each rotation makes two rows orthogonal. With a ≥ b, ratio r = e^{b−a} and cosine γ = u·v it reads
    u + r²s·v and v − s·u, s = 2γ / (1 − r² + √((1 − r²)² + 4r²γ²)), so only ratios ≤ 1 are ever exponentiated.
    """
    count = len(rows)
    odd = count % 2  # pairs need an even number: a zero row takes part and stays last
    rows, logs = pad(rows, (0, 0, 0, odd)), pad(logs, (0, odd), value=-torch.inf)
    tolerance = max(rows.shape) * torch.finfo(torch.float64).eps
    for _ in range(max_sweeps):
        worst = max(_rotate_(rows, logs, *pairs) for pairs in _disjoint_pairs(len(rows)))
        if worst <= tolerance:
            return logs.sort(descending=True).values[:count]
    raise RuntimeError(f"the Jacobi rotations left a cosine of {worst:.1e} after {max_sweeps} sweeps")


def _rotate_(rows: Tensor, logs: Tensor, first: Tensor, second: Tensor) -> float:
    """Make each pair of rows orthogonal in place and return the largest |cosine| that was found."""
    ordered = logs[first] >= logs[second]
    long, short = torch.where(ordered, first, second), torch.where(ordered, second, first)
    u, v = rows[long], rows[short]
    cosine = (u * v).sum(dim=1)
    difference = (logs[short] - logs[long]).nan_to_num(nan=-torch.inf, neginf=-torch.inf)  # two zero rows: −∞ − (−∞)
    ratio, gap = difference.exp(), -torch.expm1(2 * difference)
    slope = (2 * cosine / (gap + torch.hypot(gap, 2 * ratio * cosine))).nan_to_num()  # 0/0: equal and orthogonal
    contraction = 0.5 * torch.log1p((ratio * slope) ** 2)
    for index, turned in ((long, u + (ratio**2 * slope)[:, None] * v), (short, v - slope[:, None] * u)):
        rows[index], grown = to_unit(turned, dim=1)
        logs[index] += grown - contraction
    return cosine.abs().max().item()


def _disjoint_pairs(count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the rounds of a round-robin tournament: every pair of rows meets once, count/2 pairs at a time."""
    order = torch.arange(count)
    for _ in range(count - 1):
        yield order[: count // 2], order[count // 2 :].flip(0)
        order = torch.cat([order[:1], order[1:].roll(1)])
