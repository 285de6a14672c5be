"""Figures that stand still."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from stablenets.plots.style import COLOURS, DASHES, MARKERS, STYLE, Series, finish, mark_levels, new_axes, pair


def curves(
    series: Mapping[str, Series],
    *,
    x_label: str,
    y_label: str,
    theory: Mapping[str, Series] | None = None,
    levels: Mapping[str, float] | None = None,
    x_scale: str = "linear",
    y_scale: str = "linear",
) -> None:
    """Draw named lines: what was measured in its own colour and dash, what theory predicts as black marks.

    Args:
        series: by the name in the legend, the values ``y`` over 0, 1, 2, …, or a pair ``(x, y)``. A tensor
            ``(runs, points)`` is drawn as its median with a band from the smallest to the largest run.
        x_label: what the horizontal axis shows, with its unit.
        y_label: what the vertical axis shows, with its unit.
        theory: the same for predictions.
        levels: horizontal lines by the name written on them, such as a limit.
        x_scale: "linear", "log" or "symlog".
        y_scale: "linear", "log" or "symlog".
    """
    with plt.rc_context(STYLE):
        axes = new_axes(x_label, y_label, x_scale, y_scale)
        for (name, values), colour, dash in zip(series.items(), cycle(COLOURS), cycle(DASHES)):
            x, y = pair(values)
            if y.ndim == 2:
                axes.fill_between(x, y.min(0).values, y.max(0).values, color=colour, alpha=0.2, linewidth=0)
                y = y.median(0).values
            axes.plot(x, y, color=colour, linestyle=dash, label=name)
        for (name, values), marker in zip((theory or {}).items(), cycle(MARKERS)):
            x, y = pair(values)
            every = max(1, len(x) // 12)
            axes.plot(x[::every], y[::every], marker, color="black", markersize=5, fillstyle="none", label=name)
        mark_levels(axes, levels)
        finish(axes)


def fan(
    trajectories: Tensor,
    *,
    x_label: str,
    y_label: str,
    theory: Mapping[str, Series] | None = None,
    levels: Mapping[str, float] | None = None,
    y_scale: str = "linear",
) -> None:
    """Draw many random trajectories ``(runs, points)`` as thin lines, with predictions in black on top of them."""
    with plt.rc_context(STYLE):
        axes = new_axes(x_label, y_label, "linear", y_scale)
        axes.plot(trajectories.T, color=COLOURS[0], alpha=min(1.0, 12 / len(trajectories)), linewidth=0.8)
        axes.plot([], [], color=COLOURS[0], linewidth=0.8, label=f"{len(trajectories)} runs")
        for (name, values), dash in zip((theory or {}).items(), cycle(DASHES[1:])):
            axes.plot(*pair(values), color="black", linestyle=dash, label=name)
        mark_levels(axes, levels)
        finish(axes)


def distributions(samples: Mapping[str, Tensor], *, x_label: str, bins: int = 60) -> None:
    """Draw the histograms of several samples as outlines over common bins, each with area one."""
    pooled = torch.cat([sample.flatten() for sample in samples.values()])
    edges = torch.linspace(pooled.min().item(), pooled.max().item(), bins + 1)
    with plt.rc_context(STYLE):
        axes = new_axes(x_label, "density", "linear", "linear")
        for (name, sample), colour, dash in zip(samples.items(), cycle(COLOURS), cycle(DASHES)):
            heights = torch.histogram(sample.detach().flatten().float(), edges, density=True).hist
            axes.stairs(heights, edges, color=colour, linestyle=dash, linewidth=1.8, label=name)
        finish(axes)


def heat_map(
    values: Tensor,
    *,
    rows: Sequence[object],
    columns: Sequence[object],
    x_label: str,
    y_label: str,
    value_label: str,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw a matrix ``(rows, columns)`` as coloured cells, the first row at the bottom, each with its number."""
    low, high = limits or (values.min().item(), values.max().item())
    with plt.rc_context({**STYLE, "axes.grid": False}):
        axes = new_axes(x_label, y_label, "linear", "linear")
        image = axes.imshow(values.numpy(), origin="lower", aspect="auto", cmap="cividis", vmin=low, vmax=high)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        for row, column in torch.cartesian_prod(torch.arange(len(rows)), torch.arange(len(columns))).tolist():
            value = values[row, column].item()
            colour = "white" if value < (low + high) / 2 else "black"
            axes.text(column, row, f"{value:.2g}", ha="center", va="center", color=colour, fontsize=9)
        axes.figure.colorbar(image, label=value_label)
        plt.show()


def dots(groups: Mapping[str, Iterable[float]], *, x_label: str, levels: Mapping[str, float] | None = None) -> None:
    """Draw one row of dots per group, such as the accuracy of every seed by method, with a bar at the median."""
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(7, 0.9 + 0.5 * len(groups)), layout="constrained")
        for row, (values, colour, marker) in enumerate(zip(groups.values(), cycle(COLOURS), cycle(MARKERS))):
            values = torch.as_tensor(list(values))
            axes.plot(values, torch.full_like(values, row), marker, color=colour, alpha=0.6)
            axes.plot([values.median()], [row], "|", color="black", markersize=18, markeredgewidth=2)
        axes.set_yticks(range(len(groups)), groups)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_xlabel(x_label)
        for name, level in (levels or {}).items():
            axes.axvline(level, color="black", linestyle=":", linewidth=1)
            axes.text(level, -0.45, f" {name}", va="top", fontsize=9)
        plt.show()


def images(rows: Mapping[str, Tensor], *, side: int = 8) -> None:
    """Draw rows of grey images ``(n, side²)``, dark on white, each row with its name."""
    count = max(len(pictures) for pictures in rows.values())
    with plt.rc_context({**STYLE, "axes.grid": False}):
        _, grid = plt.subplots(
            len(rows), count, figsize=(7, 0.4 + 0.75 * len(rows)), layout="constrained", squeeze=False
        )
        for axes in grid.flat:
            axes.axis("off")
        for line, (name, pictures) in zip(grid, rows.items()):
            line[0].set_title(name, loc="left", fontsize=11)
            for axes, picture in zip(line, pictures.detach()):
                axes.imshow(picture.reshape(side, side).numpy(), cmap="gray_r")
        plt.show()
