"""How every figure of the course looks."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.artist import Artist
from torch import Tensor

from stablenets._arguments import choice

# Used in turn: a figure with more lines than styles is still drawn, if less clearly.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLE = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
# In letters: what fits above a figure, and what the key before each name takes.
LEGEND_WIDTH, LEGEND_KEY = 80, 8
SCALES = ("linear", "log", "symlog")

Series = Tensor | Sequence[float] | tuple[Sequence[float], Sequence[float]]


def new_axes(x_label: str, y_label: str, x_scale: str, y_scale: str) -> plt.Axes:
    """Open a figure of the book's size, with its axes named and scaled."""
    _, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_xscale(choice("x_scale", x_scale, SCALES))
    axes.set_yscale(choice("y_scale", y_scale, SCALES))
    return axes


def pair(values: Series) -> tuple[Tensor, Tensor]:
    """Split ``(x, y)``, or number the values from 0."""
    if isinstance(values, tuple):
        x, y = (torch.as_tensor(part).detach() for part in values)
    else:
        y = torch.as_tensor(values).detach()
        x = torch.arange(y.shape[-1])
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"x and y must have the same number of points, got {x.shape[-1]} and {y.shape[-1]}")
    return x, y


def mark_levels(axes: plt.Axes, levels: Mapping[str, float] | None) -> None:
    """Draw a dotted line across the picture at each level, and write its name at the right end."""
    for name, level in (levels or {}).items():
        axes.axhline(level, color="black", linestyle=":", linewidth=1)
        place = axes.annotate(
            name, (0.99, level), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9
        )
        place.set_bbox({"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1})


def legend(axes: plt.Axes, lines: Sequence[Artist]) -> None:
    """Name the lines above the picture, where the names hide none of them, in as many columns as fit."""
    labels = [line.get_label() for line in lines]
    if len(labels) > 1:
        columns = max(1, LEGEND_WIDTH // (max(map(len, labels)) + LEGEND_KEY))
        axes.figure.legend(lines, labels, loc="outside upper left", ncols=min(columns, len(labels)))


def finish(axes: plt.Axes) -> None:
    """Name the lines that have a label and show the figure."""
    legend(axes, axes.get_legend_handles_labels()[0])
    plt.show()
