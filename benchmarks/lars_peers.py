"""The LARS optimizers that are installed, behind one signature: (params, options) with the names of our own options."""

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import version

from shared import alone, peer
from torch.optim import Optimizer

from stablenets.optim import LARS

Make = Callable[..., Optimizer]

TIMM = {"trust_coefficient": "trust_coeff"}
# Where each peer lives, its own names for options that it calls differently, and options that make it a variant.
PEERS = {
    "timm": ("timm.optim.lars", "Lars", TIMM, {"foreach": False}),
    "timm, foreach": ("timm.optim.lars", "Lars", TIMM, {"foreach": True}),
    "torch_optimizer": ("torch_optimizer", "LARS", {}, {}),
    "lightly": ("lightly.utils.lars", "LARS", {}, {}),
    "pytorch_optimizer": ("pytorch_optimizer", "LARS", {}, {"foreach": False}),
    "pytorch_optimizer, foreach": ("pytorch_optimizer", "LARS", {}, {"foreach": True}),
}


def installed() -> dict[str, Make]:
    """Return our LARS and every peer that can be imported; print the others with the reason."""
    found: dict[str, Make] = {"stablenets": LARS}
    for name, (module, attribute, renamed, fixed) in PEERS.items():
        # The whole of timm needs a torchvision that was built for the same torch; its optimizers do not.
        importing = alone if module.startswith("timm.") else import_module
        if make := peer(name, module, attribute, importing):
            found[_with_version(name)] = _renaming(make, renamed, fixed)
    return found


def _with_version(name: str) -> str:
    package, _, variant = name.partition(", ")
    return ", ".join(filter(None, (f"{package} {version(package)}", variant)))


def _renaming(make: Make, renamed: dict[str, str], fixed: dict[str, bool]) -> Make:
    def build(params: Iterable, **options: object) -> Optimizer:
        return make(params, **{renamed.get(name, name): value for name, value in options.items()}, **fixed)

    return build
