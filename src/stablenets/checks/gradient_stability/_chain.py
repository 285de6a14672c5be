"""Products of matrices in the order of application."""

from torch import Tensor


def chain(factors: list[Tensor]) -> Tensor:
    product = factors[0]
    for factor in factors[1:]:
        product = factor @ product
    return product
