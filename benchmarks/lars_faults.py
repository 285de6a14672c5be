"""What a LARS optimizer must do on hard inputs, each as a test of any maker of optimizers: True where it holds.

An optimizer that refuses a step with an error has damaged nothing, but a right step must be taken.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Make = Callable[..., Optimizer]
OPTIONS = {"lr": 1.0, "momentum": 0.9, "weight_decay": 0.0, "trust_coefficient": 0.001}
# What an optimizer may raise that refuses an option or an input.
REFUSALS = (TypeError, ValueError, RuntimeError, AssertionError)


def first_step(make: Make, weight: Tensor, gradient: Tensor, **options: object) -> Tensor:
    """Return w before minus w after one step, in float64."""
    parameter = nn.Parameter(weight.clone())
    parameter.grad = gradient.clone()
    make([parameter], **OPTIONS | options).step()
    return weight.double() - parameter.detach().double()


def moves_by(make: Make, expected: float, weight: Tensor, gradient: Tensor, rel: float, **options: object) -> bool:
    length = first_step(make, weight, gradient, **options).norm().item() / weight.double().norm().item()
    return math.isclose(length, expected, rel_tol=rel)


def matrix(scale: float = 1.0, size: int = 8, seed: int = 0) -> Tensor:
    return torch.randn(size, size, generator=torch.Generator().manual_seed(seed)) * scale


def adapts_without_weight_decay(make: Make) -> bool:
    return moves_by(make, 1e-3, matrix(), matrix(100.0, seed=1), 1e-3)


def leaves_the_gradient(make: Make) -> bool:
    parameter, gradient = nn.Parameter(matrix()), matrix(seed=1)
    parameter.grad = gradient.clone()
    make([parameter], **OPTIONS | {"weight_decay": 0.1}).step()
    return torch.equal(parameter.grad, gradient)


def leaves_biases_unadapted(make: Make) -> bool:
    weight, gradient = torch.full((4,), 2.0), torch.full((4,), 0.5)
    step = first_step(make, weight, gradient, weight_decay=0.1)
    return torch.allclose(step, (gradient + 0.1 * weight).double(), rtol=1e-5)


def keeps_the_rate_inside_the_velocity(make: Make) -> bool:
    parameter, gradient = nn.Parameter(matrix()), matrix(seed=1)
    optimizer = make([parameter], **OPTIONS | {"weight_decay": 0.1})
    exact, velocity, g = matrix().double(), torch.zeros(8, 8, dtype=torch.float64), gradient.double()
    for lr in (1.0, 0.1):
        optimizer.param_groups[0]["lr"] = lr
        parameter.grad = gradient.clone()
        optimizer.step()
        ratio = 0.001 * exact.norm() / (g.norm() + 0.1 * exact.norm())
        velocity = 0.9 * velocity + lr * ratio * (g + 0.1 * exact)
        exact = exact - velocity
    return torch.allclose(parameter.detach().double(), exact, rtol=1e-5, atol=1e-6)


def shrinks_at_zero_gradient(make: Make) -> bool:
    return moves_by(make, 1e-4, matrix(), torch.zeros(8, 8), 0.01, lr=0.1, weight_decay=0.1)


def holds_at_scale(scale: float) -> Callable[[Make], bool]:
    return lambda make: moves_by(make, 1e-3, matrix(), matrix(scale, seed=1), 1e-3, weight_decay=1e-30)


def holds_in_float16(make: Make) -> bool:
    ones = torch.ones(512, 512, dtype=torch.float16)
    gradient = 200 * ones  # its norm, 102400, is no float16
    return moves_by(make, 0.1, ones, gradient, 0.01, lr=100.0, weight_decay=1e-9)


def is_exact_when_large(make: Make) -> bool:
    size = 4096
    weight, gradient = torch.ones(size, size), matrix(size=size)
    ratio = 1.0 / gradient.double().norm().item() * size
    step = first_step(make, weight, gradient, lr=1000.0, weight_decay=1e-9, momentum=0.0)
    measured = (step * gradient.double()).sum().item() / gradient.double().square().sum().item()
    return math.isclose(measured, ratio, rel_tol=1e-6)


def survives(bad: float) -> Callable[[Make], bool]:
    """After one step with a bad entry in one of two gradients, and one with none, all weights are finite."""

    def holds(make: Make) -> bool:
        pair = [nn.Parameter(matrix(seed=0)), nn.Parameter(matrix(seed=1))]
        optimizer = make(pair, **OPTIONS | {"weight_decay": 0.1})
        for entry in (bad, 1.0):
            for parameter in pair:
                parameter.grad = matrix(seed=2)
            pair[0].grad[0, 0] = entry
            try:
                optimizer.step()
            except REFUSALS:
                continue
        return all(torch.isfinite(parameter).all() for parameter in pair)

    return holds


def climbs_with_maximize(make: Make) -> bool:
    try:
        climb = first_step(make, matrix(), matrix(seed=1), weight_decay=1e-9, maximize=True)
    except REFUSALS:
        return False
    return torch.allclose(climb, -first_step(make, matrix(), matrix(seed=1), weight_decay=1e-9), atol=1e-6)


def runs_the_closure(make: Make) -> bool:
    parameter = nn.Parameter(matrix())
    optimizer = make([parameter], **OPTIONS)

    def closure() -> Tensor:
        loss = parameter.square().sum()
        loss.backward()
        return loss

    with torch.no_grad():
        try:
            return optimizer.step(closure) is not None and not torch.equal(parameter, matrix())
        except REFUSALS:
            return False


def refuses(**option: float) -> Callable[[Make], bool]:
    def holds(make: Make) -> bool:
        try:
            make([nn.Parameter(matrix())], **OPTIONS | option)
        except REFUSALS:
            return True
        return False

    return holds


def logs_trust_ratios(make: Make) -> bool:
    optimizer = make([nn.Parameter(matrix())], **OPTIONS | {"weight_decay": 0.1})
    optimizer.param_groups[0]["params"][0].grad = matrix(seed=1)
    optimizer.step()
    return hasattr(optimizer, "trust_ratios") or any("trust" in key for s in optimizer.state.values() for key in s)


FAULTS: dict[str, Callable[[Make], bool]] = {
    "is LARS without weight decay": adapts_without_weight_decay,
    "leaves `p.grad` as it was": leaves_the_gradient,
    "does not adapt biases by default": leaves_biases_unadapted,
    "learning rate inside the velocity": keeps_the_rate_inside_the_velocity,
    "zero gradient: weight decay shrinks by γ η": shrinks_at_zero_gradient,
    "right step for gradients of 1e25": holds_at_scale(1e25),
    "right step for gradients of 1e-25": holds_at_scale(1e-25),
    "right step in float16, 512²": holds_in_float16,
    "trust ratio within 1e-6 at 16.8 M entries": is_exact_when_large,
    "one NaN entry spoils no weight": survives(math.nan),
    "one infinite entry spoils no weight": survives(math.inf),
    "maximize": climbs_with_maximize,
    "closure, under no_grad too": runs_the_closure,
    "refuses a NaN learning rate": refuses(lr=math.nan),
    "refuses a negative trust coefficient": refuses(trust_coefficient=-1.0),
    "trust ratios can be read": logs_trust_ratios,
}
