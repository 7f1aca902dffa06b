"""The verb of a refit: the policies that serve learn again from newer rows, and nothing else of them changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from shipworthy.data.freshness import stale
from shipworthy.data.leakage import find_preparation_leaks
from shipworthy.data.snapshot import Snapshot, take_snapshot
from shipworthy.engine import Replay, engine_here
from shipworthy.errors import NotFoundError
from shipworthy.problem import Period, Problem, Span
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.ship.parity import Parity, require_parity
from shipworthy.ship.release import Release, build_release, first_to_decide, open_release
from shipworthy.ship.rollout import Move, Rollout, make_move, read_rollout
from shipworthy.step import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Refitted:
    """What a refit came to.

    Attributes:
        rollout: What serves from now on.
        through: The newest period of the rows.
        made: The release made from each that was fitted again; empty where nothing was due.
        parity: How each of them did against its golden decisions.
        quarantined: How many rows broke the contract, and were set apart.
    """

    rollout: Rollout
    through: Period
    made: Mapping[str, str]
    parity: Mapping[str, Parity]
    quarantined: int


def refit(project: Project, problem_name: str, *, if_due: bool = False) -> Refitted:
    """Fits what serves a problem again, on rows read now, and moves the rollout to the new releases in one move.

    The code that learns and decides is that of the serving releases, whatever the project's folder holds by now; only where
    the rows come from, and the contract that they are held against, are those of today. Phase, share and idea stay. Where
    anything fails, nothing has moved.

    Args:
        project: The project.
        problem_name: The problem.
        if_due: Fits only what its policy's `refit` says is due; so it may be asked every day.

    Raises:
        NotFoundError: nothing is rolled out for the problem.
        GateClosedError: the rows are too old, others than the release knows, or look ahead; or a new release has no parity.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    now = read_rollout(project, problem_name)
    if now is None:
        known = [record.key for record in project.records.find("rollout")]
        raise NotFoundError.among("rollout of problem", problem_name, known, "Ship an idea first.")
    code, problem = load_problem(project, problem_name)
    snapshot = take_snapshot(project, problem)
    rows = snapshot.rows
    read = Replay(
        project=project, code=code, problem=problem, snapshot=snapshot.address, history=History(problem, rows)
    )
    through = read.history.periods[-1]
    opened = [open_release(project, name) for name in dict.fromkeys((now.champion, now.challenger)) if name]
    serving = [release for release in opened if release.manifest["snapshot"] != snapshot.address]
    due = [release for release in serving if _is_due(release, through)] if if_due else serving
    if due:
        gaps = [*stale(problem, snapshot), *_other_rows(snapshot, due, through), *_looks_ahead(read)]
        refuse_closed(f"new rows to what serves {problem_name!r}", gaps)
    made = {release.id: _built(read, release) for release in due}
    parity = {new: require_parity(project, open_release(project, new)) for new in made.values()}
    rollout = make_move(project, problem_name, now, _moved(now, made, through)) if made else now
    return Refitted(rollout=rollout, through=through, made=made, parity=parity, quarantined=snapshot.quarantined.height)


def _is_due(release: Release, through: Period) -> bool:
    """Whether its policy wants to be fitted again before the next period."""
    every = release.decider.policy.refit
    return every is not None and Span.of(every).after(_ready(release)) <= first_to_decide(release.problem, through)


def _ready(release: Release) -> Period:
    """The period for which a release was fitted."""
    return first_to_decide(release.problem, _newest(release))


def _newest(release: Release) -> Period:
    """The newest period that a release was built with."""
    return cast("Period", release.memory[release.problem.period].max())


def _built(read: Replay, release: Release) -> str:
    """The release of the same code on the rows read now."""
    replayed = Replay(
        project=read.project,
        code=release.code,
        problem=release.problem,
        snapshot=read.snapshot,
        history=History(release.problem, read.history.rows),
    )
    return build_release(replayed, release.decider.name, release.manifest["idea"], refit_of=release)


def _other_rows(snapshot: Snapshot, due: Sequence[Release], through: Period) -> list[Gap]:
    """Whether the rows are such as the releases know, and newer."""
    gaps = []
    for release in due:
        memory = release.memory
        there = {name: dtype for name, dtype in snapshot.rows.schema.items() if name in memory.columns}
        if there != dict(memory.schema):
            wanted = _differences(dict(memory.schema), there)
            gaps.append(
                Gap(f"Release {release.id} knows other columns: {wanted}.", "Put the source right, or ship anew.")
            )
        elif through < _newest(release):
            what = f"The rows end at {through}, and release {release.id} knows {_newest(release)}."
            gaps.append(Gap(what, "Bring the rows up to date."))
    return gaps


def _differences(wanted: Mapping[str, object], there: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name} as {dtype}" + (f", not {there[name]}" if name in there else ", which is gone")
        for name, dtype in wanted.items()
        if there.get(name) != dtype
    )


def _looks_ahead(read: Replay) -> list[Gap]:
    """Whether the rows of a period hold what was known only later; the policies themselves had their proof."""
    problem: Problem = read.problem
    with engine_here(read.project, read.history.rows) as engine:
        leaks = find_preparation_leaks(read, str(problem.champion), engine)
    return [Gap(f"The preparation of the rows looks ahead: {leak.why}", "Let it look back only.") for leak in leaks]


def _moved(now: Rollout, made: Mapping[str, str], through: Period) -> Move:
    """The same move with the new releases in the place of the old ones."""
    kept: dict[str, Any] = {field.name: getattr(now, field.name) for field in fields(Move)}
    for arm in ("champion", "challenger"):
        kept[arm] = made.get(kept[arm], kept[arm])
    for said in ("trigger", "evidence"):  # what moved it before did not move it now
        if said in kept:
            kept[said] = None
    return Move(**{**kept, "why": f"It was fitted again, through {through}."})
