"""Every figure of the course, drawn in one style; the only part that imports matplotlib.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart, and every line also has its own dash
or marker. Each function shows its figure, so it is the last line of a cell; the caption and the text for screen
readers stand in that cell's metadata, where the book reads them.
"""

from stablenets.plots.charts import curves, distributions, dots, fan, heat_map, images
from stablenets.plots.sliders import slider

__all__ = ["curves", "distributions", "dots", "fan", "heat_map", "images", "slider"]
