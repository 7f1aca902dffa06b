"""The ledger: what shipped ideas were forecast to earn, and what they earned; as a page, and to take along."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from starlette.responses import Response

from shipworthy.board.kept_pictures import Picture, kept
from shipworthy.board.news import is_news, nothing_new, seen
from shipworthy.board.plots.calibration import draw_calibration
from shipworthy.board.plots.money import draw_earned
from shipworthy.board.programme import may_begin, statistics_of
from shipworthy.board.rendering import render, render_part
from shipworthy.errors import NotFoundError, UnavailableError
from shipworthy.live.ledger import sentences
from shipworthy.live.ledger.ledger import Line, line_from, read_calibration
from shipworthy.live.ledger.page import render_ledger
from shipworthy.project import Project
from shipworthy.ship.rollout import rollout_history
from shipworthy.web.asked import Asked
from shipworthy.web.sandbox import SANDBOX
from shipworthy.web.spreadsheet import as_cell
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import Told, tell

_COLUMNS = ("idea", "title", "problem", "phase", "currency", "cadence", "raw", "periods", "answered", "earned")
_ENDS = ("low", "gain", "high")

_TOTAL = "Only what ideas earned by answering counts here; what they would have earned in the shadow does not."
_AGREE = (
    "Across: the forecast with its 90 % interval. Upwards: what live periods show, with the interval that may be read at any "
    "time. On the dashed line both agree."
)


def show_ledger(asked: Asked) -> Response:
    """The page of the ledger."""
    return _shown(asked, may_draw=False)


def show_ledger_reading(asked: Asked) -> Response:
    """The part of the page that waits for figures and plots."""
    return _shown(asked, may_draw=True)


def export_ledger(asked: Asked) -> Response:
    """The ledger as a file: CSV for a table, JSON for programs, HTML for people."""
    project, ending = asked.project(Permission.READ), asked.request.path_params["ending"]
    writers = {"csv": _csv, "json": _json, "html": _html}
    if ending not in writers:
        raise NotFoundError.among("form of the ledger", ending, writers)
    told = tell(asked.desk, project, "ledger")
    if told.answer is None:
        raise UnavailableError("The ledger is being read for the first time. Ask again in a few seconds.")
    content, kind = writers[ending](project, told.answer)
    headers = {"content-disposition": f'attachment; filename="ledger-{project.name}.{ending}"'}
    if ending == "html":
        headers = {"content-security-policy": SANDBOX}
    return Response(content, media_type=kind, headers=headers)


def _shown(asked: Asked, *, may_draw: bool) -> Response:
    project = asked.project(Permission.READ)
    has_moves = bool(project.records.find("rollout"))
    told = tell(asked.desk, project, "ledger") if has_moves else Told(answer=[], at=None, error="", is_waiting=False)
    lines = [line_from(line) for line in told.answer or []]
    pictures = _pictures(project, lines, may_draw=may_draw)
    together = read_calibration(lines)
    figures = statistics_of(asked, [project])
    token = seen(told.at, figures.at, told.is_waiting, figures.is_waiting, pictures is not None)
    known: dict[str, Any] = {
        "figures": figures.answer,
        "reckoned": figures,
        "told": told,
        "lines": lines,
        "pictures": pictures,
        "calibrated": sentences.calibrated(together) if together else "",
        "say": sentences,
        "may_begin": may_begin(asked, project),
        "is_waiting": told.is_waiting or figures.is_waiting or pictures is None,
        "seen": token,
    }
    if may_draw:
        return render_part("ledger_reading", project=project, **known) if is_news(asked, token) else nothing_new()
    return render(asked, "ledger", project=project, here="Ledger", **known)


def _pictures(project: Project, lines: Sequence[Line], *, may_draw: bool) -> list[Picture] | None:
    shown = [line.to_dict() for line in lines]
    return kept(project, "ledger", shown, lambda: _drawn(lines), may_draw=may_draw) if lines else []


def _drawn(lines: Sequence[Line]) -> list[Picture]:
    drawn = []
    for currency in dict.fromkeys(line.currency for line in lines):
        total, agree = draw_earned(lines, currency), draw_calibration(lines, currency)
        drawn += [Picture(plot, note) for plot, note in ((total, _TOTAL), (agree, _AGREE)) if plot]
    return drawn


def _csv(project: Project, lines: Sequence[Mapping[str, Any]]) -> tuple[str, str]:  # noqa: ARG001  (one signature for all)
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([*_COLUMNS, *(f"forecast_{end}" for end in _ENDS), *(f"realised_{end}" for end in _ENDS)])
    for line in lines:
        forecast, realised = line["forecast"], line["realised"] or dict.fromkeys(_ENDS)
        row = [*(line[name] for name in _COLUMNS), *(forecast[end] for end in _ENDS), *(realised[end] for end in _ENDS)]
        writer.writerow([as_cell(value) for value in row])
    return out.getvalue(), "text/csv; charset=utf-8"


def _json(project: Project, lines: Sequence[Mapping[str, Any]]) -> tuple[str, str]:  # noqa: ARG001
    return json.dumps(lines, indent=2), "application/json"


def _html(project: Project, lines: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    moves = {record.key: rollout_history(project, record.key) for record in project.records.find("rollout")}
    return render_ledger([line_from(line) for line in lines], moves), "text/html; charset=utf-8"
