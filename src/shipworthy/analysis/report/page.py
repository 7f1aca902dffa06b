"""The page of the report."""

from __future__ import annotations

from pathlib import Path

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.report import data_facts, replayed, sentences
from shipworthy.analysis.report.doubts import doubts, without_guardrails
from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.layout import lay_out
from shipworthy.analysis.report.locked import locked_facts
from shipworthy.analysis.report.plots import draw_course, draw_interval, draw_units
from shipworthy.analysis.report.provenance import AGAIN, commands, digests
from shipworthy.analysis.report.regret import draw_regret, regret_note, regret_of
from shipworthy.analysis.report.rests_on import rests_on
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.report.tiles import tiles
from shipworthy.step import Rung

_TEMPLATE = Path(__file__).with_name("page.html.jinja")


def render_report(story: Story) -> str:
    """Lays out the report; the same story gives the same page.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    return lay_out(
        _TEMPLATE,
        story=story,
        verdict=story.verdict,
        say=sentences,
        tiles=tiles(story),
        doubts=doubts(story),
        without_guardrails=without_guardrails(story),
        rests_on=rests_on(story),
        digests=digests(story),
        again=AGAIN,
        commands=commands(story),
        data=data_facts,
        locked_facts=locked_facts,
        replayed=replayed,
        plots=_plots(story),
        regret_note=regret_note(story) if regret_of(story) else "",
        solvers=replayed.solvers(story),
        rungs=[str(rung) for rung in Rung if any(str(rung) in falls for falls in story.research.falls.values())],
    )


def _plots(story: Story) -> dict[str, Plot]:
    """The plots that there is something to draw for."""
    drawn = {}
    if story.has_interval:
        drawn["interval"] = draw_interval(story)
    if not story.course.is_empty():
        drawn["course"] = draw_course(story)
        drawn["units"] = draw_units(story)
    if regret_of(story) and story.verdict.decision is not Decision.INVALID:
        drawn["regret"] = draw_regret(story)
    return drawn
