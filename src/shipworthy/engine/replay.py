"""The replay of one policy: history decided again, period by period, with only what was known then."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO

import polars as pl

from shipworthy.engine.block import TELEMETRY, Block, BlockResult, code_digest, fit_block, learns, run_block
from shipworthy.engine.engine import Done, Engine
from shipworthy.engine.logged import rescored
from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, UserCodeError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import Project
from shipworthy.project.code import Code, installed_packages
from shipworthy.step import History
from shipworthy.step.worth import VALUE
from shipworthy.store import canonical, digest
from shipworthy.store.frames import to_parquet

_CACHE = "cache"
_STATE = "state"
_LOOKS = "looks"
_AHEAD = 8
"""Blocks whose fits run side by side ahead of the decisions, where state is carried; so many are held at a time."""
_AT_ONCE = 365
"""Periods that one worker foresees: so many that starting the worker is worth it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is replayed: a problem's snapshot, and from which seed.

    Attributes:
        project: Where records, objects and code are.
        code: The code that declares the problem.
        problem: The problem.
        snapshot: The object that holds the rows.
        history: Those rows, in order of time.
        seed: The seed from which each period's is derived; None means the project's.
        foresight: Whether the oracle decides each period, instead of the policy; see `engine.foresight`.
        subsample: The seed of a stretch that is kept from every fit, for placebos; None keeps nothing from them.
        salt: Computes everything anew under names of its own, where it is not empty.
    """

    project: Project
    code: Code
    problem: Problem
    snapshot: str
    history: History
    seed: int | None = None
    foresight: bool = False
    subsample: int | None = None
    salt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one policy decided and earned, period by period.

    Attributes:
        policy: The policy's name.
        table: One row per (period, unit): decisions, value, guardrails and telemetry.
        fits: How many blocks were computed now; the others were known already.
        blocks: How many blocks there are.
        looks: How many candidates all its fits together chose among.
    """

    policy: str
    table: pl.DataFrame
    fits: int
    blocks: int
    looks: int = 0

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


def replay(
    replayed: Replay,
    policy: str,
    engine: Engine,
    done: Done = lambda n, of: None,
    between: tuple[Period, Period] | None = None,
) -> Track:
    """Replays one policy; blocks that were computed before are read, not computed.

    Where state is carried, blocks follow one another; otherwise they run side by side. Asked for the periods between two,
    both included, it runs only the blocks that they need, as the whole replay would, and leaves out what lies around.

    Where outcomes depend on what was decided, and decisions were drawn and logged, scores take the place of values: see
    `engine.logged`.

    Raises:
        InvalidInputError: logged decisions cannot be scored.
        UserCodeError: a column has a name that the track needs for itself, or the project's code failed.
    """
    _refuse_clashes(replayed.problem)
    blocks = _blocks(replayed, policy)
    if between is not None:
        blocks = _touched(blocks, *between, is_carried=replayed.problem.next_state is not None)
    if replayed.problem.next_state is None:
        results, fits = _side_by_side(replayed, blocks, engine, done)
    else:
        results, fits = _one_by_one(replayed, blocks, engine, done)
    table = pl.concat([result.track for result in results], how="vertical_relaxed")
    if not replayed.problem.counterfactual and replayed.problem.propensity is not None:
        table = rescored(replayed.problem, replayed.history.newest.rows, table)
    if between is not None:
        table = table.filter(pl.col(replayed.problem.period).is_between(pl.lit(between[0]), pl.lit(between[1])))
    looks = sum(result.looks for result in results)
    return Track(policy=policy, table=table, fits=fits, blocks=len(blocks), looks=looks)


def decide_again(
    replayed: Replay, track: Track, periods: Sequence[Period], engine: Engine, done: Done = lambda n, of: None
) -> pl.DataFrame:
    """Decides some periods of a track once more: the same policy, fit, state and seed, but ten times its time limit.

    Returns:
        A track's table of these periods.
    """
    problem = replayed.problem
    plans = track.table.select(*problem.key, *problem.decisions)
    looked = [
        replace(block, again=tuple(again), recorded=_recorded(problem, plans, block))
        for block in _blocks(replayed, track.policy)
        if (again := [period for period in periods if block.first <= period < block.end])
    ]
    results, _ = _side_by_side(replayed, looked, engine, done)
    return pl.concat([result.track for result in results], how="vertical_relaxed")


def _recorded(problem: Problem, plans: pl.DataFrame, block: Block) -> bytes:
    """The plans of a block; where state is carried, those before it too, for they led to the state that it began from."""
    at = pl.col(problem.period)
    is_needed = at < pl.lit(block.end)
    if problem.next_state is None:
        is_needed &= at >= pl.lit(block.first)
    return to_parquet(plans.filter(is_needed))


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
    first = first_replayed(problem, history)
    starts = _stretches(history, first) if replayed.foresight else _fit_periods(policy, history, first)
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
            seed=project.seed if replayed.seed is None else replayed.seed,
            state=dict(problem.initial_state),
            foresight=replayed.foresight,
            subsample=replayed.subsample,
            salt=replayed.salt,
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


def _touched(blocks: list[Block], first: Period, last: Period, *, is_carried: bool) -> list[Block]:
    """The blocks that hold periods of a range, and where state is carried those before them too."""
    return [block for block in blocks if block.first <= last and (is_carried or block.end > first)]


def _stretches(history: History, first: Period) -> list[Period]:
    """Where blocks begin that fit nothing: short enough to be shared among workers."""
    return [period for period in history.periods if period >= first][::_AT_ONCE]


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
    """Blocks in order, for each needs the state after the one before; their fits need none, and run ahead side by side."""
    results: list[BlockResult] = []
    fitted: dict[Period, bytes] = {}
    fits = 0
    for place, block in enumerate(blocks):
        follows = replace(block, state=results[-1].state) if results else block
        result = _recall(replayed, follows)
        if result is None:
            if block.first not in fitted:
                fitted = _fitted_ahead(replayed, blocks[place : place + _AHEAD], engine)
            ready = replace(follows, fitted=fitted.get(block.first))
            [result] = engine.run(run_block, [ready], lambda n, of: None)
            _keep(replayed, follows, result)
            fits += 1
        results.append(result)
        done(len(results), len(blocks))
    return results, fits


def _fitted_ahead(replayed: Replay, blocks: list[Block], engine: Engine) -> dict[Period, bytes]:
    """What the fits of some blocks return, by the block's first period; nothing where nothing is learnt."""
    policy = replayed.problem.make_policy(blocks[0].policy)
    if blocks[0].foresight or not learns(policy):
        return {}
    packed = engine.run(fit_block, blocks, lambda n, of: None)
    return {block.first: fitted for block, fitted in zip(blocks, packed, strict=True)}


def _keep(replayed: Replay, block: Block, result: BlockResult) -> None:
    """Keeps a result as soon as it is there: what a killed replay has finished stays."""
    packed = BytesIO()
    result.track.write_parquet(
        packed, metadata={_STATE: canonical(dict(result.state)).decode(), _LOOKS: str(result.looks)}
    )
    with suppress(AlreadyExistsError):
        replayed.project.objects.put(_name(block), packed.getvalue())


def _recall(replayed: Replay, block: Block) -> BlockResult | None:
    try:
        packed = BytesIO(replayed.project.objects.get(_name(block)))
    except NotFoundError:
        return None
    kept = pl.read_parquet_metadata(packed)
    packed.seek(0)
    return BlockResult(pl.read_parquet(packed), json.loads(kept[_STATE]), int(kept.get(_LOOKS, 0)))


def _name(block: Block) -> str:
    """The name of a block's result: the digest of everything that it depends on."""
    depends = {
        "code": block.code,
        "snapshot": block.snapshot,
        "block": [block.problem, block.policy, block.first, block.end, block.seed, block.state],
        "variation": [block.foresight, block.subsample, block.again, digest(block.recorded or b""), block.salt],
        "versions": _versions(),
        "columns": TELEMETRY,
    }
    return f"{_CACHE}/{digest(canonical(depends))}.parquet"


@cache
def _versions() -> str:
    """The digest of Python and of every installed package."""
    return digest("\n".join([platform.python_version(), *installed_packages()]).encode())
