"""Writes the report of an idea into the project's folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from shipworthy.analysis.report.page import render_report
from shipworthy.analysis.report.story import tell_story
from shipworthy.errors import UnavailableError
from shipworthy.project import Project

REPORTS_FOLDER = "reports"


def write_report(project: Project, number: int) -> Path:
    """Writes `reports/NNNN-slug.html`; it is there wholly or not at all, and a newer one takes its place.

    Raises:
        GateClosedError: There is no verdict about the evidence as it stands.
        NotFoundError: There is no such idea.
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    story = tell_story(project, number)
    page = render_report(story)
    path = project.root / REPORTS_FOLDER / f"{story.idea.key}-{story.idea.slug}.html"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        partial.write_text(page, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UnavailableError(
            f"The report {path} cannot be written: {error.strerror or error}. Check that the folder may be written and "
            "that the disk has room; the verdict is recorded."
        ) from error
    return path
