"""Sums over the entries of a tensor that are fast in float32 and right at any scale."""

import math

import torch
from torch import Tensor

# A float32 sum of squares rounds more the longer it is: by up to 2e-6 at this length, 3e-5 at 4096. So the entries are
# summed in rows of this length, and the rows in float64.
ROW = 256
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
    """Euclidean norm of each tensor, faster than one by one where many have the same shape."""
    results = [0.0] * len(tensors)
    alike: dict[tuple[torch.Size, torch.device], list[int]] = {}
    for place, tensor in enumerate(tensors):
        size = tensor.numel()
        if tensor.dtype is torch.float32 and size and (size < ROW or size % ROW == 0):
            alike.setdefault((tensor.shape, tensor.device), []).append(place)
        else:
            results[place] = norm(tensor)
    for places in alike.values():
        together = [tensors[place] for place in places]
        smallest = _smallest_exact(together[0])
        for place, length in zip(places, _norms_of_alike(together)):
            results[place] = length if smallest <= length * length < math.inf else norm(tensors[place])
    return results


def _norms_of_alike(tensors: list[Tensor]) -> list[float]:
    size = tensors[0].numel()
    if size > SMALL:
        rows = torch.stack([torch.linalg.vector_norm(tensor.reshape(-1, ROW), dim=1) for tensor in tensors])
    else:
        rows = torch.stack(tensors).reshape(-1, min(size, ROW))
        rows = torch.linalg.vector_norm(rows, dim=1).view(len(tensors), -1) if size > ROW else rows
    return torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64).tolist()


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
