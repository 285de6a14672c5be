"""Random weights with the asked variance or isometry, on the true fans of a layer."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from stablenets._arguments import choice, non_negative, positive
from stablenets.activations import Activation
from stablenets.meanfield import critical_point

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)

# Standard deviation of N(0, 1) cut at ±2: √(1 − 2·2·density(2) / mass), density(2) = exp(−2)/√(2π), mass = erf(√2).
_TRUNCATED_STD = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


class Fans(NamedTuple):
    """Mean numbers of inputs that reach one output, and of outputs that one input reaches."""

    fan_in: float
    fan_out: float


def fans(module: nn.Module) -> Fans:
    """Count the connections of a Linear or (transposed, grouped, strided) convolution away from its borders.

    A convolution has fan_in = in/groups · ∏k and fan_out = out/groups · ∏(k/stride); a transposed one has the stride
    under fan_in instead. The rule that torch reads off a weight's shape exchanges the fans of a transposed convolution,
    and knows neither strides nor the groups in fan_out.

    >>> fans(nn.Conv2d(64, 64, kernel_size=3, groups=64))
    Fans(fan_in=9.0, fan_out=9.0)

    Raises:
        TypeError: another kind of module.
    """
    if isinstance(module, nn.Linear):
        return Fans(float(module.in_features), float(module.out_features))
    if not isinstance(module, LAYERS):
        raise TypeError(f"module must be a Linear or a convolution, got {type(module).__name__}")
    field, stride = math.prod(module.kernel_size), math.prod(module.stride)
    fan_in, fan_out = module.in_channels / module.groups * field, module.out_channels / module.groups * field
    return Fans(fan_in / stride, fan_out) if isinstance(module, _TRANSPOSED) else Fans(fan_in, fan_out / stride)


def variance_scaling_(
    tensor: Tensor,
    *,
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "normal",
    fan: float | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Fill a weight with independent entries of mean 0 and variance scale / fan.

    LeCun is scale 1 with fan_in, Glorot & Bengio (2010) scale 1 with fan_avg, He et al. (2015) scale 2 with fan_in. The
    truncated normal is cut at two standard deviations of the normal it comes from, and widened so that its own variance
    is scale / fan.

    >>> weight = variance_scaling_(torch.empty(300, 200), scale=2.0, generator=torch.Generator().manual_seed(0))
    >>> round((weight.var() * 200).item(), 1)
    2.0

    Args:
        tensor: weight of shape ``(out, in, *kernel)``.
        scale: > 0.
        mode: "fan_in", "fan_out" or "fan_avg", their mean, as read off the shape.
        distribution: "normal", "truncated_normal" or "uniform".
        fan: the fan itself, in place of ``mode``: ``fans(layer).fan_in`` is right for transposed convolutions too.
        generator: source of randomness.

    Raises:
        TypeError: ``tensor`` is not a tensor.
        ValueError: an unknown mode or distribution, scale or fan not positive, an empty or 1-D tensor.
    """
    _require_weight(tensor)
    choice("mode", mode, ["fan_in", "fan_out", "fan_avg"])
    choice("distribution", distribution, ["normal", "truncated_normal", "uniform"])
    if fan is None:
        fan_in, fan_out = tensor[0].numel(), tensor[:, 0].numel()
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    std = math.sqrt(positive("scale", scale) / positive("fan", fan))
    if distribution == "normal":
        return nn.init.normal_(tensor, std=std, generator=generator)
    if distribution == "uniform":
        return nn.init.uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std, generator=generator)
    std /= _TRUNCATED_STD
    return nn.init.trunc_normal_(tensor, std=std, a=-2 * std, b=2 * std, generator=generator)


def critical_(
    layer: nn.Module, activation: str | Activation, bias_variance: float = 0.05, *, generator: Generator | None = None
) -> nn.Module:
    """Draw a layer on the critical line of its activation, where gradients neither vanish nor explode (χ = 1).

    Weights N(0, σ_w²/fan_in), biases N(0, σ_b²) with `critical_point`'s σ_w² (Schoenholz et al. 2017). ReLU and its kin
    need ``bias_variance=0``: that is He's initialization.

    >>> layer = critical_(nn.Linear(400, 400), "tanh", generator=torch.Generator().manual_seed(0))
    >>> round((layer.weight.var() * 400).item(), 1)
    1.8

    Args:
        layer: Linear or convolution, transposed and grouped ones included.
        activation: name or elementwise callable.
        bias_variance: σ_b² ≥ 0; 0 for a layer without bias.
        generator: source of randomness.

    Raises:
        TypeError: another kind of layer.
        ValueError: no critical point at this bias_variance, or a bias is asked of a layer without one.
    """
    fan_in = fans(layer).fan_in
    point = critical_point(activation, bias_variance)
    if layer.bias is None and point.bias_variance > 0:
        raise ValueError(f"bias_variance must be 0 for a layer without bias, got {bias_variance!r}")
    variance_scaling_(layer.weight, scale=point.weight_variance, fan=fan_in, generator=generator)
    if layer.bias is not None:
        nn.init.normal_(layer.bias, std=math.sqrt(point.bias_variance), generator=generator)
    return layer


def delta_orthogonal_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill a convolution kernel with gain times an orthogonal matrix at its centre and zeros elsewhere.

    With "same" padding and stride 1 the layer multiplies the norm of every signal by the gain (Xiao et al. 2018).

    >>> kernel = delta_orthogonal_(torch.empty(4, 2, 3))
    >>> torch.allclose(kernel[:, :, 1].T @ kernel[:, :, 1], torch.eye(2), atol=1e-6), kernel[:, :, 0].norm().item()
    (True, 0.0)

    Args:
        tensor: kernel of an ungrouped layer, of shape ``(out, in, *kernel)`` with odd kernel sizes and out ≥ in.
        gain: ≥ 0.
        generator: source of randomness.

    Raises:
        TypeError: ``tensor`` is not a tensor.
        ValueError: another shape, or an even size, which has no centre.
    """
    _require_weight(tensor)
    outputs, inputs, *kernel = tensor.shape
    if not 1 <= len(kernel) <= 3 or any(size % 2 == 0 for size in kernel) or outputs < inputs:
        raise ValueError(
            "tensor must have the shape (out, in, *kernel), out ≥ in, with one to three odd kernel sizes, "
            f"got {tuple(tensor.shape)}"
        )
    matrix = nn.init.orthogonal_(tensor.new_empty(outputs, inputs), non_negative("gain", gain), generator=generator)
    with torch.no_grad():
        tensor.zero_()[(..., *(size // 2 for size in kernel))] = matrix
    return tensor


def _require_weight(tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor must be a torch.Tensor, got {type(tensor).__name__}")
    if tensor.dim() < 2 or tensor.numel() == 0 or not tensor.is_floating_point():
        raise ValueError(
            "tensor must be a non-empty floating-point weight of shape (out, in, ...), "
            f"got {tensor.dtype} of shape {tuple(tensor.shape)}"
        )
