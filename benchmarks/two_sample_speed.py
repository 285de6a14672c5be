"""Two-sample tests beside their peers: CPU time, its growth with n, memory, and what each does at the edges.

Run with ``OMP_NUM_THREADS=1 python benchmarks/two_sample_speed.py``. CPU seconds on one thread, the least of a few runs
where one takes less than two seconds; d = 64, B = 500 relabelings. "Kernel once" is what one writes with scikit-learn
or scipy in ten lines. The peers of benchmarks/requirements.txt that are not installed are skipped; a method leaves the
race at the size where it would surely take more than half a minute.
"""

import math
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import numpy as np
import torch
from shared import extra_megabytes, peer, processor, seconds
from torch import Tensor

from stablenets.shift.mmd import linear_mmd_test, mmd_test
from stablenets.shift.two_sample import ks_test

SIZES = [500, 1000, 2000, 5000]
DIMENSION, PERMUTATIONS = 64, 500
PATIENCE, REPEATS = 30.0, 5
Test = Callable[[Tensor, Tensor], float]  # gives the p-value


def ours(x: Tensor, y: Tensor) -> float:
    return mmd_test(x, y, permutations=PERMUTATIONS, generator=torch.Generator().manual_seed(0)).p_value


def ours_linear(x: Tensor, y: Tensor) -> float:
    return linear_mmd_test(x, y, permutations=PERMUTATIONS, generator=torch.Generator().manual_seed(0)).p_value


def kernel_once(kernel: Callable[[np.ndarray], np.ndarray]) -> Test:
    """The kernel in one matrix, then its sums over index sets, relabeling by relabeling."""

    def test(x: Tensor, y: Tensor) -> float:
        n, m, draws = len(x), len(y), np.random.default_rng(0)
        matrix = kernel(np.concatenate([x.numpy(), y.numpy()]))
        np.fill_diagonal(matrix, 0)

        def statistic(order: np.ndarray) -> float:
            a, b = order[:n], order[n:]
            within = matrix[np.ix_(a, a)].sum() / (n * (n - 1)) + matrix[np.ix_(b, b)].sum() / (m * (m - 1))
            return within - 2 * matrix[np.ix_(a, b)].mean()

        observed = statistic(np.arange(n + m))
        as_large = sum(statistic(draws.permutation(n + m)) >= observed for _ in range(PERMUTATIONS))
        return (1 + as_large) / (PERMUTATIONS + 1)

    return test


def with_sklearn(pooled: np.ndarray) -> np.ndarray:
    from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

    median = np.median(euclidean_distances(pooled)[np.triu_indices(len(pooled), 1)])
    return rbf_kernel(pooled, gamma=1 / (2 * median**2))


def with_scipy(pooled: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import pdist, squareform

    distances = pdist(pooled)
    return np.exp(squareform(distances) ** 2 / (-2 * np.median(distances) ** 2))


def alibi_detect(detector: type, x: Tensor, y: Tensor) -> float:
    found = detector(x.numpy(), backend="pytorch", n_permutations=PERMUTATIONS, device="cpu").predict(y.numpy())
    return float(found["data"]["p_val"])


def torchdrift(kernel_mmd: Callable, x: Tensor, y: Tensor) -> float:
    return kernel_mmd(x, y, n_perm=PERMUTATIONS)[1].item()


PEERS = {
    "alibi-detect": ("alibi_detect.cd", "MMDDrift", alibi_detect),
    "torchdrift": ("torchdrift.detectors.mmd", "kernel_mmd", torchdrift),
}


def contestants() -> dict[str, Test]:
    found = {"stablenets, exact": ours, "stablenets, 512 random features": ours_linear}
    found |= {"kernel once, scikit-learn": kernel_once(with_sklearn), "kernel once, scipy": kernel_once(with_scipy)}
    for name, (module, attribute, test) in PEERS.items():
        if method := peer(name, module, attribute):
            found[f"{name} {version(name)}"] = partial(test, method)
    return found


def normal(n: int, *, seed: int) -> Tensor:
    return torch.randn(n, DIMENSION, generator=torch.Generator().manual_seed(seed))


def mmd_table(tests: dict[str, Test]) -> None:
    growth = "growth: time ∝ nᵃ over the last doubling or more, a ="
    print(f"\n| MMD, seconds at n = m | {' | '.join(map(str, SIZES))} | {growth} |")
    print("|---" * (len(SIZES) + 2) + "|")
    exact: list[float] = []
    for name, test in tests.items():
        times: list[float] = []
        for n in SIZES:
            x, y = normal(n, seed=1), normal(n, seed=2)
            # Three times as much work is to be expected at the least.
            if times and times[-1] * 3 > PATIENCE:
                break
            if not times:
                test(x, y)
            times.append(seconds(partial(test, x, y), repeats=REPEATS))
        exact = exact or times
        cells = [f"{t:.3g} (×{t / best:.3g})" for t, best in zip(times, exact, strict=False)]
        cells += ["–"] * (len(SIZES) - len(times))
        slope = math.log(times[-1] / times[-2]) / math.log(SIZES[len(times) - 1] / SIZES[len(times) - 2])
        print(f"| {name} | {' | '.join(cells)} | {slope:.2f} |")
    rates = [(2 * n) ** 2 * (PERMUTATIONS + DIMENSION) / t / 1e9 for n, t in zip(SIZES, exact)]
    print(f"| *exact, GFLOP/s of N²(B + d)* | {' | '.join(f'{rate:.0f}' for rate in rates)} | |")


def exact_test(n: int) -> Callable[[], float]:
    ours(normal(50, seed=1), normal(50, seed=2))
    return partial(ours, normal(n, seed=1), normal(n, seed=2))


def edge_table(tests: dict[str, Test]) -> None:
    """Samples that no relabeling resembles, where p must be 1/(B + 1); and samples that change places."""
    x, wide = normal(60, seed=1), 2 * normal(40, seed=2)
    print(f"\n| | p of samples far apart (never below {1 / (PERMUTATIONS + 1):.4f}) | p of (x, y) | p of (y, x) |")
    print("|---|---|---|---|")
    for name, test in tests.items():
        torch.manual_seed(0)
        near = x[:, :2], 0.6 * wide[:, :2]
        print(f"| {name} | {test(x, wide + 9):.4f} | {test(*near):.4f} | {test(*near[::-1]):.4f} |")


def ks_table() -> None:
    from scipy.stats import ks_2samp

    def loop(x: Tensor, y: Tensor, method: str) -> Tensor:
        found = [ks_2samp(a, b, method=method).pvalue for a, b in zip(x.T.numpy(), y.T.numpy())]
        return torch.tensor(found, dtype=torch.float64)

    print(
        f"\n| Kolmogorov–Smirnov, {DIMENSION} features: ms | ks_test | scipy's loop ÷ ours | largest difference of p | "
        "asymptotic loop ÷ ours |\n|---|---|---|---|---|"
    )
    for n, m in [(100, 100), (100, 90), (500, 480), (1000, 1000), (1000, 900), (5000, 5000), (50_000, 50_000)]:
        x, y = normal(n, seed=1).double(), normal(m, seed=2).double()
        difference = (ks_test(x, y).p_values - loop(x, y, "auto")).abs().max().item()
        own = seconds(partial(ks_test, x, y), repeats=REPEATS)
        exact, limit = (seconds(partial(loop, x, y, method), repeats=REPEATS) for method in ("auto", "asymp"))
        print(f"| {n} and {m} | {1000 * own:.2f} | {exact / own:.1f} | {difference:.0e} | {limit / own:.1f} |")


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(f"{processor()}, torch {torch.__version__}, numpy {np.__version__}, 1 thread; CPU time")
    (megabytes,) = extra_megabytes(partial(exact_test, SIZES[-1]))
    print(f"\nMemory of the exact test at n = m = {SIZES[-1]}: {megabytes:.0f} MB")
    tests = contestants()
    mmd_table(tests)
    edge_table(tests)
    ks_table()


if __name__ == "__main__":
    main()
