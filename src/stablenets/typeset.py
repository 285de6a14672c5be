"""Digits typeset with the fonts that matplotlib carries: the same ten symbols as the handwritten ones, drawn otherwise.

They play the part of the cartoons in the story of cats and dogs: a person reads them without trouble, a model trained
on handwriting does not.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from stablenets._arguments import positive, positive_integer, within

# Named by file, so that every machine with matplotlib draws the same letters whatever fonts it has installed.
FONTS = (
    *(f"DejaVuSans{style}.ttf" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}.ttf" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"DejaVuSansMono{style}.ttf" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic", "BolIta")),
    *("cmr10.ttf", "cmb10.ttf", "cmss10.ttf", "cmtt10.ttf"),
)
BLOCK = 4  # a pixel counts the ink in 4 × 4 dots, hence the values 0 to 16
CANVAS = 72  # dots along each side of the canvas on which a glyph is drawn once
GLYPH = 48  # of them, the height of the glyph


def typeset_digits(
    n: int, *, generator: torch.Generator, size: int = 8, height: float = 26 / 32
) -> tuple[Tensor, Tensor]:
    """Draw digits in random fonts, each a little scaled, slanted, turned and displaced.

    The last steps are those by which the handwritten digits were made: a bitmap of 32 × 32 dots, whose ink is counted
    in blocks of 4 × 4. Heights are 85–105 % of ``height``, widths 85–115 % of the font's, angle and slant have standard
    deviation 0.08, positions 1 dot of 32. The handwritten digits fill their images; by default these do not, and that
    is about half of the shift: with ``height`` 1 it is the shape alone that differs.

    Args:
        n: number of images.
        generator: draws labels, fonts and deformations.
        size: pixels along each side.
        height: of a digit, as a share of the image's, in (0, 1].

    Returns:
        Images ``(n, size²)``, float32, pixels from 0 (paper) to 16 (ink), and labels ``(n,)``, int64, uniform
        over 0 to 9. :func:`stablenets.data.standardize` brings the images to the scale of the handwritten ones.

    >>> images, labels = typeset_digits(20, generator=torch.Generator().manual_seed(0))
    >>> images.shape, images.min().item(), images.max().item()
    (torch.Size([20, 64]), 0.0, 16.0)

    Source: Alpaydin and Kaynak (1998) for the blocks; the fonts are DejaVu, STIX and Computer Modern.
    """
    positive_integer("n", n)
    within("height", positive("height", height), 0.0, 1.0)
    dots = BLOCK * positive_integer("size", size)
    labels = torch.randint(10, (n,), generator=generator)
    fonts = torch.randint(len(FONTS), (n,), generator=generator)
    glyphs = _glyphs()[fonts, labels].unsqueeze(1)
    grid = functional.affine_grid(_deformations(n, height, generator), [n, 1, dots, dots], align_corners=False)
    # A dot is ink or paper, as in a scanned bitmap.
    bitmap = (functional.grid_sample(glyphs, grid, align_corners=False) > 0.5).float()
    return functional.avg_pool2d(bitmap, BLOCK).mul(BLOCK**2).flatten(1), labels


def _deformations(n: int, height: float, generator: torch.Generator) -> Tensor:
    """Return random maps ``(n, 2, 3)`` from the image's plane to the glyph's, both with sides from −1 to 1."""
    tall = height * CANVAS / GLYPH * _uniform(n, 0.85, 1.05, generator)
    wide = tall * _uniform(n, 0.85, 1.15, generator)
    angle, slant = 0.08 * torch.randn(2, n, generator=generator)
    place = torch.randn(n, 2, 1, generator=generator) / 16
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2)
    scale = torch.stack([wide, slant * tall, torch.zeros(n), tall], 1).view(n, 2, 2)
    backwards = torch.linalg.inv(turn @ scale)
    return torch.cat([backwards, -backwards @ place], dim=2)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


@cache
def _glyphs() -> Tensor:
    """Return every digit in every font, ``(fonts, 10, CANVAS, CANVAS)``: 1 is ink, 0 is paper."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    properties = [FontProperties(fname=str(folder / name)) for name in FONTS]
    return torch.stack([torch.stack([_glyph(str(digit), font) for digit in range(10)]) for font in properties])


def _glyph(text: str, font: object) -> Tensor:
    """Rasterise one glyph, centred, ``GLYPH`` dots high: a dot is inside if it lies in an odd number of outlines."""
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextPath

    polygons = [torch.from_numpy(outline.copy()) for outline in TextPath((0, 0), text, prop=font).to_polygons()]
    corners = torch.cat(polygons)
    low, high = corners.amin(0), corners.amax(0)
    centre = torch.arange(CANVAS, dtype=torch.float64) + 0.5 - CANVAS / 2
    # Rows are counted from the top, the font's y from the bottom.
    dots = torch.cartesian_prod(-centre, centre).flip(1) * (high - low)[1] / GLYPH + (low + high) / 2
    outlines = sum(torch.from_numpy(Outline(polygon).contains_points(dots)).int() for polygon in polygons)
    return (outlines % 2).view(CANVAS, CANVAS).float()
