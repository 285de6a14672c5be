"""What flows through a network: moments of every layer's output and of its gradient, and gradient norms."""

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from stablenets._sums import square_sum, total

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


class LayerMoments(NamedTuple):
    """Averages over all entries of a module's outputs h and of their gradients δ = ∂loss/∂h.

    ``forward`` is E[h²], ``forward_mean`` E[h], ``backward`` E[δ²] (None where no gradient arrived); ``calls`` counts
    the forward calls.
    """

    name: str
    calls: int
    forward: float
    forward_mean: float
    backward: float | None


class GradientNorm(NamedTuple):
    """‖∇w‖ of one parameter and ‖∇w‖ / ‖w‖; both None where the parameter has no gradient."""

    name: str
    norm: float | None
    relative: float | None


class Moments:
    """Measure, inside a ``with`` block, the moments of what every layer passes forward and receives back.

    For a module with output h the moments are E[h], E[h²] and, if ``backward`` runs inside the block, E[δ²] with
    δ = ∂loss/∂h, averaged over batch and units. Calls of one module (reuse, several batches) and the tensors of a
    tuple, list or dict are pooled, each entry with the same weight. E[δ²] is pooled over the outputs that received a
    gradient; it is None if none did (no backward pass, ``no_grad``, output not used in the loss), which differs
    from a gradient of 0. δ is taken before a later in-place operation, so ``nn.ReLU(inplace=True)`` is no obstacle;
    only a view (``nn.Flatten``) that is changed in place has none, because autograd does not compute it.

    E[h²] and E[δ²] are right to 3e-6, E[h] to 3e-6·√E[h²], whatever the scale of float32 and 16-bit entries: squares
    that would under- or overflow are summed in float64. (Entries of a float64 network must lie within 1e±150.) On a GPU
    every measurement waits for the device. Make one block per measured step: a block remembers all tensors it hooks.

    Args:
        model: the network; it is not changed, and no hook is left behind, also after an exception.
        modules: a module class or a tuple of them to measure; by default all modules without children.

    Raises:
        TypeError: ``model`` is not a module or ``modules`` is not a class of modules.
        ValueError: there is nothing to measure in ``model``.

    >>> model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU())
    >>> _ = nn.init.eye_(model[0].weight)
    >>> with Moments(model) as moments:
    ...     model(torch.tensor([[3.0, -1.0]])).sum().backward()
    >>> for layer in moments.layers:
    ...     print(layer)
    LayerMoments(name='0', calls=1, forward=5.0, forward_mean=1.0, backward=0.5)
    LayerMoments(name='1', calls=1, forward=4.5, forward_mean=1.5, backward=1.0)

    Source: Glorot & Bengio (2010), section 4, who follow the variances of activations and of back-propagated
    gradients; here they are second moments, as in the mean-field theory of Schoenholz et al. (2017).
    """

    def __init__(self, model: nn.Module, modules: type[nn.Module] | tuple[type[nn.Module], ...] | None = None):
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
        classes = modules if isinstance(modules, tuple) else (modules,)
        if modules is not None and not all(isinstance(c, type) and issubclass(c, nn.Module) for c in classes):
            raise TypeError(f"modules must be a class of torch.nn.Module or a tuple of them, got {modules!r}")
        self._modules = {
            name or type(module).__name__: module
            for name, module in model.named_modules()
            if (_is_leaf(module) if modules is None else isinstance(module, modules))
        }
        if not self._modules:
            raise ValueError(f"model must hold a module to measure, got none in {type(model).__name__} for {modules=}")
        self._sums: dict[str, _Sums] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> "Moments":
        if self._handles:
            raise RuntimeError("this Moments is already measuring: make a second one to nest blocks")
        self._sums = {}
        for name, module in self._modules.items():
            self._handles.append(module.register_forward_hook(partial(self._forward, name)))
        return self

    def __exit__(self, *exception: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    @property
    def layers(self) -> list[LayerMoments]:
        """One ``LayerMoments`` per module that was called, in the order of the first calls.

        Modules that return no real floating-point tensor are left out.
        """
        return [sums.moments(name) for name, sums in self._sums.items() if sums.tensors]

    def _forward(self, name: str, module: nn.Module, inputs: tuple, output: object) -> None:
        sums = self._sums.setdefault(name, _Sums())
        sums.calls += 1
        for tensor in _tensors(output):
            sums.add_output(tensor.detach())
            # A hook on the tensor, not on the module: module backward hooks make in-place activations fail.
            if tensor.requires_grad:
                self._handles.append(tensor.register_hook(sums.add_gradient))


class _Sums:
    """Running sums over the outputs of one module and over their gradients."""

    def __init__(self):
        self.calls = self.tensors = self.outputs = self.gradients = 0
        self.sum = self.squares = self.gradient_squares = 0.0

    def add_output(self, output: Tensor) -> None:
        self.tensors += 1
        self.outputs += output.numel()
        self.sum += total(output)
        self.squares += square_sum(output)

    def add_gradient(self, gradient: Tensor) -> None:
        self.gradients += gradient.numel()
        self.gradient_squares += square_sum(gradient.detach())

    def moments(self, name: str) -> LayerMoments:
        outputs = self.outputs or math.nan  # the mean over no entries is not a number
        backward = self.gradient_squares / self.gradients if self.gradients else None
        return LayerMoments(name, self.calls, self.squares / outputs, self.sum / outputs, backward)


def gradient_norms(model: nn.Module) -> list[GradientNorm]:
    """Norm ‖∇w‖ of the gradient of every parameter w, and the relative size ‖∇w‖ / ‖w‖ that LARS works with.

    The norms are taken in float64: ``tensor.norm()`` of float32 entries of 1e-25 is 0, and of 1e25 it is infinite.
    NaN stays NaN; the relative norm of a zero parameter is inf (NaN if its gradient is zero too).

    Args:
        model: a network after ``backward``. Shared parameters are listed once.

    Returns:
        One ``GradientNorm(name, norm, relative)`` per parameter, in the order of ``model.named_parameters()``;
        ``norm`` and ``relative`` are None where the parameter has no gradient (frozen, or not used in the loss).

    Raises:
        TypeError: ``model`` is not a module.
        ValueError: ``model`` has no parameters.

    >>> layer = nn.Linear(2, 1, bias=False)
    >>> _ = nn.init.constant_(layer.weight, 2.0)
    >>> layer(torch.tensor([[3e-25, 4e-25]])).sum().backward()
    >>> print(layer.weight.grad.norm().item())
    0.0
    >>> print(f"{gradient_norms(layer)[0].norm:.3g}")
    5e-25

    Source: You, Gitman & Ginsburg (2017), section 4, look at ‖w‖ / ‖∇w‖, the inverse of ``relative``.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    parameters = list(model.named_parameters())
    if not parameters:
        raise ValueError(f"model must have parameters, got none in {type(model).__name__}")
    return [_gradient_norm(name, parameter) for name, parameter in parameters]


def _gradient_norm(name: str, parameter: nn.Parameter) -> GradientNorm:
    if parameter.grad is None:
        return GradientNorm(name, None, None)
    norm, size = (torch.linalg.vector_norm(t.to_dense(), dtype=torch.float64) for t in (parameter.grad, parameter.data))
    return GradientNorm(name, norm.item(), (norm / size).item())


def _is_leaf(module: nn.Module) -> bool:
    return not any(module.children()) and not isinstance(module, CONTAINERS)


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield output
    elif isinstance(output, (tuple, list)):
        for item in output:
            yield from _tensors(item)
    elif isinstance(output, dict):
        yield from _tensors(list(output.values()))
