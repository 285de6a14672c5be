"""Singular values, condition and bounds of a product of matrices W_L…W_1, however badly conditioned it is."""

import math
import sys
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from stablenets.products.chains import (
    graded_product,
    orthogonalized_logs,
    read_chain,
    to_unit,
    transposed,
    triangular_chain,
    without_dead_outputs,
)


class ScaledMatrix(NamedTuple):
    """The matrix ``exp(log_scale) * matrix``, with ``matrix`` of Frobenius norm 1 (or zero, with ``log_scale`` −∞)."""

    matrix: Tensor
    log_scale: float


class Bounds(NamedTuple):
    """``lower`` ≤ every value ≤ ``upper``."""

    lower: float
    upper: float


def product_log_singular_values(matrices: Iterable[Tensor]) -> Tensor:
    """Return ln σ_i of the product W_L…W_1, also the smallest, however badly conditioned the product is.

    W_L…W_1 = Q·R_L…R_1·Pᵀ: QR sweeps, by turns through the transposes and back, leave triangular factors whose product
    is graded. Its rows are kept as e^a · unit vector, and Jacobi rotations in log scale make them orthogonal.

    The result belongs to factors changed by about ε‖W_k‖, ε = 2.2e-16. For random factors the error of every ln σ_i is
    about ε · steps · κ(W_k), though the product's κ be 1e600. It is larger where later factors undo what earlier ones
    did (W⁻¹ after W, or powers of a shear): there ln σ_i itself depends that much on the rounding of the factors.

    Args:
        matrices: W_1, …, W_L in the order in which they act, W_k of shape ``(n_k, n_{k-1})``.

    Returns:
        Float64 tensor ``(min(n_0, n_L),)``, descending. Values lost to a narrow middle, or to rows or columns of exact
        zeros (dead units), are −∞; a factor singular in another way leaves −∞ or a value as if its 0 were ε‖W_k‖.
        Entries below 1e-308 of their factor's norm count as 0.

    Raises:
        TypeError: a matrix is not a real tensor.
        ValueError: no matrix, shapes that do not chain, NaN or infinity.

    >>> product_log_singular_values([torch.diag(torch.tensor([0.2, 300.0]))] * 999) / math.log(10)
    tensor([2474.6441, -698.2710], dtype=torch.float64)

    Source: graded QR of products, Stewart, ETNA 3 (1995) 39–49, here by repeated sweeps in place of pivoting; one-sided
    Jacobi, Demmel & Veselić, SIAM J. Matrix Anal. Appl. 13 (1992) 1204–1245, here in log scale.
    """
    chain, scales = zip(*(to_unit(matrix, (0, 1)) for matrix in read_chain(matrices)), strict=True)
    logs = torch.full((min(chain[0].shape[1], chain[-1].shape[0]),), -torch.inf, dtype=torch.float64)
    for _ in range(2):
        chain = transposed(without_dead_outputs(chain))
    if all(min(matrix.shape) for matrix in chain):
        for _ in range(4):  # two do for random factors, three for triangular ones, which the first leaves as they are
            chain = triangular_chain(transposed(chain))
        found = orthogonalized_logs(*graded_product(chain)) + sum(scales)
        logs[: len(found)] = found
    return logs


def log10_condition_number(matrices: Iterable[Tensor]) -> float:
    """Return log₁₀(σ_max / σ_min) of the product W_L…W_1; ∞ where σ_min is zero.

    Args and Raises: as in :func:`product_log_singular_values`, whose accuracy it has.

    >>> round(log10_condition_number([torch.diag(torch.tensor([1.0, 1e-4]))] * 50))
    200
    """
    logs = product_log_singular_values(matrices)
    return math.inf if logs[-1] == -math.inf else ((logs[0] - logs[-1]) / math.log(10)).item()


def scaled_product(matrices: Iterable[Tensor]) -> ScaledMatrix:
    """Return the product W_L…W_1 as e^log_scale · matrix, which neither overflows nor underflows.

    Entries are right relative to the largest one only: for the small singular values take
    :func:`product_log_singular_values`.

    Args:
        matrices: W_1, …, W_L in the order in which they act, W_k of shape ``(n_k, n_{k-1})``; read once.

    Returns:
        ScaledMatrix: ``matrix`` float64 ``(n_L, n_0)`` of Frobenius norm 1, ``log_scale`` in nats.

    Raises:
        TypeError: a matrix is not a real tensor.
        ValueError: no matrix, shapes that do not chain, NaN or infinity.

    >>> product = scaled_product([torch.tensor([[3e30, 0.0], [4e30, 0.0]])] * 20)
    >>> product.matrix
    tensor([[0.6000, 0.0000],
            [0.8000, 0.0000]], dtype=torch.float64)
    >>> print(f"10^{product.log_scale / math.log(10):.2f}")  # 5e30 · (3e30)^19
    10^609.76
    """
    product, log_scale = None, 0.0
    for matrix in read_chain(matrices):
        matrix, scale = to_unit(matrix, (0, 1))
        product, grown = to_unit(matrix if product is None else matrix @ product, (0, 1))
        log_scale += scale.item() + grown.item()
    return ScaledMatrix(product, log_scale)


def singular_value_bounds(matrices: Iterable[Tensor]) -> Bounds:
    """Return bounds on all singular values of the product W_L…W_1 from those of its factors.

    ∏ σ_min(W_k) ≤ σ_min(W_L…W_1),  σ_max(W_L…W_1) ≤ ∏ σ_max(W_k).

    The upper bound always holds. The lower one needs widths n_0, n_1, …, n_L that never fall or never rise, as those of
    square factors. Otherwise ``lower`` is 0: through a narrow middle directions are lost, and after a factor that
    widens the next, narrowing one may be blind to all that arrives.

    Args:
        matrices: W_1, …, W_L in the order in which they act, W_k of shape ``(n_k, n_{k-1})``.

    Returns:
        Bounds, up to rounding. Beyond the range of floats ``lower`` is 0 and ``upper`` ∞, which still are bounds.

    Raises:
        TypeError: a matrix is not a real tensor.
        ValueError: no matrix, shapes that do not chain, NaN or infinity.

    >>> first, second = torch.diag(torch.tensor([2.0, 3.0])), torch.diag(torch.tensor([5.0, 1.0]))
    >>> lower, upper = singular_value_bounds([first, second])
    >>> print(f"{lower:.4f} {upper:.4f}")  # the product is diag(10, 3)
    2.0000 15.0000

    Source: Horn & Johnson, Topics in Matrix Analysis (1991), chapter 3.
    """
    chain = list(read_chain(matrices))
    widths = [chain[0].shape[1], *(len(matrix) for matrix in chain)]
    largest, smallest = zip(*(torch.linalg.svdvals(matrix)[[0, -1]].tolist() for matrix in chain), strict=True)
    lower = _product(smallest) if sorted(widths) in (widths, widths[::-1]) else 0.0
    return Bounds(lower, _product(largest))


def eigenvalue_bounds(matrices: Iterable[Tensor]) -> Bounds:
    """Return bounds on |λ| for every eigenvalue λ of the square product W_L…W_1 from its factors' singular values.

    ∏ σ_min(W_k) ≤ σ_min ≤ |λ| ≤ σ_max ≤ ∏ σ_max(W_k), because Wx = λx with ‖x‖ = 1 gives ‖Wx‖ = |λ|.

    The factors' own eigenvalues bound nothing: two matrices with no eigenvalue but 0 may have the product's at 100.

    Args:
        matrices: W_1, …, W_L in the order in which they act, with n_L = n_0.

    Returns:
        Bounds, as :func:`singular_value_bounds` states them.

    Raises:
        TypeError: a matrix is not a real tensor.
        ValueError: no matrix, shapes that do not chain, a product that is not square, NaN or infinity.

    >>> raising = torch.tensor([[0.0, 10.0], [0.0, 0.0]])
    >>> torch.linalg.eigvals(raising).abs().max(), torch.linalg.eigvals(raising @ raising.T).abs().max()
    (tensor(0.), tensor(100.))
    >>> eigenvalue_bounds([raising.T, raising])
    Bounds(lower=0.0, upper=100.0)

    Source: Horn & Johnson, Topics in Matrix Analysis (1991), chapter 3.
    """
    chain = list(read_chain(matrices))
    if chain[0].shape[1] != len(chain[-1]):
        raise ValueError(f"matrices must have a square product, got {len(chain[-1])}×{chain[0].shape[1]}")
    return singular_value_bounds(chain)


def _product(values: Iterable[float]) -> float:
    """Return ∏ values, with the exponent apart: no partial product overflows, and one beyond the range is 0 or ∞."""
    mantissa, exponent = 1.0, 0
    for value in values:
        mantissa, shift = math.frexp(mantissa * value)
        exponent += shift
    return math.ldexp(mantissa, exponent) if exponent <= sys.float_info.max_exp else math.inf
