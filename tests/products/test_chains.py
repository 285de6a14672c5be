"""What every function of a chain of matrices refuses, and how it says so."""

import math

import numpy as np
import pytest
import torch

from stablenets.products import (
    eigenvalue_bounds,
    log10_condition_number,
    log_norm_trajectory,
    lyapunov_exponents,
    product_log_singular_values,
    scaled_product,
    singular_value_bounds,
)

CHAIN_FUNCTIONS = [
    product_log_singular_values,
    log10_condition_number,
    scaled_product,
    singular_value_bounds,
    eigenvalue_bounds,
    lyapunov_exponents,
    lambda matrices: log_norm_trajectory(matrices, torch.ones(2)),
]


@pytest.mark.parametrize("function", CHAIN_FUNCTIONS)
@pytest.mark.parametrize(
    ("matrices", "error", "message"),
    [
        ([], ValueError, "at least one matrix"),
        (torch.empty(0, 2, 2), ValueError, "at least one matrix"),
        ([torch.eye(2), torch.eye(3)], ValueError, r"matrices\[1\] must have 2 columns .* got \(3, 3\)"),
        ([torch.eye(2), torch.full((2, 2), math.nan)], ValueError, r"matrices\[1\] must be finite"),
        ([torch.full((2, 2), math.inf)], ValueError, r"matrices\[0\] must be finite"),
        (torch.eye(2), ValueError, r"matrices\[0\] must have shape \(n_out, n_in\), got \(2,\)"),
        ([torch.empty(0, 2)], ValueError, r"matrices\[0\] must have shape"),
        ([np.eye(2)], TypeError, r"matrices\[0\] must be a torch.Tensor, got ndarray"),
        ([torch.eye(2, dtype=torch.complex64)], TypeError, r"matrices\[0\] must be real"),
    ],
)
def test_bad_chains_are_named(function, matrices, error, message):
    with pytest.raises(error, match=message):
        function(matrices)
