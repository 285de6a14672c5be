"""The example trains the same network on two processes as on one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

EXAMPLE = Path(__file__).parents[1] / "examples" / "large_batch.py"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


# Shallow and short: with more layers and steps the rounding of sums over a batch grows, as any small difference does.
def train(launcher: list[str], saved: Path, *options: str) -> dict[str, torch.Tensor]:
    command = [sys.executable, *launcher, str(EXAMPLE), "--depth", "4", "--epochs", "1", "--save", str(saved)]
    subprocess.run([*command, *options], check=True, capture_output=True, encoding="utf-8", timeout=100)
    return torch.load(saved, weights_only=True)


@pytest.mark.skipif(
    not torch.distributed.is_available(), reason="PyTorch was built without distributed: install its usual build"
)
def test_two_processes_reach_the_weights_of_one_with_the_whole_batch(tmp_path):
    one, two = train([], tmp_path / "one.pt"), train(TORCHRUN, tmp_path / "two.pt")
    moved = one["0.bias"].abs().max().item()  # biases start at 0
    apart = max((one[name] - two[name]).abs().max().item() for name in one)
    assert moved > 1e-3
    assert apart < 1e-5
