"""Writes the report of an idea into the project's folder."""

from __future__ import annotations

from pathlib import Path

from shipworthy.analysis.report.layout import REPORTS_FOLDER, write_page
from shipworthy.analysis.report.page import render_report
from shipworthy.analysis.report.story import tell_story
from shipworthy.project import Project


def write_report(project: Project, number: int) -> Path:
    """Writes `reports/NNNN-slug.html`; it is there wholly or not at all, and a newer one takes its place.

    Raises:
        GateClosedError: There is no verdict about the evidence as it stands.
        NotFoundError: There is no such idea.
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    story = tell_story(project, number)
    path = project.root / REPORTS_FOLDER / f"{story.idea.key}-{story.idea.slug}.html"
    return write_page(path, render_report(story))
