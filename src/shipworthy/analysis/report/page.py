"""The page of the report: one HTML file without scripts, that loads nothing."""

from __future__ import annotations

import math
from pathlib import Path

from shipworthy.analysis.report import sentences
from shipworthy.analysis.report.library import library
from shipworthy.analysis.report.money import MINUS, share
from shipworthy.analysis.report.plots import Plot, draw_course, draw_interval, draw_units
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.wording import amount
from shipworthy.step import Rung

_TEMPLATE = "page.html.jinja"


def render_report(story: Story) -> str:
    """Lays out the report; the same story gives the same page.

    Everything that people wrote is escaped, and the page's own policy forbids scripts and loading.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    jinja = library("jinja2")
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"exact": _exact, "precise": _precise, "share": share, "seconds": _seconds}
    page: str = environment.get_template(_TEMPLATE).render(
        story=story,
        verdict=story.verdict,
        say=sentences,
        plots=_plots(story),
        rungs=[str(rung) for rung in Rung if any(str(rung) in falls for falls in story.research.falls.values())],
    )
    return page


def _plots(story: Story) -> dict[str, Plot]:
    """The plots that there is something to draw for."""
    drawn = {}
    if story.has_interval:
        drawn["interval"] = draw_interval(story)
    if not story.course.is_empty():
        drawn["course"] = draw_course(story)
        drawn["units"] = draw_units(story)
    return drawn


def _exact(money: float) -> str:
    """Money to the cent; an end that is not known says so."""
    return _signed(f"{money:,.2f}") if math.isfinite(money) else "unknown"


def _precise(number: float) -> str:
    """A number with four digits that count."""
    return _signed(amount(number)) if math.isfinite(number) else "unknown"


def _signed(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g}" if seconds < 10.0 else f"{seconds:,.0f}"
