"""One block of a replay: fitted once, then decided period by period."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.errors import PreconditionError, UserCodeError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import open_project
from shipworthy.project.code import Code, load_problem
from shipworthy.step import Decided, Decider, History, MakeDecider, Moment, Rung, happened, seed_of, take_step, worth
from shipworthy.store.frames import get_frame

TELEMETRY = ("rung", "status", "gap", "objective", "seed", "falls", "seconds")
"""The columns of a track that account for how a decision came about."""

_TELEMETRY_SCHEMA = {
    "rung": pl.String,
    "status": pl.String,
    "gap": pl.Float64,
    "objective": pl.Float64,
    "seconds": pl.Float64,
    "seed": pl.Int64,
    "falls": pl.String,
}


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

    def __str__(self) -> str:
        """What a message calls it."""
        return f"the block of policy {self.policy!r} from {self.first}"


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a block gives: its part of the track, and the state after its last period."""

    track: pl.DataFrame
    state: Mapping[str, Any]


def run_block(block: Block) -> BlockResult:
    """Fits the policy on what is known at the block's first period, then decides each of its periods."""
    problem, history = _opened(block)
    policy = problem.make_policy(block.policy)
    decider = fit_decider(block.policy, policy, history, block.first)
    fallback = _fitted_when_needed(problem, history, block)
    periods = [period for period in history.periods if block.first <= period < block.end]
    decided, state, last = [], deepcopy(block.state), None
    for period in periods:
        moment = Moment(
            period=period,
            rows=history.to_decide(period),
            history=history,
            state=state,
            last=last,
            seed=seed_of(block.seed, period),
        )
        step = take_step(problem, moment, decider, fallback)
        decided.append(_columns(problem, period, step))
        last = last if step.rung is Rung.NONE else step.decisions
        if problem.next_state is not None:
            state = _next_state(problem, state, happened(problem, history.settled(period), step.decisions), period)
    decisions = pl.concat(decided, how="vertical_relaxed")
    return BlockResult(_valued(problem, history.between(block.first, block.end), decisions), state)


def fit_decider(name: str, policy: Policy, history: History, at: Period) -> Decider:
    """Fits a policy on what is known at a period, as far back as it wants to look.

    Raises:
        UserCodeError: its `fit` raised.
    """
    window = Span.of(policy.train_window) if policy.train_window else None
    past = history.known(at, window)
    try:
        return Decider(name, policy, policy.fit(past))
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise UserCodeError(
            f"Policy {name!r} could not be fitted at {at}, on {past.height} rows: {type(error).__name__}: {error}. Correct its "
            "fit(), or give it more to learn from with a longer Problem(warm_up=...)."
        ) from error


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
    if name is None or name == block.policy:
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


def _opened(block: Block) -> tuple[Problem, History]:
    """The problem and its history, opened once per process and version of the code.

    Raises:
        PreconditionError: the code is no longer the one that was to be replayed.
    """
    code, problem, history = _loaded(block.root, block.problem, block.snapshot, block.code)
    if code_digest(code, problem, block.policy) != block.code:
        raise PreconditionError("The project's code changed while it was replayed. Run the command again.")
    return problem, history


@lru_cache(maxsize=2)
def _loaded(root: Path, problem: str, snapshot: str, version: str) -> tuple[Code, Problem, History]:
    del version  # another one is loaded anew
    project = open_project(root)
    code, declared = load_problem(project, problem)
    rows = get_frame(project.objects, snapshot)
    return code, declared, History(declared, rows)


def code_digest(code: Code, problem: Problem, policy: str) -> str:
    """The digest of the code that a policy's replay depends on: its own, its fallback's and the problem's."""
    measures = [rule.holds for rule in problem.constraints] + [rail.measure for rail in problem.guardrails]
    declared = [measure for measure in (problem.value_of, problem.next_state, *measures) if measure is not None]
    deciding = {policy, problem.fallback or problem.champion} - {None}
    makers = [problem.policies[str(name)] for name in sorted(map(str, deciding))]
    return code.digest_of(*makers, *declared)
