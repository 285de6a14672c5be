"""LARS beside its peers: time of a step over that of fused SGD with momentum, and what each does on hard inputs.

Run with ``OMP_NUM_THREADS=1 python benchmarks/lars_speed.py``. Speed: CPU seconds on one thread. The optimizers take
turns on the same tensors, whose gradients are written anew before each step, as a backward pass would, and each figure
is the median of paired ratios. The peers are those of benchmarks/requirements.txt; the ones not installed are skipped.
"""

import statistics
import time
from collections.abc import Iterable

import torch
from lars_faults import FAULTS
from lars_peers import Make, installed
from shared import processor, verdict
from torch import Tensor, nn
from torch.optim import Optimizer

from stablenets._sums import all_finite, norms

Shapes = list[tuple[int, ...]]


def resnet50() -> Shapes:
    """The shapes of the 161 parameters of ResNet-50 for 1000 classes."""
    convolutions, inputs = [(64, 3, 7, 7)], 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            convolutions += [(width, inputs, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)]
            if block == 0:
                convolutions.append((4 * width, inputs, 1, 1))
            inputs = 4 * width
    return [shape for c in convolutions for shape in (c, c[:1], c[:1])] + [(1000, 2048), (1000,)]


PROBLEMS: dict[str, tuple[Shapes, int, float]] = {  # shapes, rounds, goal
    "a: 100×(256²+bias)": ([(256, 256), (256,)] * 100, 25, 1.75),
    "b: ResNet-50": (resnet50(), 12, 1.75),
    "c: 3×4096²": ([(4096, 4096)] * 3, 5, 1.75),
    "d: 8×(64²+bias)": ([(64, 64), (64,)] * 8, 300, 1.5),
}


class LeastWork(Optimizer):
    """What no LARS in PyTorch can leave out if an error is to leave all as it was: every norm, then one fused update a
    tensor, under the hooks that every optimizer has. It looks at nothing and keeps no books."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float, weight_decay: float, trust_coefficient: float
    ):
        super().__init__(params, {})
        self.rate = lr * trust_coefficient
        self.options = {"weight_decay": weight_decay, "momentum": momentum, "lr": 1.0, "dampening": 1.0 - self.rate}
        self.options |= {"nesterov": False, "maximize": False, "is_first_step": False}
        alike: dict[torch.Size, list[tuple[Tensor, Tensor, Tensor]]] = {}
        for weight in self.param_groups[0]["params"]:
            alike.setdefault(weight.shape, []).append((weight, weight.grad, torch.zeros_like(weight)))
        self.alike = [list(zip(*triples)) for triples in alike.values()]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for weights, gradients, _ in self.alike:
            if weights[0].ndim > 1:
                norms(weights + gradients)
            else:
                all_finite(gradients)
        for weights, gradients, velocities in self.alike:
            if weights[0].ndim > 1:
                for weight, gradient, velocity in zip(weights, gradients, velocities):
                    torch._fused_sgd_((weight,), (gradient,), (velocity,), **self.options)
            else:
                torch._fused_sgd_(weights, gradients, velocities, **self.options)


def ratios_to_fused_sgd(shapes: Shapes, rounds: int, optimizers: dict[str, Make]) -> dict[str, float]:
    """Median over the rounds of each optimizer's CPU time, divided by that of fused SGD in the same round."""
    generator = torch.Generator().manual_seed(0)
    parameters = [nn.Parameter(torch.randn(shape, generator=generator) * 0.05) for shape in shapes]
    gradients = [torch.randn(shape, generator=generator) * 0.01 for shape in shapes]
    for parameter in parameters:
        parameter.grad = torch.empty_like(parameter)
    options = {"lr": 1e-4, "momentum": 0.9, "weight_decay": 1e-4}
    steps = [torch.optim.SGD(parameters, **options, fused=True).step]
    steps += [make(parameters, **options, trust_coefficient=0.001).step for make in optimizers.values()]
    times = [_round(steps, turn, parameters, gradients) for turn in range(rounds + 2)][2:]  # the first two warm up
    paired = zip(*([t / row[0] for t in row[1:]] for row in times))
    return dict(zip(optimizers, map(statistics.median, paired)))


def _round(steps: list, turn: int, parameters: list[nn.Parameter], gradients: list[Tensor]) -> list[float]:
    times = [0.0] * len(steps)
    for k in range(len(steps)):
        index = (turn + k) % len(steps)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad.copy_(gradient)
        start = time.process_time()
        steps[index]()
        times[index] = time.process_time() - start
    return times


def speed_table(optimizers: dict[str, Make]) -> None:
    columns = [ratios_to_fused_sgd(shapes, rounds, optimizers) for shapes, rounds, _ in PROBLEMS.values()]
    print(f"\n| step ÷ fused SGD | {' | '.join(PROBLEMS)} |")
    print("|---" * (len(PROBLEMS) + 1) + "|")
    for name in optimizers:
        print(f"| {name} | {' | '.join(f'{column[name]:.2f}' for column in columns)} |")
    goals = (goal for _, _, goal in PROBLEMS.values())
    print(f"| *goal of stablenets* | {' | '.join(map(verdict, (c['stablenets'] for c in columns), goals))} |")


def fault_table(optimizers: dict[str, Make]) -> None:
    names = [name for name in optimizers if "foreach" not in name]
    print(f"\n| | {' | '.join(names)} |")
    print("|---" * (len(names) + 1) + "|")
    for sentence, holds in FAULTS.items():
        print(f"| {sentence} | {' | '.join('yes' if holds(optimizers[name]) else 'no' for name in names)} |")


def main() -> None:
    torch.set_num_threads(1)
    print(f"{processor()}, torch {torch.__version__}, 1 thread; medians of paired CPU-time ratios")
    optimizers = installed()
    speed_table(optimizers | {"*least work: norms, then updates*": LeastWork})
    fault_table(optimizers)


if __name__ == "__main__":
    main()
