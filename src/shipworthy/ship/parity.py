"""Parity: the packaged release, behind its real HTTP server, must decide what it decided where it was built."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.ship.release import Release
from shipworthy.ship.spare_server import spare_server
from shipworthy.step import happened, worth
from shipworthy.step.check import RefusedError, broken_constraint, settle
from shipworthy.step.worth import VALUE
from shipworthy.store import Change

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
            elif _same(release, wanted, answer["decisions"]):
                equal += 1
            elif (difference := _difference(release, rows[(period,)], wanted, answer["decisions"])) is None:
                tied += 1
            else:
                broken.append(f"{period}: {difference}")
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


def _same(release: Release, wanted: pl.DataFrame, given: list[dict[str, Any]]) -> bool:
    columns = [release.problem.unit, *release.problem.decisions]
    return wanted.select(columns).to_dicts() == [{name: row.get(name) for name in columns} for row in given]


def _difference(release: Release, rows: pl.DataFrame, wanted: pl.DataFrame, given: list[dict[str, Any]]) -> str | None:
    """What is wrong with decisions that are not the golden ones; None where they are another optimum."""
    problem = release.problem
    try:
        decisions = settle(problem, rows, pl.DataFrame(given, infer_schema_length=None), "the server")
    except RefusedError as refusal:
        return str(refusal)
    violation = broken_constraint(problem, rows.select(list(release.schema)), decisions, problem.initial_state)
    if violation:
        return f"the server decided what {violation}"
    money = [
        float(worth(problem, happened(problem, rows, table.drop(problem.period, strict=False)))[VALUE].sum())
        for table in (wanted, decisions)
    ]
    if abs(money[0] - money[1]) <= _TOLERANCE * max(1.0, abs(money[0])):
        return None
    return f"the server's decisions were worth {money[1]:,.2f}, the golden ones {money[0]:,.2f}"
