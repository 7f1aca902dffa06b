"""One block of a replay: fitted once, then decided period by period."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shipworthy.engine.oracle import Oracle
from shipworthy.engine.patient import Patient
from shipworthy.errors import PreconditionError, UserCodeError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import open_project
from shipworthy.project.code import Code, load_problem
from shipworthy.step import Decided, Decider, History, MakeDecider, Moment, Rung, happened, seed_of, take_step, worth
from shipworthy.store.frames import from_parquet, get_frame

_TELEMETRY_SCHEMA = {
    "rung": pl.String,
    "status": pl.String,
    "solver": pl.String,
    "gap": pl.Float64,
    "objective": pl.Float64,
    "bound": pl.Float64,
    "seed": pl.Int64,
    "threads": pl.Int64,
    "limit_kind": pl.String,
    "falls": pl.String,
    "seconds": pl.Float64,
    "solve_seconds": pl.Float64,
}

TELEMETRY = tuple(_TELEMETRY_SCHEMA)
"""The columns of a track that account for how a decision came about."""

WALL_CLOCK = ("seconds", "solve_seconds")
"""Those of them that are other each time it is computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The periods from one fit up to the next.

    Attributes:
        root: The project's folder.
        problem: The problem's name.
        policy: The policy's name.
        snapshot: The object that holds the rows.
        code: The digest of the code that is to decide.
        first: The first period; what is known then is what the fit sees.
        end: The first period that no longer belongs to it.
        seed: The seed from which each period's is derived.
        state: The state before the first period.
        foresight: Whether the oracle decides in the policy's place; nothing is fitted then.
        subsample: The seed of the stretch that is kept from `fit`; None keeps nothing from it.
        again: The periods that are decided once more, with far more time; none decides all of them, once.
        recorded: What was decided before, as Parquet, where some are decided once more; where state is carried, from the
            replay's first period on, before which `state` was.
        fitted: What the policy's `fit` returned, pickled, where it was fitted ahead; None fits it here.
        salt: Told apart from the same block without it, so that what was kept is not taken for it.
    """

    root: Path
    problem: str
    policy: str
    snapshot: str
    code: str
    first: Period
    end: Period
    seed: int
    state: Mapping[str, Any]
    foresight: bool = False
    subsample: int | None = None
    again: tuple[Period, ...] = ()
    recorded: bytes | None = None
    fitted: bytes | None = None
    salt: str = ""

    def __str__(self) -> str:
        """What a message calls it."""
        return f"the block of policy {self.policy!r} from {self.first}"


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a block gives: its part of the track, the state after its last period, and how many candidates its fit tried."""

    track: pl.DataFrame
    state: Mapping[str, Any]
    looks: int = 0


def run_block(block: Block) -> BlockResult:
    """Fits the policy on what is known at the block's first period, then decides each of its periods."""
    problem, history = open_block(block)
    if block.recorded is not None:
        return _decide_again(block, problem, history)
    policy = problem.make_policy(block.policy)
    decider = _decider(block, problem, policy, history)
    fallback = _fitted_when_needed(problem, history, block)
    periods = [period for period in history.periods if block.first <= period < block.end]
    track, state = play(problem, history, decider, periods, block.seed, block.state, fallback)
    return BlockResult(track, state, 0 if block.foresight else policy.looks(decider.fitted))


def fit_block(block: Block) -> bytes:
    """Fits the policy on what is known at the block's first period; gives what `fit` returned, pickled."""
    problem, history = open_block(block)
    policy = problem.make_policy(block.policy)
    return _code_of(block).pickle(fit_decider(block.policy, policy, history, block.first, block.subsample).fitted)


def _decider(block: Block, problem: Problem, policy: Policy, history: History) -> Decider:
    if block.foresight:
        return Decider(block.policy, Oracle(problem, policy), history)
    if block.fitted is not None:
        return Decider(block.policy, policy, _code_of(block).unpickle(block.fitted))
    return fit_decider(block.policy, policy, history, block.first, block.subsample)


def play(
    problem: Problem,
    history: History,
    decider: Decider,
    periods: Sequence[Period],
    seed: int,
    state: Mapping[str, Any],
    fallback: MakeDecider | None = None,
) -> tuple[pl.DataFrame, Mapping[str, Any]]:
    """Decides consecutive periods, one step each; gives their track, and the state after the last of them."""
    decided, state, last = [], deepcopy(state), None
    for period in periods:
        moment = Moment(
            period=period,
            rows=history.to_decide(period),
            history=history,
            state=state,
            last=last,
            seed=seed_of(seed, period),
        )
        step = take_step(problem, moment, decider, fallback)
        decided.append(_columns(problem, period, step))
        last = last if step.rung is Rung.NONE else step.decisions
        if problem.next_state is not None:
            state = _next_state(problem, state, happened(problem, history.settled(period), step.decisions), period)
    decisions = pl.concat(decided, how="vertical_relaxed")
    settled = history.between(periods[0], Span.of("1").after(periods[-1]))
    return _valued(problem, settled, decisions), state


def _decide_again(block: Block, problem: Problem, history: History) -> BlockResult:
    """Decides some periods once more, each from where it was decided before, with far more time."""
    policy = problem.make_policy(block.policy)
    decider = replace(fit_decider(block.policy, policy, history, block.first), policy=Patient(policy))
    assert block.recorded is not None, "asked only of a block that was decided before"
    recorded = from_parquet(block.recorded)
    decided, state = [], deepcopy(block.state)
    for (period,), plan in recorded.group_by(problem.period, maintain_order=True):
        before = plan.drop(problem.period)
        if period in block.again:
            seed, rows = seed_of(block.seed, period), history.to_decide(period)
            moment = Moment(period=period, rows=rows, history=history, state=state, seed=seed)
            decided.append(_columns(problem, period, take_step(problem, moment, decider)))
        if problem.next_state is not None:
            state = _next_state(problem, state, happened(problem, history.settled(period), before), period)
    decisions = pl.concat(decided, how="vertical_relaxed")
    return BlockResult(_valued(problem, history.between(block.first, block.end), decisions), state)


def learns(policy: Policy) -> bool:
    """Whether a policy fits anything."""
    return type(policy).fit is not Policy.fit


def fit_decider(name: str, policy: Policy, history: History, at: Period, subsample: int | None = None) -> Decider:
    """Fits a policy on what is known at a period, as far back as it wants to look.

    With `subsample` a fifth of these periods is kept from it, chosen by that seed: one stretch rather than scattered
    periods, so that lags and rolling means stay whole around it.

    Raises:
        UserCodeError: its `fit` raised.
    """
    past = history.to_learn(policy, at)
    if subsample is not None:
        past = _without_a_fifth(past, history, subsample)
    try:
        return Decider(name, policy, policy.fit(past))
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise UserCodeError(
            f"Policy {name!r} could not be fitted at {at}, on {past.height:,} rows: {type(error).__name__}: "
            f"{str(error).rstrip('.')}. Correct its fit(), or give it more to learn from with a longer Problem(warm_up=...)."
        ) from error


def _without_a_fifth(past: pl.DataFrame, history: History, seed: int) -> pl.DataFrame:
    when = past.get_column(history.period)
    periods = when.unique().sort()
    begin = int(np.random.default_rng(seed).random() * 0.8 * len(periods))
    return past.filter(~when.is_in(periods.slice(begin, len(periods) // 5).implode()))


def _next_state(problem: Problem, state: Mapping[str, Any], rows: pl.DataFrame, period: Period) -> Mapping[str, Any]:
    """The state of the next period. It has to be plain JSON: blocks that were computed before hand it on as that."""
    assert problem.next_state is not None, "asked only where state is carried"
    try:
        following: Any = problem.next_state(deepcopy(state), rows)
        is_plain = isinstance(following, Mapping) and json.loads(json.dumps(dict(following))) == dict(following)
    except Exception as error:  # whatever the user's code raises, or a state that JSON cannot hold
        raise UserCodeError(
            f"The transition of problem {problem.name!r} failed after {period}: {type(error).__name__}: {error}"
        ) from error
    if not is_plain:
        raise UserCodeError(
            f"The transition of problem {problem.name!r} gave {following!r} after {period}. Give a dictionary of plain numbers, "
            "texts, lists and dictionaries, with texts as keys."
        )
    return dict(following)


def _fitted_when_needed(problem: Problem, history: History, block: Block) -> MakeDecider | None:
    """The fallback, fitted at the block's first period, but only once it is needed."""
    name = problem.fallback or problem.champion
    if name is None or name == block.policy or block.foresight:
        return None

    return cache(lambda: fit_decider(name, problem.make_policy(name), history, block.first))


def _columns(problem: Problem, period: Period, step: Decided) -> pl.DataFrame:
    telemetry = step.telemetry()
    return step.decisions.select(
        pl.lit(period).alias(problem.period),
        problem.unit,
        *problem.decisions,
        *(pl.lit(telemetry[name], dtype=_TELEMETRY_SCHEMA[name]).alias(name) for name in TELEMETRY),
    )


def _valued(problem: Problem, settled: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    decisions = decisions.with_columns(pl.col(problem.period).cast(settled.schema[problem.period]))
    plain = decisions.select(*problem.key, *problem.decisions)
    earned = worth(problem, happened(problem, settled, plain))
    return decisions.join(earned, on=list(problem.key), how="left", maintain_order="left")


def open_block(block: Block) -> tuple[Problem, History]:
    """The problem and its history, opened once per process and version of the code.

    Raises:
        PreconditionError: the code is no longer the one that was to be replayed.
    """
    code, problem, history = _loaded(block.root, block.problem, block.snapshot, block.code)
    if code_digest(code, problem, block.policy) != block.code:
        raise PreconditionError("The project's code changed while it was replayed. Run the command again.")
    return problem, history


def _code_of(block: Block) -> Code:
    return _loaded(block.root, block.problem, block.snapshot, block.code)[0]


@lru_cache(maxsize=2)
def _loaded(root: Path, problem: str, snapshot: str, version: str) -> tuple[Code, Problem, History]:
    del version  # another one is loaded anew
    project = open_project(root)
    code, declared = load_problem(project, problem)
    rows = get_frame(project.objects, snapshot)
    return code, declared, History(declared, rows)


def code_digest(code: Code, problem: Problem, policy: str) -> str:
    """The digest of the code that a policy's replay depends on: its own, its fallback's and the problem's."""
    return code.digest_of(*functions_behind(problem, policy))


def functions_behind(problem: Problem, policy: str) -> list[Callable[..., Any]]:
    """What the project declared that a policy's replay calls: what makes it and its fallback, and the problem's rules."""
    measures = [rule.holds for rule in problem.constraints] + [rail.measure for rail in problem.guardrails]
    own = (problem.value_of, problem.next_state, problem.foresight)
    declared = [measure for measure in (*own, *measures) if measure is not None]
    deciding = {policy, problem.fallback or problem.champion} - {None}
    return [*(problem.policies[str(name)] for name in sorted(map(str, deciding))), *declared]
