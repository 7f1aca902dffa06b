"""The replay of one policy: history decided again, period by period, with only what was known then."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO

import polars as pl

from shipworthy.engine.block import TELEMETRY, Block, BlockResult, code_digest, run_block
from shipworthy.engine.engine import Done, Engine
from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, UserCodeError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import Project
from shipworthy.project.code import Code, installed_packages
from shipworthy.step import History
from shipworthy.step.worth import VALUE
from shipworthy.store import canonical, digest

_CACHE = "cache"
_STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is replayed: a problem's snapshot, and from which seed.

    Attributes:
        project: Where records, objects and code are.
        code: The code that declares the problem.
        problem: The problem.
        snapshot: The object that holds the rows.
        history: Those rows, in order of time.
    """

    project: Project
    code: Code
    problem: Problem
    snapshot: str
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one policy decided and earned, period by period.

    Attributes:
        policy: The policy's name.
        table: One row per (period, unit): decisions, value, guardrails and telemetry.
        fits: How many blocks were computed now; the others were known already.
        blocks: How many blocks there are.
    """

    policy: str
    table: pl.DataFrame
    fits: int
    blocks: int

    def without_telemetry(self) -> pl.DataFrame:
        """The part of the table that must be the same whenever it is computed."""
        return self.table.drop(TELEMETRY)


def first_replayed(problem: Problem, history: History) -> Period:
    """The first period that is replayed: after the warm-up, or after a third of the history.

    Raises:
        InvalidInputError: nothing is left after the warm-up.
    """
    periods = history.periods
    if problem.warm_up is None:
        start = len(periods) // 3
    else:
        begin = Span.of(problem.warm_up).after(periods[0]) if periods else None
        start = next((i for i, period in enumerate(periods) if period >= begin), len(periods))
    if start >= len(periods):
        raise InvalidInputError(
            f"Nothing is left to replay: {len(periods)} periods, of which {problem.warm_up or 'a third'} is warm-up. "
            "Give more rows, or a shorter Problem(warm_up=...)."
        )
    return periods[start]


def replay(replayed: Replay, policy: str, engine: Engine, done: Done = lambda n, of: None) -> Track:
    """Replays one policy; blocks that were computed before are read, not computed.

    Where state is carried, blocks follow one another; otherwise they run side by side.

    Raises:
        UserCodeError: a column has a name that the track needs for itself, or the project's code failed.
    """
    _refuse_clashes(replayed.problem)
    blocks = _blocks(replayed, policy)
    if replayed.problem.next_state is None:
        results, fits = _side_by_side(replayed, blocks, engine, done)
    else:
        results, fits = _one_by_one(replayed, blocks, engine, done)
    table = pl.concat([result.track for result in results], how="vertical_relaxed")
    return Track(policy=policy, table=table, fits=fits, blocks=len(blocks))


def _refuse_clashes(problem: Problem) -> None:
    taken = {VALUE, *TELEMETRY}
    named = [*problem.key, *problem.decisions, *(rail.name for rail in problem.guardrails)]
    clashes = sorted({name for name in named if name in taken or named.count(name) > 1})
    if clashes:
        raise UserCodeError(
            f"Problem {problem.name!r} uses {', '.join(clashes)} for a key, a decision or a guardrail; the evidence needs the "
            f"names {', '.join(sorted(taken))} for itself, and every other one only once. Choose others."
        )


def _blocks(replayed: Replay, name: str) -> list[Block]:
    problem, history, project = replayed.problem, replayed.history, replayed.project
    policy = problem.make_policy(name)
    starts = _fit_periods(policy, history, first_replayed(problem, history))
    beyond = Span.of("1").after(history.periods[-1])
    version = code_digest(replayed.code, problem, name)
    return [
        Block(
            root=project.root,
            problem=problem.name,
            policy=name,
            snapshot=replayed.snapshot,
            code=version,
            first=first,
            end=end,
            seed=project.seed,
            state=dict(problem.initial_state),
        )
        for first, end in zip(starts, [*starts[1:], beyond], strict=True)
    ]


def _fit_periods(policy: Policy, history: History, first: Period) -> list[Period]:
    """The periods at which the policy is fitted: the first one, then each time its cadence has passed."""
    starts = [first]
    if policy.refit is None:
        return starts
    cadence = Span.of(policy.refit)
    for period in history.periods:
        if period >= cadence.after(starts[-1]):
            starts.append(period)
    return starts


def _side_by_side(replayed: Replay, blocks: list[Block], engine: Engine, done: Done) -> tuple[list[BlockResult], int]:
    known = [_recall(replayed, block) for block in blocks]
    missing = [block for block, result in zip(blocks, known, strict=True) if result is None]
    recalled = len(blocks) - len(missing)
    done(recalled, len(blocks))
    computed = iter(
        engine.run(run_block, missing, lambda n, of: done(recalled + n, recalled + of), partial(_keep, replayed))
    )
    return [result or next(computed) for result in known], len(missing)


def _one_by_one(replayed: Replay, blocks: list[Block], engine: Engine, done: Done) -> tuple[list[BlockResult], int]:
    results: list[BlockResult] = []
    fits = 0
    for block in blocks:
        follows = replace(block, state=results[-1].state) if results else block
        result = _recall(replayed, follows)
        if result is None:
            [result] = engine.run(run_block, [follows], lambda n, of: None, partial(_keep, replayed))
            fits += 1
        results.append(result)
        done(len(results), len(blocks))
    return results, fits


def _keep(replayed: Replay, block: Block, result: BlockResult) -> None:
    """Keeps a result as soon as it is there: what a killed replay has finished stays."""
    packed = BytesIO()
    result.track.write_parquet(packed, metadata={_STATE: canonical(dict(result.state)).decode()})
    with suppress(AlreadyExistsError):
        replayed.project.objects.put(_name(block), packed.getvalue())


def _recall(replayed: Replay, block: Block) -> BlockResult | None:
    try:
        packed = BytesIO(replayed.project.objects.get(_name(block)))
    except NotFoundError:
        return None
    state = json.loads(pl.read_parquet_metadata(packed)[_STATE])
    packed.seek(0)
    return BlockResult(pl.read_parquet(packed), state)


def _name(block: Block) -> str:
    """The name of a block's result: the digest of everything that it depends on."""
    depends = {
        "code": block.code,
        "snapshot": block.snapshot,
        "block": [block.problem, block.policy, block.first, block.end, block.seed, block.state],
        "versions": _versions(),
    }
    return f"{_CACHE}/{digest(canonical(depends))}.parquet"


@cache
def _versions() -> str:
    """The digest of Python and of every installed package."""
    return digest("\n".join([platform.python_version(), *installed_packages()]).encode())
