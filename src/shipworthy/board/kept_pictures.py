"""Plots that were drawn once, kept under the digest of what they show; drawing takes a second, reading them none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.layout import write_file
from shipworthy.errors import UnavailableError
from shipworthy.finite import finite
from shipworthy.project import Project
from shipworthy.store import canonical, digest
from shipworthy.workspace.workspace import Workspace

_FOLDER = ".shipworthy/pictures"


class Picture(NamedTuple):
    """A plot with the note below it."""

    plot: Plot
    note: str


Drawn = Callable[[], Iterable[Picture]]


def kept(place: Project | Workspace, name: str, shown: Any, draw: Drawn, *, may_draw: bool) -> list[Picture] | None:
    """The plots of what is shown; None where they have not been drawn yet and may not be now.

    Args:
        place: Below whose folder they are kept.
        name: What they are of.
        shown: All that they depend on, as plain values.
        draw: Draws them.
        may_draw: Whether there is time for it.

    Raises:
        UnavailableError: the extra `report` is not installed.
    """
    key = digest(canonical(json.loads(json.dumps(finite([name, version("shipworthy"), shown]), default=str))))
    path = place.root / _FOLDER / f"{key}.json"
    found = _read(path)
    if found is None and may_draw:
        found = list(draw())
        with suppress(UnavailableError):  # what cannot be kept is drawn again
            write_file(path, json.dumps([[asdict(plot), note] for plot, note in found]).encode())
    return found


def _read(path: Path) -> list[Picture] | None:
    try:
        return [Picture(Plot(**plot), note) for plot, note in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return None
