"""Repetitions: the same replay under several seeds, so that a solver's luck can be told from the effect of the idea."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shipworthy.problem import Problem
from shipworthy.statistics import variance_components
from shipworthy.step import seed_of
from shipworthy.step.worth import VALUE

ONCE = "once_"
"""What the columns of one repetition alone begin with: a live period is searched once, and varies as these do."""

_WORTH_REPEATING = 0.05
"""More repetitions are advised where they could narrow the interval by more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverNoise:
    """What chance inside the solvers adds; money is per period.

    Attributes:
        champion: The standard deviation of the champion's money from seed to seed.
        challenger: The same of the challenger's.
        difference: The same of the difference between them, in which shared luck cancels.
        share: The part of the variance of the difference, averaged over the repetitions, that is solver noise; 0 to 1.
        narrowing: How much narrower the interval would be with endless repetitions; 0 to 1.
        advice: Whether more repetitions or more periods would narrow the interval, in a sentence.
    """

    champion: float
    challenger: float
    difference: float
    share: float
    narrowing: float
    advice: str


def seed_of_repetition(seed: int, repetition: int) -> int:
    """The seed of a repetition; that of the first is the project's own, so that its replay is the one there was before.

    >>> seed_of_repetition(1, 0), seed_of_repetition(1, 1) != seed_of_repetition(1, 2)
    (1, True)
    """
    return seed if repetition == 0 else seed_of(seed, f"repetition {repetition}")


def averaged(problem: Problem, evidence: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The first repetition's evidence, with money and guardrails averaged over all of them.

    What could not be valued in one repetition is not valued: a plan that fails under some seeds is not left out of the mean.
    Where the repetitions differ, columns that begin with `ONCE` keep what the first one alone gave.
    """
    first, *others = evidence
    measures = [VALUE, *(rail.name for rail in problem.guardrails)]
    columns = [f"{measure}_{role}" for measure in measures for role in ("champion", "challenger")]
    apart = {name: sum((other[name] - first[name] for other in others), start=0 * first[name]) for name in columns}
    mean = first.with_columns((first[name] + total / len(evidence)).alias(name) for name, total in apart.items())
    if mean.equals(first):
        return first
    return mean.with_columns(first[name].alias(f"{ONCE}{name}") for name in columns)


def solver_noise(evidence: Sequence[pl.DataFrame]) -> SolverNoise | None:
    """What the repetitions show; None where there is one alone, or fewer than two periods that all of them could value."""
    tables = [_per_period(one) for one in evidence]
    valued = np.all([table["is_valued"].to_numpy() for table in tables], axis=0)
    if len(evidence) < 2 or valued.sum() < 2:
        return None
    counts = tables[0]["units"].to_numpy()[valued]
    champion, challenger = (_table(tables, role)[valued] for role in ("champion", "challenger"))
    found = variance_components(challenger - champion, counts)
    return SolverNoise(
        champion=variance_components(champion, counts).noise ** 0.5,
        challenger=variance_components(challenger, counts).noise ** 0.5,
        difference=found.noise**0.5,
        share=found.share,
        narrowing=found.narrowing,
        advice=_advice(found.noise, found.narrowing),
    )


def _advice(noise: float, narrowing: float) -> str:
    if noise == 0.0:
        return "The solvers decide alike under every seed: only more periods would narrow the interval."
    if narrowing <= _WORTH_REPEATING:
        return f"More repetitions would narrow the interval by {narrowing:.1%} at most: only more periods would."
    return (
        f"More repetitions would narrow the interval, by {narrowing:.0%} at most; beyond that only more periods would."
    )


def _table(tables: Sequence[pl.DataFrame], role: str) -> NDArray[np.float64]:
    return np.column_stack([table[f"{VALUE}_{role}"].to_numpy() for table in tables])


def _per_period(evidence: pl.DataFrame) -> pl.DataFrame:
    money: list[Any] = [pl.col(f"{VALUE}_{role}") for role in ("champion", "challenger")]
    is_valued = pl.all_horizontal(column.is_not_null().all() for column in money)
    return evidence.group_by("period", maintain_order=True).agg(
        *(column.sum() for column in money), is_valued=is_valued, units=pl.len()
    )
