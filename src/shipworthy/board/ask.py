"""Ask: a question in SQL over what a project knows, with its answer as a table, as a plot, and to take along."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from shipworthy.analysis.money import MINUS
from shipworthy.analysis.report.drawing import Plot
from shipworthy.board.form import field
from shipworthy.board.rendering import go, render
from shipworthy.errors import InvalidInputError, ShipworthyError, UnavailableError
from shipworthy.programme.ask import Answer, ask
from shipworthy.programme.limits import Limits
from shipworthy.programme.queries import find_queries, read_query, save_query
from shipworthy.programme.tables import TABLES, columns_of, mentioned
from shipworthy.project import Project
from shipworthy.web.asked import Asked
from shipworthy.web.spreadsheet import as_sheet
from shipworthy.web.status import status_of
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import tell

LONGEST = 8_000
"""Letters of a question: it stands in the address of the page, so that an answer can be sent to somebody as a link."""
SHOWN = 500
KINDS = ("table", "line", "bar", "points")
_LIMITS = Limits(rows=10_000)
_PLOT = "shipworthy.programme.answer_plot"  # draws, so only where a plot is asked for


class Column(NamedTuple):
    """A column of an answer: its name, its type, and whether it holds numbers."""

    name: str
    kind: str
    is_number: bool


def show_ask(asked: Asked) -> Response:
    """The page, with the answer where a question was asked."""
    project = asked.project(Permission.ASK)
    query = asked.request.query_params
    sql = query.get("sql", "") or (read_query(project, query["saved"]).sql if query.get("saved") else "")
    answer, error, plot, undrawn = None, None, None, ""
    if sql.strip():
        try:
            answer = _answered(asked, project, sql)
        except ShipworthyError as refusal:
            error = refusal
    if answer is not None:
        try:
            plot = _plot(answer, query.get("kind", "table"), query.get("x", ""), query.get("y", ""))
        except ShipworthyError as refusal:
            undrawn = str(refusal)
    known: dict[str, Any] = {
        "sql": sql,
        "saved": query.get("saved", ""),
        "queries": find_queries(project),
        "tables": {name: columns_of(name) for name in TABLES},
        "answer": answer,
        "columns": _columns(answer) if answer else [],
        "rows": _rows(answer) if answer else [],
        "plot": plot,
        "undrawn": undrawn,
        "error": str(error or "").partition("\n\n"),
        "is_busy": isinstance(error, UnavailableError),
        "kind": query.get("kind", "table"),
        "x": query.get("x", ""),
        "y": query.get("y", ""),
        "kinds": KINDS,
        "limits": _LIMITS,
        "shown": SHOWN,
        "longest": LONGEST,
        "csv": f"/projects/{project.name}/ask.csv?{urlencode({'sql': sql})}",
    }
    return render(asked, "ask", project=project, here="Ask", status=status_of(error) if error else 200, **known)


def export_answer(asked: Asked) -> Response:
    """The answer as CSV, with all of its rows; that it was taken out is noted."""
    project = asked.project(Permission.ASK)
    answer = _answered(asked, project, asked.request.query_params.get("sql", ""))
    AuditLog(asked.desk.workspace.records).exported(
        asked.principal.name, f"an answer of {answer.frame.height:,} rows from {project.name}", squad=project.squad
    )
    headers = {"content-disposition": f'attachment; filename="{project.name}-answer.csv"'}
    return Response(as_sheet(answer.flat()).write_csv(), media_type="text/csv; charset=utf-8", headers=headers)


def save_question(asked: Asked) -> Response:
    """Saves a question under a name, for everybody who may read the project."""
    project = asked.project(Permission.ASK)
    kept = save_query(project, field(asked, "name"), field(asked, "sql"), field(asked, "why"))
    return go(
        f"/projects/{project.name}/ask?{urlencode({'saved': kept.name})}",
        f"Saved as {kept.name}, version {kept.version}.",
    )


def _answered(asked: Asked, project: Project, sql: str) -> Answer:
    if len(sql) > LONGEST:
        raise InvalidInputError(
            f"A question has at most {LONGEST:,} letters here, this one {len(sql):,}. Ask longer ones by `shipworthy ask`."
        )
    lines = tell(asked.desk, project, "ledger").answer or [] if "ledger" in mentioned(sql) else []
    with asked.desk.questions.of(asked.principal.name):
        return ask([project], sql, limits=_LIMITS, ledger={project.space: lines})


def _plot(answer: Answer, kind: str, x: str, y: str) -> Plot | None:
    if kind not in KINDS[1:] or not answer.frame.height:
        return None
    names = answer.frame.columns
    numbers = [column.name for column in _columns(answer) if column.is_number]
    times = [name for name in names if answer.frame[name].dtype.is_temporal()]
    x = x if x in names else next(iter([] if kind == "bar" else times + numbers), names[0])
    y = y if y in names else next((name for name in numbers if name != x), numbers[0] if numbers else names[-1])
    plot: Plot = import_module(_PLOT).draw_answer(answer, x, y, kind)
    return plot


def _columns(answer: Answer) -> list[Column]:
    frame = answer.frame
    return [
        Column(name, kind.lower(), frame[name].dtype.is_numeric())
        for name, kind in zip(frame.columns, answer.types, strict=True)
    ]


def _rows(answer: Answer) -> list[Sequence[str | None]]:
    return [[_cell(value) for value in row] for row in answer.frame.head(SHOWN).iter_rows()]


def _cell(value: Any) -> str | None:
    """A value as a table shows it; None where it is null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}".replace("-", MINUS) if math.isfinite(value) else "not finite"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value).replace("-", MINUS) if isinstance(value, int) else str(value)
