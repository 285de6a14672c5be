"""Symmetries of a network's weights: the maps that leave its function unchanged, and what ties its hidden units."""

from stablenets.symmetry.arithmetic import UnitParallelLinear
from stablenets.symmetry.maps import balancedness, flip_units, permute_units, rescale_units
from stablenets.symmetry.ties import constant_, effective_rank, tie_deviation, tied_units

__all__ = [
    "UnitParallelLinear",
    "balancedness",
    "constant_",
    "effective_rank",
    "flip_units",
    "permute_units",
    "rescale_units",
    "tie_deviation",
    "tied_units",
]
