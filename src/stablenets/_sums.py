"""Sums over the entries of a tensor that are fast in float32 and right at any scale."""

import cmath
import math

import torch
from torch import Tensor

# In float32 the norm of equal entries is wrong by 3e-7 at this length, by 4e-6 at 4096 and by 1e-2 at 16.8 million. So
# entries are summed in rows of this length, and more rows than this in float64.
ROW = 256
# Shorter rows are not worth their calls.
SHORTEST = 32
# Up to this length, copying tensors into one costs less than a call for each.
SMALL = 16384


def total(tensor: Tensor) -> float:
    """Sum of the entries, in float64 where float32 cannot hold it."""
    result = tensor.sum(dtype=torch.float32 if tensor.dtype.itemsize < 4 else None).item()
    return result if math.isfinite(result) else tensor.sum(dtype=torch.float64).item()


def square_sum(tensor: Tensor) -> float:
    """Sum of the squared entries, where the squares overflow or underflow too."""
    flat = _flat(tensor)
    squares = _sum_by_rows(flat)
    if _is_exact(squares, flat):
        return squares
    length = norm(flat)
    return length * length


def norm(tensor: Tensor) -> float:
    """Euclidean norm of the entries, where their squares overflow or underflow too."""
    flat = _flat(tensor)
    squares = _sum_by_rows(flat)
    if _is_exact(squares, flat):
        return math.sqrt(squares)
    largest = flat.abs().max().item()
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(_sum_by_rows(flat.double() / largest))


def norms(tensors: list[Tensor]) -> list[float]:
    """Euclidean norm of each of several tensors of one shape and device, faster than one by one."""
    size = tensors[0].numel()
    width = size if size <= ROW else math.gcd(size, ROW)
    if not size or width < min(size, SHORTEST) or {tensor.dtype for tensor in tensors} != {torch.float32}:
        return [norm(tensor) for tensor in tensors]
    if size <= SMALL:
        rows = torch.linalg.vector_norm(torch.stack(tensors).reshape(-1, width), dim=1)
    else:
        rows = torch.stack([torch.linalg.vector_norm(_rows(tensor, width), dim=1) for tensor in tensors])
    if size > width:
        wide = None if size <= ROW * width else torch.float64
        rows = torch.linalg.vector_norm(rows.view(len(tensors), -1), dim=1, dtype=wide)
    lengths, smallest = rows.tolist(), _smallest_exact(tensors[0])
    if smallest <= min(lengths) ** 2 and max(lengths) * max(lengths) < math.inf:
        return lengths
    return [
        length if smallest <= length * length < math.inf else norm(tensor) for length, tensor in zip(lengths, tensors)
    ]


def all_finite(tensors: list[Tensor]) -> bool:
    """Tell whether no entry of several tensors of one shape and device is NaN or infinite."""
    together = [torch.stack(tensors)] if tensors[0].numel() <= SMALL else tensors
    # A sum that overflows proves nothing.
    return all(cmath.isfinite(tensor.sum().item()) or bool(tensor.isfinite().all()) for tensor in together)


def _rows(tensor: Tensor, width: int) -> Tensor:
    # A view costs as much as the norm of 20 kB: a matrix that has short rows already keeps them.
    if tensor.ndim == 2 and SHORTEST <= tensor.shape[1] <= ROW:
        return tensor
    return tensor.reshape(-1, width)


def _flat(tensor: Tensor) -> Tensor:
    flat = (torch.view_as_real(tensor) if tensor.is_complex() else tensor).reshape(-1)
    return flat.float() if flat.dtype.itemsize < 4 else flat


def _is_exact(squares: float, flat: Tensor) -> bool:
    return _smallest_exact(flat) <= squares < math.inf


def _smallest_exact(tensor: Tensor) -> float:
    # Squares lost to underflow sum to less than numel·tiny, which must stay below eps of the result.
    limits = torch.finfo(tensor.dtype)
    return tensor.numel() * limits.tiny / limits.eps


def _sum_by_rows(flat: Tensor) -> float:
    if flat.numel() <= ROW:
        return torch.dot(flat, flat).item()
    short = flat.numel() % ROW
    if short:
        return _sum_by_rows(flat[:-short]) + _sum_by_rows(flat[-short:])
    rows = torch.linalg.vector_norm(flat.view(-1, ROW), dim=1)
    length = torch.linalg.vector_norm(rows, dtype=torch.float64).item()
    return length * length
