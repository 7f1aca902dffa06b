"""A drill: how long it takes from harm to the old champion's answers, measured on a spare service with planted harm."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.data.snapshot import open_snapshot
from shipworthy.errors import InvalidInputError, UnavailableError
from shipworthy.project import Project, open_project
from shipworthy.project.project import CONFIG_NAME
from shipworthy.ship.advance import advance
from shipworthy.ship.logged import Logged
from shipworthy.ship.reading import judged_for_shadow
from shipworthy.ship.release import Release, open_release
from shipworthy.ship.rollout import Move, Phase, Rollout, make_move, rolled_out, rollout_history
from shipworthy.ship.rules import read_rules
from shipworthy.ship.sides import moves_of, sides_of
from shipworthy.ship.spare_server import SpareServer, spare_server
from shipworthy.step import History, happened, worth
from shipworthy.step.worth import VALUE
from shipworthy.store import Change

_KEYS = "keys"
_PERIODS = 60
_CANDIDATES = 10
_WAIT_S = 30.0
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """How a planted harm was found and taken back.

    Attributes:
        problem: The problem.
        harmed: The release that the harm was planted for, live in the scratch copy.
        back: The release from before it.
        periods: Harmful periods until it was found.
        trigger: What found it.
        found_seconds: From the moment that the last of their outcomes was acknowledged to the move.
        answered_seconds: From the move to the first answer of the release from before.
        lost: Money that the planted harm cost per period, on average.
    """

    problem: str
    harmed: str
    back: str
    periods: int
    trigger: str
    found_seconds: float
    answered_seconds: float
    lost: float


def run_drill(project: Project, problem: str) -> Drill:
    """Lets the release of the last idea be live in a scratch copy, plants harm, and waits for the rollback.

    The last periods of the snapshot are lived through once more, as if they came next, behind a real service; of each, the
    outcomes are put together, unit by unit, from those of other days that are the worst for the release. The project's own
    rollout and logs are not touched; what was measured is kept as a record.

    Raises:
        NotFoundError: nothing is rolled out for the problem.
        InvalidInputError: no idea was ever in its rollout, or its outcomes depend on what is decided.
        UnavailableError: the spare service does not start, or the harm was not found in 60 periods.
    """
    moves = rolled_out(project, problem)
    tried = [move for move in moves if move.challenger is not None and move.idea is not None]
    if not tried:
        raise InvalidInputError(
            f"Only the baseline serves {problem!r}, so nothing can be taken back. Ship an idea first."
        )
    last = tried[-1]
    harmed, back = last.challenger, last.champion
    if last.phase is Phase.LIVE:
        harmed, back = back, harmed
    assert harmed is not None and back is not None, "a trial has two releases"  # noqa: PT018
    release = open_release(project, harmed)
    if not release.problem.counterfactual:
        raise InvalidInputError(
            f"Outcomes of {problem!r} depend on what is decided, so that no other day's can be planted. There is no drill for it."
        )
    with _scratch(project, moves, str(last.idea), harmed, back) as scratch, spare_server(scratch, problem) as server:
        found = _harm(scratch, server, release, back)
    project.records.add(Change(kind="drill", key=problem, body=asdict(found)), by=project.who)
    return found


@contextmanager
def _scratch(project: Project, moves: Sequence[Rollout], idea: str, harmed: str, back: str) -> Iterator[Project]:
    """A project with records and logs of its own, over the same objects, in which the release is live."""
    problem = moves[0].problem
    settings = [
        "[project]",
        f"problems = {list(project.references)!r}",
        "[store]",
        f"objects = {_absolute(project)!r}",
        "[release]",
        f"allow_unsigned = {list(project.settings['release']['allow_unsigned'])!r}",
        "[rollout]",
        f"on_fail = {read_rules(project, problem).on_fail!r}",
    ]
    judged = judged_for_shadow(project, moves_of(moves, idea), idea)
    assert judged is not None, "an idea in a rollout was judged"
    with tempfile.TemporaryDirectory(prefix="shipworthy-drill-") as folder:
        (Path(folder) / CONFIG_NAME).write_text("\n".join(settings) + "\n", encoding="utf-8")
        if (project.root / _KEYS).is_dir():  # whom the project trusts, its drill trusts
            shutil.copytree(project.root / _KEYS, Path(folder) / _KEYS)
        scratch = open_project(Path(folder))
        try:
            releases = [project.records.get("release", one) for one in (harmed, back)]
            copied = [
                Change(kind=one.kind, key=one.key, body=one.body) for one in (*releases, judged) if one is not None
            ]
            scratch.records.add(*copied, by=project.who)
            live = Move(phase=Phase.LIVE, champion=back, why="a drill")
            first = make_move(scratch, problem, None, live)
            shadow = replace(live, phase=Phase.SHADOW, challenger=harmed, idea=idea)
            second = make_move(scratch, problem, first, shadow)
            make_move(scratch, problem, second, replace(live, champion=harmed, challenger=back, idea=idea))
            yield scratch
        finally:
            scratch.records.close()


def _absolute(project: Project) -> str:
    address = str(project.settings["store"]["objects"])
    return address if "://" in address else str((project.root / address).resolve())


def _harm(scratch: Project, server: SpareServer, release: Release, back: str) -> Drill:
    """Lives through harmful periods until the rollout has taken the release back and the old champion answers."""
    problem, lost = release.problem, 0.0
    history = History(problem, open_snapshot(scratch, str(release.manifest["snapshot"])))
    settled = [history.settled(period) for period in history.periods[-_CANDIDATES:]]
    ahead = _ahead(history.periods[-_PERIODS:])
    for n, (lived, period) in enumerate(ahead.items(), start=1):
        rows = history.to_decide(lived).select(list(release.schema))
        _asked(server, release, period, rows)
        outcomes, gain = _worst(scratch, release, period, history.settled(lived), settled)
        lost -= gain
        told = outcomes.select(*problem.key, *_late(release, outcomes)).to_dicts()
        status, answer = server.post("/v1/outcomes", {"rows": told})
        if status != 200:
            raise UnavailableError(f"The spare service answered {status} to an outcome: {answer.get('detail')}")
        acknowledged = time.perf_counter()
        found = advance(scratch, problem.name)
        if found.moved and found.rollout is not None:
            moved = time.perf_counter()
            while _asked(server, release, period, rows) != back:
                if time.perf_counter() - moved > _WAIT_S:
                    raise UnavailableError("The service did not answer with the release from before within 30 s.")
                time.sleep(0.01)
            return Drill(
                problem=problem.name,
                harmed=release.id,
                back=back,
                periods=n,
                trigger=str(found.rollout.trigger),
                found_seconds=moved - acknowledged,
                answered_seconds=time.perf_counter() - moved,
                lost=lost / n,
            )
    raise UnavailableError(
        f"The planted harm, {lost / len(ahead):,.2f} a period, was not found in {len(ahead)} periods: the two releases "
        "decide too much alike."
    )


def _ahead(periods: Sequence[Any]) -> dict[Any, Any]:
    """Of each period the one that it is lived through as: by whole weeks later, so that weekdays stay, or numbers further."""
    first, last = periods[0], periods[-1]
    if not isinstance(first, date):
        return {period: period + (last - first + 1) for period in periods}
    weeks = (last - first) // _WEEK + 1
    return {period: period + weeks * _WEEK for period in periods}


def _asked(server: SpareServer, release: Release, period: Any, rows: pl.DataFrame) -> str:
    """Asks for a period's decisions; gives the release that answered."""
    body: dict[str, Any] = {"period": period, "rows": rows.to_dicts()}
    body |= {"state": dict(release.problem.initial_state)} if release.problem.initial_state else {}
    status, answer = server.post("/v1/decide", body)
    if status != 200:
        raise UnavailableError(f"The spare service answered {status} to {period}: {answer.get('detail')}")
    return str(answer["release"])


def _worst(
    scratch: Project, release: Release, period: Any, lived: pl.DataFrame, others: list[pl.DataFrame]
) -> tuple[pl.DataFrame, float]:
    """A period's rows with the outcomes of the day, of all days at hand, on which the release earns the least; and what."""
    problem = release.problem
    old, new = _decided(scratch, release, period)
    hidden = _late(release, lived)
    found: list[tuple[float, int, pl.DataFrame]] = []
    for i, other in enumerate((lived, *others)):
        late = other.select(problem.unit, pl.col(hidden).name.suffix("_instead"))
        joined = lived.join(late, on=problem.unit, how="left", maintain_order="left")
        swapped = joined.with_columns(pl.coalesce(f"{name}_instead", name).alias(name) for name in hidden)
        rows = swapped.select(lived.columns).with_columns(
            pl.lit(period).cast(lived.schema[problem.period]).alias(problem.period)
        )
        gain = sum(
            sign * float(worth(problem, happened(problem, rows, side))[VALUE].sum())
            for sign, side in ((1, new), (-1, old))
        )
        found.append((gain, i, rows))
    gain, _, rows = min(found, key=lambda one: one[:2])
    return rows, gain


def _late(release: Release, rows: pl.DataFrame) -> list[str]:
    """The columns that are known only after deciding, as far as the rows have them."""
    return [name for name in release.problem.hidden if name in rows.columns]


def _decided(scratch: Project, release: Release, period: Any) -> list[pl.DataFrame]:
    """What the old and the new side decided for a period, as soon as the log has both."""
    moves = rollout_history(scratch, release.problem.name)
    sides = sides_of(moves, str(moves[-1].idea))
    until = time.perf_counter() + _WAIT_S
    while True:
        logged = Logged(scratch, release, sides)
        tables = [logged.decisions_of(side) for side in (sides.old, sides.new)]
        if all(table.height for table in tables):
            mine = [table.filter(pl.col(release.problem.period) == period) for table in tables]
            if all(table.height for table in mine):
                return [table.drop(release.problem.period) for table in mine]
        if time.perf_counter() > until:
            raise UnavailableError(f"The log has no decision of both releases for {period} after {_WAIT_S:g} s.")
        time.sleep(0.05)
