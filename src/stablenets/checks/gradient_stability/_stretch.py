"""How far a Gaussian matrix stretches a vector."""

import math

import torch


def log_stretch(d: float) -> float:
    """E[ln‖Wv‖] for a unit vector v and d Gaussian rows of unit variance."""
    return 0.5 * (math.log(2) + torch.special.digamma(torch.tensor(d / 2, dtype=torch.float64)).item())
