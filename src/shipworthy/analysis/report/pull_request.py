"""The report for a pull request: Markdown in GitHub's flavour, with its pictures beside it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from shipworthy.analysis.report import sentences
from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.locked import locked_facts
from shipworthy.analysis.report.markdown import Markdown, escaped, lay_out_markdown
from shipworthy.analysis.report.pictures import png
from shipworthy.analysis.report.plots import draw_course, draw_interval
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.report.told import told

_TEMPLATE = Path(__file__).with_name("pull_request.md.jinja")


def render_markdown(findings: Findings, stem: str = "report") -> str:
    """Lays out the report as Markdown; what people wrote is text in it and nothing else.

    Args:
        findings: What is told; a `Story` tells more.
        stem: The name of the file without its ending: its pictures lie beside it under that name.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    story = findings if isinstance(findings, Story) else None
    return lay_out_markdown(
        _TEMPLATE,
        **told(findings),
        pictures=[(_shown(plot, f"{stem}{ending}"), note) for ending, (plot, note) in _plots(findings).items()],
        locked=locked_facts(story.locked, story.research.criteria) if story else [],
    )


def render_pictures(findings: Findings) -> dict[str, bytes]:
    """Draws the pictures that the Markdown shows, as PNG by the ending of their file's name.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    return {ending: png(plot) for ending, (plot, _) in _plots(findings).items()}


def _plots(findings: Findings) -> dict[str, tuple[Plot, str]]:
    """The plots that there is something to draw for, each with how it is to be read."""
    drawn = {}
    if findings.has_interval:
        drawn[".gain.png"] = (draw_interval(findings), sentences.interval_note(findings))
    if not findings.course.is_empty():
        drawn[".course.png"] = (draw_course(findings), sentences.course_note(findings))
    return drawn


def _shown(plot: Plot, file: str) -> Markdown:
    return Markdown(f"![{escaped(plot.title)}.]({quote(file)})")
