"""What the benchmarks share: the machine's name, peers that may be missing, CPU time and memory."""

import ctypes
import math
import platform
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import torch


def processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def alone(module: str) -> ModuleType:
    """Import a module without what its packages import for all of their parts."""
    parents, name, places = module.split(".")[:-1], "", []
    for part in parents:
        name = f"{name}.{part}".lstrip(".")
        places = [str(Path(place, part)) for place in places] or list(find_spec(part).submodule_search_locations)
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = places
    found = import_module(module)
    for length in range(1, len(parents) + 1):
        del sys.modules[".".join(parents[:length])]
    return found


def peer(
    name: str, module: str, attribute: str, importing: Callable[[str], ModuleType] = import_module
) -> object | None:
    """Return what a peer's module holds; where it cannot be imported, say why and return None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(importing(module), attribute)
    # Old packages fail in all three ways beside new versions of what they need.
    except (ImportError, RuntimeError, AttributeError) as error:
        print(f"skipped {name}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def verdict(ratio: float, goal: float) -> str:
    """Say the goal, and whether it is met."""
    return f"≤ {goal:.2f}, {'met' if ratio <= goal else 'missed'}"


def seconds(run: Callable[[], object], *, repeats: int = 1) -> float:
    """The least CPU time of a few runs; one that takes two seconds or more is run once."""
    times = []
    while len(times) < repeats and (not times or times[0] < 2):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def extra_megabytes(*prepares: Callable[[], Callable[[], object]]) -> list[float]:
    """Growth of the peak memory, in a fresh process, while what each of ``prepares`` gives is run; Linux only."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return list(fresh.map(_growth, prepares))


def _growth(prepare: Callable[[], Callable[[], object]]) -> float:
    if not Path("/proc/self/clear_refs").exists():
        return math.nan
    torch.set_num_threads(1)
    run = prepare()
    # Give back what preparing took, and let the peak start again from what is left.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = _peak()
    run()
    return _peak() - before


def _peak() -> float:
    (line,) = (
        line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024
