"""A picture with a slider as one piece of HTML: every position is drawn beforehand, and moving shows another one."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import count
from json import dumps
from typing import NamedTuple

# What every position has in common is drawn once; what belongs to position i stands in a group with this id.
GROUP = "position-{}-{}"
# The handler of an attribute works wherever notebooks are shown, also where an output holds no script of its own.
MOVE = (
    "const f=this.closest('.slider-figure'),i=this.value,t=JSON.parse(f.dataset.told)[i];"
    "f.querySelectorAll('[data-position]').forEach(g=>{g.style.display=g.dataset.position===i?'':'none'});"
    "f.querySelector('output').textContent=t;f.querySelector('svg').setAttribute('aria-label',t);"
    "this.setAttribute('aria-valuetext',t)"
)


class SliderFigure(NamedTuple):
    """What a cell shows: HTML where there is a browser, else a picture of the position in the middle.

    Attributes:
        svg: with the groups of all positions.
        png: of the position shown first.
        slider: what the slider sets.
        told: a sentence for every position, which is also its text for screen readers.
        first: the position shown first.
    """

    svg: str
    png: bytes
    slider: str
    told: Sequence[str]
    first: int

    def __repr__(self) -> str:
        return f"<Figure with a slider of {len(self.told)} positions: {self.slider}>"

    def _repr_png_(self) -> bytes:
        return self.png

    def _repr_html_(self) -> str:
        last, shown = len(self.told) - 1, escape(self.told[self.first])
        return (
            f'<div class="slider-figure" data-told="{escape(dumps(list(self.told)))}">{self._drawn()}'
            f'<p><label>{escape(self.slider)} <input type="range" min="0" max="{last}" value="{self.first}" '
            f'aria-valuetext="{shown}" oninput="{escape(MOVE)}"></label> '
            f'<output aria-live="off">{shown}</output></p></div>'
        )

    def _drawn(self) -> str:
        """The picture without what only a file needs, and without ids that another picture of the page has too."""
        svg = self.svg[self.svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
        svg = re.sub(r'<g id="position-(\d+)-\d+"', self._group, svg)
        svg = re.sub(r'<g id="[^"]*"', "<g", svg)
        size = f'role="img" style="max-width:100%;height:auto" aria-label="{escape(self.told[self.first])}"'
        return re.sub(r"\s*\n\s*", "\n", svg.replace("<svg ", f"<svg {size} ", 1))

    def _group(self, match: re.Match[str]) -> str:
        hidden = "" if int(match[1]) == self.first else ' style="display:none"'
        return f'<g data-position="{match[1]}"{hidden}'


def names(position: int) -> Iterator[str]:
    """Ids for the groups of one position, one after another."""
    return (GROUP.format(position, number) for number in count())
