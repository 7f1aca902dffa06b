"""Plots as pictures, for where SVG with a page's colours is not shown: on white, so that they read in dark mode too."""

from __future__ import annotations

import re

from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.palette import LIGHT
from shipworthy.library import library

_SCALE = 2
_FONTS = "Arial, DejaVu Sans, sans-serif"


def png(plot: Plot) -> bytes:
    """Draws the wide form of a plot as PNG, twice as large as on a page.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    coloured = re.sub(r"var\(--([\w-]+)\)", lambda found: LIGHT[found[1]], plot.wide)
    svg = coloured.replace("system-ui, sans-serif", _FONTS)
    on_white = re.sub(r"(<svg[^>]*>)", rf'\1<rect width="100%" height="100%" fill="{LIGHT["card"]}"/>', svg, count=1)
    picture: bytes = library("vl_convert", "report").svg_to_png(on_white, scale=_SCALE)
    return picture
