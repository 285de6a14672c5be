"""Tensors of one kind in one list, so that one call can serve them all."""

from torch import Tensor


class Alike:
    """The lists of the last tensors that were asked for, kept until one of them has other memory.

    >>> import torch
    >>> [len(kind) for kind in Alike().of([torch.ones(2), torch.ones(3), torch.zeros(2)])]
    [2, 1]
    """

    def __init__(self) -> None:
        self._seen: tuple[list[int], list[int]] | None = None
        self._kinds: list[list[Tensor]] = []

    def of(self, tensors: list[Tensor]) -> list[list[Tensor]]:
        """Return the tensors in lists of one shape, type and device."""
        # Much cheaper than to look at every shape anew.
        seen = list(map(id, tensors)), list(map(Tensor.data_ptr, tensors))
        if seen != self._seen:
            kinds: dict[tuple, list[Tensor]] = {}
            for tensor in tensors:
                kinds.setdefault((tensor.shape, tensor.dtype, tensor.device), []).append(tensor)
            self._seen, self._kinds = seen, list(kinds.values())
        return self._kinds
