"""Real data that comes with scikit-learn, so that every page runs without a network."""

from typing import NamedTuple

import torch
from torch import Tensor

from stablenets._arguments import finite, positive_integer

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
    images, labels, train, test = _split(seed, test_size)
    images = standardize(images, seed, test_size=test_size)
    return Digits(images[train], labels[train], images[test], labels[test])


def standardize(images: Tensor, seed: int = 0, *, test_size: int = 360) -> Tensor:
    """Bring other images of the same scale to that of :func:`digits`: its training pixels give mean and deviation.

    What a model was trained on fixes the scale; images that come later, from another source, must not choose their own.

    Args:
        images: ``(n, 64)``, pixels from 0 (paper) to 16 (ink), as in the raw digits.
        seed: the one given to :func:`digits`.
        test_size: the one given to :func:`digits`.

    Returns:
        ``(n, 64)``, float32.

    >>> standardize(torch.zeros(1, 64)).unique() == digits().x_train.min()
    tensor([True])
    """
    if finite("images", images).ndim != 2 or images.shape[1] != 64:
        raise ValueError(f"images must have shape (n, 64), got {tuple(images.shape)}")
    handwritten, _, train, _ = _split(seed, test_size)
    pixels = handwritten[train]
    return ((images.double() - pixels.mean()) / pixels.std()).float()


def _split(seed: int, test_size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return all images ``(1797, 64)``, float64, pixels 0 to 16, their labels, and the indices of training and test."""
    from sklearn.datasets import load_digits

    if positive_integer("test_size", test_size) >= DIGITS_SIZE:
        raise ValueError(f"test_size must be below {DIGITS_SIZE}, the number of images, got {test_size}")
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    order = torch.randperm(DIGITS_SIZE, generator=torch.Generator().manual_seed(seed))
    return images, labels, order[test_size:], order[:test_size]
