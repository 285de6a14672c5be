"""The step of LARS."""

from torch import Tensor


def lars_step(w: Tensor, g: Tensor, b: float, eta: float) -> Tensor:
    """λ(g + βw), with λ = η‖w‖/(‖g‖ + β‖w‖)."""
    return eta * w.norm() / (g.norm() + b * w.norm()) * (g + b * w)
