"""Parity: the packaged release, behind its real HTTP server, must decide what it decided where it was built."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.ship.release import Release
from shipworthy.ship.spare_server import spare_server
from shipworthy.step import happened, worth
from shipworthy.step.check import RefusedError, broken_constraint, settle
from shipworthy.step.worth import VALUE
from shipworthy.store import Change, read_log

_TOLERANCE = 1e-9
REMEDY = (
    "Make deciding depend on nothing but now and fitted; imports of the project's modules belong to the top of a file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How a release did against its golden decisions.

    Attributes:
        periods: Golden periods that were asked for.
        equal: Periods decided exactly alike.
        tied: Periods decided otherwise, but feasibly and for the same money: another optimum.
        broken: What went wrong, one sentence per period; empty means parity.
    """

    periods: int
    equal: int
    tied: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the package is the policy that was judged."""
        return not self.broken


def prove_parity(project: Project, release: Release) -> Parity:
    """Starts the release's server, asks it for every golden period, and compares.

    Raises:
        UnavailableError: the server does not start.
    """
    golden = release.golden.partition_by(release.problem.period, as_dict=True, maintain_order=True)
    rows = release.memory.partition_by(release.problem.period, as_dict=True)
    equal, tied, broken = 0, 0, []
    with (
        tempfile.TemporaryDirectory(prefix="shipworthy-parity-") as log,
        spare_server(project, release.problem.name, "--release", release.id, "--log", log) as server,
    ):
        for (period,), wanted in golden.items():
            status, answer = server.post("/v1/decide", _request(release, period, rows[(period,)]))
            if status != 200:
                broken.append(f"{period}: the server answered {status}: {answer.get('detail')}")
                continue
            try:
                decided = settle(release.problem, rows[(period,)], _typed(wanted, answer["decisions"]), "the server")
                difference = _difference(release, rows[(period,)], wanted, decided)
            except RefusedError as refusal:
                difference = str(refusal)
            if difference:
                broken.append(f"{period}: {difference}{_cause(Path(log) / release.problem.name, answer)}")
            elif _same(release, wanted, decided):
                equal += 1
            else:
                tied += 1
    return Parity(periods=len(golden), equal=equal, tied=tied, broken=tuple(broken))


def require_parity(project: Project, release: Release) -> Parity:
    """Proves parity and records it; what was proven stays proven.

    Raises:
        GateClosedError: a golden period is decided otherwise.
        UnavailableError: the server does not start.
    """
    known = project.records.get("parity", release.id)
    if known is not None and not known.body["broken"]:
        return Parity(**{**known.body, "broken": ()})
    parity = prove_parity(project, release)
    project.records.add(Change(kind="parity", key=release.id, body=asdict(parity)), by=project.who)
    gaps = [Gap(f"No parity. {broken}.", REMEDY) for broken in parity.broken[:3]]
    refuse_closed(f"release {release.id} to what serves", gaps)
    return parity


def _request(release: Release, period: Any, rows: pl.DataFrame) -> dict[str, Any]:
    body: dict[str, Any] = {"period": period, "rows": rows.select(list(release.schema)).to_dicts()}
    return body | ({"state": dict(release.problem.initial_state)} if release.problem.initial_state else {})


def _typed(wanted: pl.DataFrame, given: list[dict[str, Any]]) -> pl.DataFrame:
    """What the server answered, with dates and times as such: JSON has none."""
    try:
        table = pl.DataFrame(given, infer_schema_length=None)
        texts = [name for name, dtype in table.schema.items() if dtype == pl.String and name in wanted.columns]
        read = [pl.col(name).str.strptime(wanted[name].dtype) for name in texts if wanted[name].dtype.is_temporal()]  # type: ignore[arg-type]
        return table.with_columns(read)
    except pl.exceptions.PolarsError as error:
        raise RefusedError("the server", f"answered what cannot be read: {error}") from error


def _same(release: Release, wanted: pl.DataFrame, decided: pl.DataFrame) -> bool:
    columns = [release.problem.unit, *release.problem.decisions]
    return wanted.select(columns).to_dicts() == decided.select(columns).to_dicts()


def _difference(release: Release, rows: pl.DataFrame, wanted: pl.DataFrame, decided: pl.DataFrame) -> str | None:
    """What is wrong with decisions that are not the golden ones; None where they are these, or another optimum."""
    problem = release.problem
    if _same(release, wanted, decided):
        return None
    violation = broken_constraint(problem, rows.select(list(release.schema)), decided, problem.initial_state)
    if violation:
        return f"the server decided what {violation}"
    tables = [table.drop(problem.period, strict=False) for table in (wanted, decided)]
    was, now = (worth(problem, happened(problem, rows, table))[VALUE] for table in tables)
    if any(
        money is None and one != other
        for money, one, other in zip(was, *(table.rows() for table in tables), strict=True)
    ):
        return "the server decided otherwise where no outcome is known, so that nobody can say whether it is as good"
    golden, served = float(was.sum()), float(now.sum())
    if abs(golden - served) <= _TOLERANCE * max(1.0, abs(golden)):
        return None
    return f"the server's decisions were worth {served:,.2f}, the golden ones {golden:,.2f}"


def _cause(log: Path, answer: Mapping[str, Any]) -> str:
    """Why it may have decided otherwise, as its own log tells."""
    for entry in read_log(log, "decisions"):
        if entry["id"] == answer.get("id"):
            told = entry["answers"][entry["arm"]]
            if told["falls"]:
                return f" (decided by the {told['rung']}: {'; '.join(told['falls'])})"
            if told["status"] != "optimal" and "time" in (told.get("limit_kind") or ""):
                return " (its solver was stopped by the clock: a limit on its work stops at the same place everywhere)"
    return ""
