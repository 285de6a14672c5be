"""Arithmetic that keeps equal hidden units equal to the last bit, which the product of matrices does not."""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx


class UnitParallelLinear(nn.Linear):
    """A linear layer that computes all its units, and all its gradients, by the same sequence of operations.

    Products of matrices, and sums, work in blocks, and may add up the units in the last, smaller block in another order
    than the others. Units with equal weights so get values that differ by rounding, and training then amplifies the
    difference. Here every sum runs over the last dimension of a contiguous array, where each row is added up alike, so
    equal units have equal values and equal gradients. It takes ``n · in_features · out_features`` numbers of memory.

    The activation has to treat all entries alike too. On the processors we tried, ReLU and tanh do; sigmoid, GELU and
    SiLU compute the entries that do not fill a whole vector register by another routine, so they need batches that fill
    the registers, such as 64 examples.

    Args:
        in_features: size of each input, ``(n, in_features)``.
        out_features: number of units, the size of each output, ``(n, out_features)``.
        bias: whether a bias is added to each unit.

    >>> layer = UnitParallelLinear(5, 3)
    >>> x = torch.ones(2, 5)
    >>> torch.allclose(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
    True
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x Wᵀ + b, ``(n, out_features)``, for ``x`` of shape ``(n, in_features)``."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ValueError(f"x must have shape (n, {self.in_features}), got {tuple(x.shape)}")
        return _UnitParallelProduct.apply(x, self.weight, self.bias)


def _pairwise_products_summed(a: Tensor, b: Tensor) -> Tensor:
    """Return ``a bᵀ`` of ``(m, k)`` and ``(n, k)``, each entry summed over k in the same order."""
    return (a[:, None, :] * b[None, :, :]).contiguous().sum(-1)


class _UnitParallelProduct(torch.autograd.Function):
    """``x Wᵀ + b`` of ``(n, d)``, ``(units, d)`` and ``(units,)`` or None."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        product = _pairwise_products_summed(x, weight)
        return product if bias is None else product + bias

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        by_x, by_weight, by_bias = ctx.needs_input_grad
        return (
            _pairwise_products_summed(gradient, weight.T) if by_x else None,
            _pairwise_products_summed(gradient.T, x.T) if by_weight else None,
            gradient.T.contiguous().sum(-1) if by_bias else None,
        )
