"""Calibration: make a classifier's probabilities mean what they say, by a temperature and a bias for each class."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stablenets._arguments import finite
from stablenets.shift._classes import class_counts, class_labels

# Newton's steps; a finite optimum takes about 10.
MAX_STEPS = 100
# The squared Newton decrement bounds twice the nats per example still to gain.
TOLERANCE = 1e-12
# One example on the wrong side costs more than this, whatever the temperature.
SEPARATED = 1e-9


@dataclass(frozen=True)
class Calibration:
    """softmax(z / T + b): the temperature T > 0, and the bias b ``(k,)`` with mean 0, all 0 without bias correction."""

    temperature: float
    bias: Tensor

    def apply(self, logits: Tensor) -> Tensor:
        """Return the calibrated probabilities ``(n, k)``, float64, of logits ``(n, k)``."""
        logits = _logits(logits)
        if logits.shape[1] != len(self.bias):
            raise ValueError(f"logits must have shape (n, {len(self.bias)}), got {tuple(logits.shape)}")
        return torch.softmax(logits / self.temperature + self.bias, dim=1)


def temperature_scaling(logits: Tensor, labels: Tensor, *, bias_corrected: bool = True) -> Calibration:
    """Fit the temperature T, and a bias b, that make held-out labels most likely.

    minimise −mean_i ln softmax(z_i / T + b)_{y_i}, convex in (1/T, b), by Newton's method.

    One temperature cannot undo a model that favours a class on the average; with the bias, the mean probability of each
    class is its share in ``labels``, which is what `em_prior` takes for granted.

    Args:
        logits: z ``(n, k)`` of held-out source data; training data would be too sure.
        labels: true labels ``(n,)``, 0 to k − 1, every class at least once if ``bias_corrected``.
        bias_corrected: fit b too, or leave it 0.

    Returns:
        The fitted calibration.

    Raises:
        TypeError: ``labels`` are not integers.
        ValueError: wrong shapes, NaN, a missing class, logits that separate the classes (then T → 0) or that speak
            against the labels (then T ≤ 0 or infinite).

    >>> logits = torch.tensor([[4.0, 0.0]] * 3 + [[0.0, 4.0]] * 3)
    >>> calibration = temperature_scaling(logits, torch.tensor([0, 0, 1, 1, 1, 0]))
    >>> calibration.apply(logits)[0]  # right two times of three
    tensor([0.6667, 0.3333], dtype=torch.float64)

    Source: Guo, Pleiss, Sun and Weinberger (2017); the bias is that of Alexandari, Kundaje and Shrikumar (2020).
    """
    logits = _logits(logits)
    n, k = logits.shape
    labels = class_labels("labels", labels, k)
    if len(labels) != n:
        raise ValueError(f"logits and labels must be of one length, got {n} and {len(labels)}")
    if bias_corrected:
        class_counts("labels", labels, k)
    # The mean of a row says nothing; unit spread makes the parameter that multiplies it of order 1.
    logits = logits - logits.mean(1, keepdim=True)
    spread = logits.square().mean().sqrt().item()
    if spread == 0:
        raise ValueError("logits must differ between the classes, got rows of equal entries")
    inverse, bias = _newton(logits / spread, labels, bias_corrected)
    if inverse <= 0:
        raise ValueError(f"logits must speak for the labels, got a best inverse temperature of {inverse / spread:.4g}")
    return Calibration(spread / inverse, bias)


def _logits(logits: Tensor) -> Tensor:
    logits = finite("logits", logits).detach().double()
    if logits.ndim != 2 or not len(logits) or logits.shape[1] < 2:
        raise ValueError(f"logits must have shape (n, k) with n ≥ 1 and k ≥ 2, got {tuple(logits.shape)}")
    return logits


def _newton(logits: Tensor, labels: Tensor, bias_corrected: bool) -> tuple[float, Tensor]:
    """Return the inverse temperature and the bias of least mean loss."""
    n, k = logits.shape
    own = logits.gather(1, labels[:, None]).mean()
    shares = torch.bincount(labels, minlength=k).double() / n
    inverse, bias = 0.0, torch.zeros(k, dtype=torch.float64)
    loss, probabilities = _loss(logits, own, shares, inverse, bias)
    for _ in range(MAX_STEPS):
        gradient, hessian = _derivatives(logits, probabilities, own, shares)
        if not bias_corrected:
            gradient[1:], hessian[1:] = 0.0, 0.0
            hessian[:, 1:] = 0.0
        # Equal biases change nothing: the pseudo-inverse leaves that direction alone.
        step = torch.linalg.pinv(hessian, hermitian=True, rtol=1e-12) @ gradient
        decrement = (gradient @ step).item()
        if decrement <= TOLERANCE:
            break
        rate = 1.0
        while True:
            trial = inverse - rate * step[0].item(), bias - rate * step[1:]
            trial_loss, probabilities = _loss(logits, own, shares, *trial)
            if trial_loss <= loss - rate * decrement / 4:
                break
            rate /= 2
        (inverse, bias), loss = trial, trial_loss
    if decrement > TOLERANCE or loss <= SEPARATED:
        raise ValueError("logits must not separate the classes, got a loss that falls to 0 as the temperature does")
    return inverse, bias


def _loss(logits: Tensor, own: Tensor, shares: Tensor, inverse: float, bias: Tensor) -> tuple[float, Tensor]:
    scores = logits * inverse + bias
    normalizer = scores.logsumexp(1, keepdim=True)
    return (normalizer.mean() - inverse * own - shares @ bias).item(), (scores - normalizer).exp_()


def _derivatives(logits: Tensor, probabilities: Tensor, own: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    n, means = len(logits), probabilities.mean(0)
    weighted = probabilities * logits
    expected = weighted.sum(1)
    gradient = torch.cat([(expected.mean() - own)[None], means - shares])
    mixed = weighted.mean(0) - expected @ probabilities / n
    hessian = torch.empty(len(gradient), len(gradient), dtype=torch.float64)
    hessian[0, 0] = ((weighted * logits).sum(1) - expected.square()).mean()
    hessian[0, 1:] = hessian[1:, 0] = mixed
    hessian[1:, 1:] = means.diag() - probabilities.T @ probabilities / n
    return gradient, hessian
