"""The options of a parameter group, and which parameters it adapts."""

import math
from operator import itemgetter
from typing import Any

from torch import Tensor

from stablenets._arguments import choice, non_negative, positive

# The least number of dimensions of the tensors that a group adapts.
ADAPT: dict[str, float] = {"weights": 2, "all": 0, "none": math.inf}

option_values = itemgetter(
    "lr", "momentum", "weight_decay", "trust_coefficient", "nesterov", "maximize", "adapt", "non_finite"
)


def check_options(options: dict[str, Any]) -> None:
    """Raise unless every option of a parameter group is in its range."""
    lr = options["lr"]
    non_negative("lr", lr.item() if isinstance(lr, Tensor) and lr.numel() == 1 else lr)
    if non_negative("momentum", options["momentum"]) >= 1:
        raise ValueError(f"momentum must be below 1, got {options['momentum']!r}")
    non_negative("weight_decay", options["weight_decay"])
    positive("trust_coefficient", options["trust_coefficient"])
    for name in ("nesterov", "maximize"):
        if not isinstance(options[name], bool):
            raise TypeError(f"{name} must be True or False, got {options[name]!r}")
    if options["nesterov"] and options["momentum"] == 0:
        raise ValueError("momentum must be positive where nesterov is True, got 0")
    choice("adapt", options["adapt"], ADAPT)
    choice("non_finite", options["non_finite"], ("raise", "skip"))
