"""Checks of the exercises on gradient stability."""

# In the order of the notebook: importing a module enters its exercises in the registry.
# isort: off
from stablenets.checks.gradient_stability import random_products, jacobians, depth, gradients

__all__ = ["depth", "gradients", "jacobians", "random_products"]
