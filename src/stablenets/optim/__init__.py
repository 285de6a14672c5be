"""LARS, the optimizer that gives each layer a learning rate in proportion to its weights."""

from stablenets.optim.lars import LARS, trust_ratio

__all__ = ["LARS", "trust_ratio"]
