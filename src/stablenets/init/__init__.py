"""Initializers that `torch.nn.init` lacks, on the true fans of a layer.

The gains come from `stablenets.meanfield.gain`: with ``scale=gain(activation) ** 2`` a layer keeps the variance of its
signal.
"""

from stablenets.init.lsuv import LsuvReport, lsuv_
from stablenets.init.weights import Fans, critical_, delta_orthogonal_, fans, variance_scaling_

__all__ = ["Fans", "LsuvReport", "critical_", "delta_orthogonal_", "fans", "lsuv_", "variance_scaling_"]
