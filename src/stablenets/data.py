"""Real data that comes with scikit-learn, so that every page runs without a network."""

from typing import NamedTuple

import torch
from torch import Tensor

from stablenets._arguments import positive_integer

DIGITS_SIZE = 1797


class Digits(NamedTuple):
    """Handwritten digits: images ``(n, 64)``, float32, standardised; labels ``(n,)``, int64, 0 to 9."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def digits(seed: int = 0, *, test_size: int = 360) -> Digits:
    """Split scikit-learn's 1797 digits of 8 × 8 pixels at random and standardise them.

    One mean and one standard deviation, those of all training pixels together, serve for every pixel: so the
    images keep their shape, and a training pixel has mean 0 and variance 1.

    Args:
        seed: of the random split; the same seed gives the same split.
        test_size: how many images are held out, 1 to 1796.

    Returns:
        Training and test images with their labels.

    >>> digits(seed=0).x_train.shape
    torch.Size([1437, 64])

    Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository.
    """
    from sklearn.datasets import load_digits

    if positive_integer("test_size", test_size) >= DIGITS_SIZE:
        raise ValueError(f"test_size must be below {DIGITS_SIZE}, the number of images, got {test_size}")
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    order = torch.randperm(DIGITS_SIZE, generator=torch.Generator().manual_seed(seed))
    test, train = order[:test_size], order[test_size:]
    images = ((images - images[train].mean()) / images[train].std()).float()
    return Digits(images[train], labels[train], images[test], labels[test])
