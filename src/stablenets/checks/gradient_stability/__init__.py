"""Checks of the exercises on gradient stability."""

from stablenets.checks.gradient_stability import depth, gradients, jacobians, random_products

__all__ = ["depth", "gradients", "jacobians", "random_products"]
