"""What diagnostics cost: a training step under ``Moments``, and the Jacobian of a chain, as ratios to a bound.

Run with ``OMP_NUM_THREADS=1 python benchmarks/propagation_overhead.py``. CPU seconds on one thread; the variants take
turns, so that a change of the machine's speed falls on all of them, and each figure is the median of paired ratios.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext

import torch
from shared import processor, verdict
from torch import Tensor, nn
from torch.nn import functional

from stablenets.products import input_output_jacobian
from stablenets.propagation import Moments

STEPS = [(10, 64, 64, 200), (50, 256, 128, 40), (20, 512, 256, 25), (8, 1024, 512, 15)]  # depth, width, batch, repeats
CHAINS = [(10, 64, 100), (50, 256, 15), (20, 512, 9), (8, 1024, 5)]  # depth, width, repeats
GOALS = {256: 1.20, 512: 1.08, 1024: 1.03}


def network(depth: int, width: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), activation())][:-1]
    for linear in layers[::2]:
        nn.init.kaiming_normal_(linear.weight)
    return nn.Sequential(*layers)


@contextmanager
def mean_and_std_hooks(model: nn.Module):
    """The usual way: mean and std of every layer's output and its gradient, read as Python numbers in the hook."""
    seen = []

    def record(tensor: Tensor) -> None:
        seen.append((tensor.mean().item(), tensor.std().item()))

    def forward(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        record(output.detach())
        output.register_hook(record)

    handles = [module.register_forward_hook(forward) for module in model]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def medians_of_ratios(variants: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median over the rounds of each variant's CPU time, divided by the first variant's time in the same round."""
    rounds = []
    for turn in range(repeats + 2):
        times = [0.0] * len(variants)
        for k in range(len(variants)):
            index = (turn + k) % len(variants)
            start = time.process_time()
            variants[index]()
            times[index] = time.process_time() - start
        rounds.append([t / times[0] for t in times])
    return [statistics.median(ratios) for ratios in zip(*rounds[2:], strict=True)]  # the first two rounds warm up


def step_ratios(depth: int, width: int, batch: int, repeats: int) -> list[float]:
    model = network(depth, width)
    x, y = torch.randn(batch, width), torch.randint(width, (batch,))

    def step(context: Callable = nullcontext) -> None:
        model.zero_grad()
        with context():
            functional.cross_entropy(model(x), y).backward()

    contexts = [lambda: Moments(model), lambda: Moments(model, nn.Linear), lambda: mean_and_std_hooks(model)]
    return medians_of_ratios([step, *(lambda c=c: step(c) for c in contexts)], repeats)[1:]


def worst_relative_error(depth: int, width: int, batch: int) -> float:
    """Largest relative error of E[h²] and E[δ²] over the layers, against float64 sums of the same tensors."""
    model = network(depth, width)
    with Moments(model) as moments:
        outputs, h = [], torch.randn(batch, width)
        for layer in model:
            h = layer(h)
            h.retain_grad()
            outputs.append(h)
        functional.cross_entropy(h, torch.randint(width, (batch,))).backward()
    errors = []
    for layer, h in zip(moments.layers, outputs, strict=True):
        for measured, tensor in ((layer.forward, h), (layer.backward, h.grad)):
            exact = tensor.detach().double().square().mean().item()
            errors.append(abs(measured / exact - 1))
    return max(errors)


def jacobian_ratios(activation: type[nn.Module], depth: int, width: int, repeats: int) -> list[float]:
    """Chain and ``jacrev`` over the flop bound: the depth − 1 products of full matrices."""
    model, x = network(depth, width, activation).requires_grad_(False), torch.randn(width)
    left, right = torch.randn(2, width, width)
    result = torch.empty(width, width)

    def bound() -> None:
        for _ in range(depth - 1):
            torch.mm(left, right, out=result)

    variants = [bound, lambda: input_output_jacobian(model, x), lambda: torch.func.jacrev(model)(x)]
    return medians_of_ratios(variants, repeats)[1:]


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{processor()}, torch {torch.__version__}, 1 thread; medians of paired CPU-time ratios\n")
    print("| depth × width, batch | Moments | goal | Moments(nn.Linear) | mean/std hooks | relative error |")
    print("|---|---|---|---|---|---|")
    for depth, width, batch, repeats in STEPS:
        every, linear, usual = step_ratios(depth, width, batch, repeats)
        goal = verdict(every, GOALS[width]) if width in GOALS else "–"
        error = worst_relative_error(depth, width, batch)
        print(f"| {depth}×{width}, {batch} | {every:.3f} | {goal} | {linear:.3f} | {usual:.3f} | {error:.1e} |")
    print("\n| Jacobian, depth × width | chain ÷ bound | jacrev ÷ bound | jacrev ÷ chain |")
    print("|---|---|---|---|")
    for activation, (depth, width, repeats) in itertools.product((nn.ReLU, nn.Tanh), CHAINS):
        chain, jacrev = jacobian_ratios(activation, depth, width, repeats)
        print(f"| {activation.__name__} {depth}×{width} | {chain:.2f} | {jacrev:.2f} | {jacrev / chain:.2f} |")


if __name__ == "__main__":
    main()
