"""The logistic regression that tells a source from a target, and that is to be corrected."""

import torch
from torch import Tensor


def logistic(x: Tensor, labels: Tensor, weights: Tensor, penalty: float = 0.0) -> Tensor:
    """Minimise the mean of weight times logistic loss plus ``penalty``/2 ‖slopes‖²: intercept first, by Newton."""
    a = torch.cat([torch.ones(len(x), 1).double(), x], 1)
    signs, ridge = 2 * labels.double() - 1, penalty * torch.eye(a.shape[1]).double()
    ridge[0, 0] = 0
    c = torch.zeros(a.shape[1]).double()

    def objective(c: Tensor) -> Tensor:
        losses = torch.nn.functional.softplus(-signs * (a @ c))
        return (weights * losses).mean() + c @ ridge @ c / 2

    for _ in range(100):
        wrong = torch.sigmoid(-signs * (a @ c))
        slope = -(a * (weights * signs * wrong)[:, None]).mean(0) + ridge @ c
        if slope.abs().max() < 1e-10:
            break
        curvature = (a * (weights * wrong * (1 - wrong))[:, None]).T @ a / len(a) + ridge
        step = torch.linalg.solve(curvature, slope)
        while objective(c - step) > objective(c) + 1e-14:
            step = step / 2
        c = c - step
    return c


def log_odds(source: Tensor, target: Tensor, penalty: float = 0.0) -> Tensor:
    """At the source points, log P(target) / P(source) by a classifier on the pooled samples."""
    pooled, is_target = torch.cat([source, target]), torch.cat([torch.zeros(len(source)), torch.ones(len(target))])
    c = logistic(pooled, is_target, torch.ones(len(pooled)).double(), penalty)
    return c[0] + source @ c[1:]
