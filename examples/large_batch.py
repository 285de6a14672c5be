"""Train a deep network on digits in batches of 1024, with LARS or with SGD, on one process or on several.

    python examples/large_batch.py
    torchrun --standalone --nproc-per-node 2 examples/large_batch.py

Every process takes its share of each batch and DistributedDataParallel averages the gradients, so the weights are those
of one process with the whole batch.
"""

import argparse
import os
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR

from stablenets.data import Digits, digits
from stablenets.networks import initialize_, mlp
from stablenets.optim import LARS
from stablenets.training import accuracy

COPIES = 8
# SGD's rate is 0.01 for 64 examples, scaled in proportion to 1024. LARS has η = 1: its rate is then the relative step,
# and suits the biases, which it does not adapt.
RATES = {"lars": 0.01, "sgd": 0.16}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimizer", choices=RATES, default="lars")
    parser.add_argument("--lr", type=float, help=f"learning rate (default: {RATES})")
    parser.add_argument("--batch-size", type=int, default=1024, help="examples a step, all processes together")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--warmup-epochs", type=float, default=2.0, help="epochs of linear growth of the rate")
    parser.add_argument("--depth", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0, help="of the split, the weights and the order of the examples")
    parser.add_argument("--save", type=Path, help="write the trained weights to this file")
    return parser.parse_args()


def shifted_copies(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return the images ``(n, 64)`` and copies of them moved by up to one pixel, ``(8n, 64)``."""
    images = x.reshape(-1, 1, 8, 8).repeat(COPIES - 1, 1, 1, 1)
    move = torch.eye(2, 3).repeat(len(images), 1, 1)
    move[:, :, 2] = (torch.rand(len(images), 2, generator=generator) * 2 - 1) / 4  # 2 is the width of an image
    grid = functional.affine_grid(move, images.shape, align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return torch.cat([x, moved.reshape(-1, 64)])


def build_optimizer(model: nn.Module, name: str, lr: float) -> torch.optim.Optimizer:
    options = {"lr": lr, "momentum": 0.9, "weight_decay": 5e-4}
    if name == "lars":
        return LARS(model.named_parameters(), **options, trust_coefficient=1.0)
    return torch.optim.SGD(model.parameters(), **options)


def train(model: nn.Module, data: Digits, options: argparse.Namespace, rank: int, processes: int) -> None:
    """Train on this process's share of every batch; all processes draw the same order."""
    if options.batch_size % processes:
        raise SystemExit(f"--batch-size must be a multiple of the {processes} processes, got {options.batch_size}")
    generator = torch.Generator().manual_seed(options.seed)
    device = next(model.parameters()).device
    x = shifted_copies(data.x_train, generator).to(device)
    y = data.y_train.repeat(COPIES).to(device)
    steps_per_epoch = len(x) // options.batch_size
    if not steps_per_epoch:
        raise SystemExit(f"--batch-size must be at most the {len(x)} examples, got {options.batch_size}")
    steps, warmup = options.epochs * steps_per_epoch, options.warmup_epochs * steps_per_epoch
    optimizer = build_optimizer(model, options.optimizer, options.lr or RATES[options.optimizer])
    schedule = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / max(1.0, warmup)) * (1 - step / steps) ** 2)
    for _ in range(options.epochs):
        order = torch.randperm(len(x), generator=generator)[: steps_per_epoch * options.batch_size]
        for batch in order.split(options.batch_size):
            share = batch.chunk(processes)[rank].to(device)
            optimizer.zero_grad()
            functional.cross_entropy(model(x[share]), y[share]).backward()
            optimizer.step()
            schedule.step()


def main() -> None:
    options = arguments()
    processes, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else "cpu"
    data = digits(options.seed)
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        model = initialize_(mlp(options.depth, 128), lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")).to(
            device
        )
    if processes > 1:
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    train(DistributedDataParallel(model) if processes > 1 else model, data, options, rank, processes)
    if rank == 0:
        test = accuracy(model, data.x_test.to(device), data.y_test.to(device))
        print(f"{options.optimizer}, batch {options.batch_size} on {processes} processes: test accuracy {test:.3f}")
        if options.save:
            torch.save({name: value.cpu() for name, value in model.state_dict().items()}, options.save)
    if processes > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
