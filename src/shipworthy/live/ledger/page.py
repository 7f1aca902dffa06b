"""The ledger as a page: one HTML file that a stakeholder reads, in the look of the reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.layout import REPORTS_FOLDER, lay_out, write_page
from shipworthy.analysis.wording import a_period
from shipworthy.live.ledger import sentences
from shipworthy.live.ledger.ledger import Line, read_calibration, read_ledger
from shipworthy.live.ledger.plots import draw_course, draw_forecast
from shipworthy.project import Project
from shipworthy.ship.rollout import Rollout, rollout_history

_TEMPLATE = Path(__file__).with_name("ledger.html.jinja")
_FILE = "ledger.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the ledger with its plots."""

    line: Line
    forecast: Plot
    course: Plot | None


def write_ledger(project: Project) -> Path:
    """Writes `reports/ledger.html`; it is there wholly or not at all, and a newer one takes its place.

    Raises:
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    page = render_ledger(read_ledger(project), _moves(project))
    return write_page(project.root / REPORTS_FOLDER / _FILE, page)


def render_ledger(lines: Sequence[Line], moves: Mapping[str, Sequence[Rollout]]) -> str:
    """Lays out the ledger; the same lines and moves give the same page.

    Args:
        lines: The lines of the ledger.
        moves: Of each problem what served when, the oldest move first.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    entries = [
        Entry(line=line, forecast=draw_forecast(line), course=draw_course(line) if line.course else None)
        for line in lines
    ]
    together = read_calibration(lines)
    return lay_out(
        _TEMPLATE,
        entries=entries,
        lines=lines,
        moves=moves,
        calibration=sentences.calibrated(together) if together else None,
        say=sentences,
        a_period=a_period,
    )


def _moves(project: Project) -> dict[str, Sequence[Rollout]]:
    return {record.key: rollout_history(project, record.key) for record in project.records.find("rollout")}
