"""One block of a replay: fitted once, then decided period by period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import open_project
from shipworthy.project.code import Code, load_problem
from shipworthy.step import Decided, Decider, History, MakeDecider, Moment, happened, seed_of, take_step, worth
from shipworthy.store import get_content

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
        first: The first period; what is known then is what the fit sees.
        end: The first period that no longer belongs to it.
        seed: The seed from which each period's is derived.
        state: The state before the first period.
    """

    root: Path
    problem: str
    policy: str
    snapshot: str
    first: Period
    end: Period
    seed: int
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a block gives: its part of the track, and the state after its last period."""

    track: pl.DataFrame
    state: Mapping[str, Any]


def run_block(block: Block) -> BlockResult:
    """Fits the policy on what is known at the block's first period, then decides each of its periods."""
    _, problem, history = _opened(block.root, block.problem, block.snapshot)
    policy = problem.make_policy(block.policy)
    decider = fit_decider(block.policy, policy, history, block.first)
    fallback = _fitted_when_needed(problem, history, block)
    periods = [period for period in history.periods if block.first <= period < block.end]
    decided, state, last = [], block.state, None
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
        last = step.decisions
        if problem.next_state is not None:
            state = problem.next_state(state, happened(problem, history.settled(period), step.decisions))
    decisions = pl.concat(decided, how="vertical_relaxed")
    return BlockResult(_valued(problem, history.between(block.first, block.end), decisions), state)


def fit_decider(name: str, policy: Policy, history: History, at: Period) -> Decider:
    """Fits a policy on what is known at a period, as far back as it wants to look."""
    window = Span.of(policy.train_window) if policy.train_window else None
    return Decider(name, policy, policy.fit(history.known(at, window)))


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


@lru_cache(maxsize=2)
def _opened(root: Path, problem: str, snapshot: str) -> tuple[Code, Problem, History]:
    """The problem and its history, opened once per process."""
    project = open_project(root)
    code, declared = load_problem(project, problem)
    rows = pl.read_parquet(BytesIO(get_content(project.objects, snapshot)))
    return code, declared, History(declared, rows)
