"""Deciding a table, period by period, the way the service does: the same answers, log, arms and keys, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import msgspec
import polars as pl

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.live.answering import Answered, Answering
from shipworthy.live.claims import Claims
from shipworthy.live.given import Row, as_rows, read_source, refuse_lacking
from shipworthy.live.outcomes import archive_of
from shipworthy.live.refusals import RefusedError
from shipworthy.live.serving import Serving, open_serving
from shipworthy.project import Project
from shipworthy.store import canonical, digest

_KEY = "batch-"
_DIGITS = 32


def decide_table(
    project: Project, problem: str, table: pl.DataFrame, state: Mapping[str, Any] | None = None
) -> list[Answered]:
    """Decides every period of a table, the oldest first, each as one request to the service would be.

    The key of a period is made of the problem, the period, its rows and the state: the same table again gives the decisions
    that were made the first time, and logs nothing. Columns that a policy may not see, such as outcomes, are left aside.

    Raises:
        InvalidInputError: rows break the contract; earlier periods are decided and logged, and stay so.
        NotFoundError: nothing is shipped for the problem yet.
        UnavailableError: nothing could decide a period, or the log does not answer.
    """
    serving = open_serving(project, problem)
    folder = project.log_folder / problem
    with closing(Answering(problem, folder, archive_of(project, problem, folder))) as answering:
        claims = Claims(folder / ".claims")
        bodies = _bodies(serving, table, state)
        return [asyncio.run(_decided(answering, claims, serving, problem, body)) for body in bodies]


def source_rows(project: Project, name: str, period: str) -> pl.DataFrame:
    """The rows that the problem's own source has of one period.

    Raises:
        NotFoundError: it has none of that period.
    """
    problem, rows = read_source(project, name)
    found = rows.filter(pl.col(problem.period).cast(pl.String) == period)
    if found.is_empty():
        last = rows[problem.period].sort().to_list()[-1]
        raise NotFoundError(f"The rows of problem {name!r} have no period {period!r}. The last one is {last}.")
    return found


def as_plan(answered: Sequence[Answered], period: str) -> pl.DataFrame:
    """All decisions as a table: period, unit, decisions, and who decided."""
    rows = [
        {period: document["period"], **decision, **{name: document[name] for name in ("arm", "release", "rung", "id")}}
        for document in (one.document for one in answered)
        for decision in document["decisions"]
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


async def _decided(answering: Answering, claims: Claims, serving: Serving, problem: str, body: Row) -> Answered:
    """One period; whoever decides the same at the same moment waits for this one, and gets its answer."""
    about = {**body, "problem": problem, "rows": sorted(canonical(row).decode() for row in body["rows"])}
    key = _KEY + digest(canonical(about))[:_DIGITS]
    try:
        async with claims.hold(key):
            return answering.decide(serving, msgspec.json.encode(body), key)
    except RefusedError as refusal:
        raise _told(refusal, body) from refusal


def _bodies(serving: Serving, table: pl.DataFrame, state: Mapping[str, Any] | None) -> list[Row]:
    """A request per period."""
    problem, contract = serving.champion.release.problem, serving.champion.contract
    refuse_lacking(table, [problem.period, *contract.asked], "Rows to decide")
    optional = serving.challenger.contract.asked if serving.challenger else {}
    columns = {problem.period: contract.columns[problem.period], **optional, **contract.asked}
    periods: dict[Any, list[Row]] = {}
    for row in as_rows(table.sort(problem.period, maintain_order=True), columns):
        periods.setdefault(row.pop(problem.period), []).append(row)
    if len(periods) > 1 and problem.next_state is not None:
        raise InvalidInputError(
            f"Problem {problem.name!r} carries state, and what comes after a period is known only once it is over. Give the rows "
            f"of one period with its --state; there are {len(periods)}."
        )
    if not periods:
        raise InvalidInputError("There is no row to decide. Give at least one period.")
    carried = {"state": dict(state)} if state is not None else {}
    return [{"period": period, "rows": rows, **carried} for period, rows in periods.items()]


def _told(refusal: RefusedError, body: Mapping[str, Any]) -> InvalidInputError | UnavailableError:
    """The refusal in the words of a table: which row of which period."""
    errors = refusal.document.get("errors", [])
    listed = "; ".join(f"{error['field']} {error['detail']}" for error in errors) or str(refusal)
    kind = UnavailableError if refusal.status >= 500 or refusal.status == 409 else InvalidInputError
    shown = {error["field"].partition(".")[0] for error in errors} & {f"rows[{n}]" for n in range(len(body["rows"]))}
    rows = "".join(f" {name} is {json.dumps(body['rows'][int(name[5:-1])])}." for name in sorted(shown)[:3])
    return kind(f"Period {body['period']}: {listed.rstrip('.')}.{rows}")
