"""Products of matrices W_L…W_1, the form of every backward pass: how far they stretch, and what their Jacobians do.

A product leaves the range and the precision of floats after some dozen factors; logarithms, directions and triangular
factors do not, and everything here works with those.
"""

from stablenets.products.jacobian import (
    JacobianSpectrum,
    chain_log_singular_values,
    input_output_jacobian,
    jacobian_spectrum,
)
from stablenets.products.lyapunov import (
    gaussian_log_norms,
    gaussian_lyapunov_exponents,
    log_norm_trajectory,
    lyapunov_exponents,
)
from stablenets.products.spectra import (
    Bounds,
    ScaledMatrix,
    eigenvalue_bounds,
    log10_condition_number,
    product_log_singular_values,
    scaled_product,
    singular_value_bounds,
)

__all__ = [
    "Bounds",
    "JacobianSpectrum",
    "ScaledMatrix",
    "chain_log_singular_values",
    "eigenvalue_bounds",
    "gaussian_log_norms",
    "gaussian_lyapunov_exponents",
    "input_output_jacobian",
    "jacobian_spectrum",
    "log10_condition_number",
    "log_norm_trajectory",
    "lyapunov_exponents",
    "product_log_singular_values",
    "scaled_product",
    "singular_value_bounds",
]
