"""One plain training loop for all experiments, so that only what is compared differs between them."""

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from stablenets._arguments import positive, positive_integer


def train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    batch_size: int = 64,
    max_norm: float | None = None,
    generator: torch.Generator,
) -> Tensor:
    """Minimise the cross-entropy on mini-batches drawn without replacement, epoch after epoch.

    Args:
        model: changed in place; left in training mode.
        x: inputs ``(n, d)``.
        y: labels ``(n,)``.
        optimizer: built over the model's parameters.
        steps: number of updates.
        batch_size: 1 to n; an incomplete last batch of an epoch is skipped.
        max_norm: if given, > 0, the gradient is clipped to this norm before each update.
        generator: draws the order of the examples.

    Returns:
        The loss before each update, ``(steps,)``. Training stops at the first loss that is not finite, and every
        later entry is NaN.

    >>> from stablenets.networks import mlp
    >>> x, y = torch.eye(4), torch.arange(4)
    >>> model = mlp(1, 4, inputs=4, outputs=4)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    >>> losses = train(model, x, y, optimizer, steps=50, batch_size=4, generator=torch.Generator().manual_seed(0))
    >>> accuracy(model, x, y)
    1.0
    """
    positive_integer("steps", steps)
    if positive_integer("batch_size", batch_size) > len(x):
        raise ValueError(f"batch_size must be at most the number of examples, {len(x)}, got {batch_size}")
    if len(x) != len(y):
        raise ValueError(f"x and y must have the same length, got {len(x)} and {len(y)}")
    if max_norm is not None:
        positive("max_norm", max_norm)
    model.train()
    losses = torch.full((steps,), torch.nan)
    batches: list[Tensor] = []
    for step in range(steps):
        if not batches:
            order = torch.randperm(len(x), generator=generator)
            batches = list(order[: len(x) // batch_size * batch_size].split(batch_size))
        batch = batches.pop()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        losses[step] = loss.detach()
        if not torch.isfinite(losses[step]):
            break
        optimizer.zero_grad()
        loss.backward()
        if max_norm is not None:
            clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
    return losses


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the share of inputs ``(n, d)`` whose largest output is at their label ``(n,)``, in evaluation mode."""
    was_training = model.training
    model.eval()
    try:
        return (model(x).argmax(1) == y).float().mean().item()
    finally:
        model.train(was_training)
