"""Moments of the sigmoid and of its slope."""

import math

import torch

from stablenets.checks.draws import gaussian


def moments(q: float) -> tuple[float, float]:
    """E[φ²] and E[φ'²] of the sigmoid at pre-activations of variance q, by the trapezoidal rule."""
    z, p = gaussian(points=601)
    value = torch.sigmoid(math.sqrt(q) * z)
    slope = value * (1 - value)
    return p.dot(value**2).item(), p.dot(slope**2).item()
