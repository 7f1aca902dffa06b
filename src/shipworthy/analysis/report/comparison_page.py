"""The page that compares ideas: their intervals in one plot a currency, and every figure in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from shipworthy.analysis.comparison import Compared, by_currency
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.money import money, step_for
from shipworthy.analysis.report.drawing import GAIN, LOSS, MUTED, Plot, Range, draw_ranges
from shipworthy.analysis.report.layout import REPORTS_FOLDER, lay_out, write_page
from shipworthy.project import Project

_TEMPLATE = Path(__file__).with_name("comparison.html.jinja")
_FILE = "compare.html"
_LABEL = 24  # letters of a title that a phone has room for, beside the gain
_COLOURS = {Decision.SHIP: GAIN, Decision.STOP: LOSS}


def write_comparison(project: Project, rows: Sequence[Compared]) -> Path:
    """Writes `reports/compare.html`; it is there wholly or not at all, and a newer one takes its place.

    Raises:
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    return write_page(project.root / REPORTS_FOLDER / _FILE, render_comparison(rows))


def render_comparison(rows: Sequence[Compared]) -> str:
    """Lays out the page, ideas in the order in which they are given; the same ideas give the same page.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    plots = [draw_gains(drawn, currency) for currency, drawn in by_currency(rows).items()]
    return lay_out(_TEMPLATE, rows=rows, plots=plots, headline=headline(rows))


def headline(rows: Sequence[Compared]) -> str:
    """How many ideas there are, by their verdict."""
    count = Counter(row.decision for row in rows)
    words = {Decision.SHIP: "to ship", Decision.STOP: "to stop", None: "without a verdict"}
    parts = [f"{count[said]:,} {words.get(said, said)}" for said in (*Decision, None) if count[said]]
    ideas = "1 idea" if len(rows) == 1 else f"{len(rows):,} ideas"
    return f"{ideas}: {', '.join(parts)}" if parts else "No idea to compare yet"


def draw_gains(rows: Sequence[Compared], currency: str) -> Plot:
    """The gains a year of ideas of one currency, below one another, with their intervals."""
    ranges = [
        Range(
            label=f"{row.idea}. {shorten(row.title, _LABEL, placeholder='...')}",
            gain=row.gain,
            colour=_COLOURS.get(row.decision, MUTED) if row.decision else MUTED,
            step=step_for(row.gain, 0.0),
        )
        for row in rows
        if row.gain is not None
    ]
    best = max(ranges, key=lambda one: one.gain.gain)
    number = best.label.partition(".")[0]
    title = f"The most a year: {money(best.gain.gain, currency, best.step)}, by idea {number}"
    return draw_ranges(title, ranges, currency)
