"""Figures in which a slider leads from one set of values to the next."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt

from stablenets.plots.moving import SliderFigure, names
from stablenets.plots.style import COLOURS, DASHES, MARKERS, STYLE, Series, legend, mark_levels, new_axes, pair


def slider(
    positions: Mapping[object, Mapping[str, Series]],
    *,
    slider: str,
    told: Sequence[str],
    x_label: str,
    y_label: str,
    theory: Mapping[object, Mapping[str, Series]] | None = None,
    levels: Mapping[str, float] | None = None,
    x_scale: str = "linear",
    y_scale: str = "linear",
) -> SliderFigure:
    """Return a figure of named lines with a slider that leads from one set of values to the next.

    All positions are drawn beforehand, over common axes: the figure needs no server, and its values are those that
    the cell has computed.

    Args:
        positions: by the value of the slider, in its order, the lines as :func:`curves` takes them; the same names at
            every position.
        slider: what the slider sets, with its unit.
        told: a sentence for every position: what it shows, in words and numbers.
        x_label: as for :func:`curves`, like all that follows.
        y_label: the same.
        theory: by the value of the slider, what is drawn as black marks.
        levels: the same at all positions.
        x_scale: "linear", "log" or "symlog".
        y_scale: "linear", "log" or "symlog".

    Raises:
        ValueError: fewer than two positions, not a sentence for each, or names that change.
    """
    legends = {tuple(lines) for lines in positions.values()}
    if len(positions) < 2 or len(legends) != 1:
        raise ValueError(f"positions must be two or more with the same names, got {len(positions)} with {legends}")
    if len(told) != len(positions):
        raise ValueError(f"told must have a sentence for each of {len(positions)} positions, got {len(told)}")
    first = len(positions) // 2
    salt = hashlib.sha256(repr((slider, told)).encode()).hexdigest()
    with plt.rc_context({**STYLE, "svg.fonttype": "none", "svg.hashsalt": salt, "path.simplify_threshold": 0.5}):
        axes, groups = new_axes(x_label, y_label, x_scale, y_scale), []
        for position, (value, lines) in enumerate(positions.items()):
            drawn = []
            for (name, values), colour, dash in zip(lines.items(), cycle(COLOURS), cycle(DASHES)):
                drawn += axes.plot(*pair(values), color=colour, linestyle=dash, label=name)
            for (name, values), marker in zip((theory or {}).get(value, {}).items(), cycle(MARKERS)):
                drawn += axes.plot(*pair(values), marker, color="black", markersize=5, fillstyle="none", label=name)
            for artist, name in zip(drawn, names(position)):
                artist.set_gid(name)
            groups.append(drawn)
        mark_levels(axes, levels)
        legend(axes, groups[first])
        svg, png = io.StringIO(), io.BytesIO()
        axes.figure.savefig(svg, format="svg", metadata={"Date": None})
        for position, group in enumerate(groups):
            for line in group:
                line.set_visible(position == first)
        axes.figure.savefig(png, format="png")
        plt.close(axes.figure)
    return SliderFigure(svg.getvalue(), png.getvalue(), slider, tuple(told), first)
