"""Decisions held as they were on record, to be valued under other assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import polars as pl

from shipworthy.analysis.cleaning import binned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.pairs import Pairs, paired
from shipworthy.problem import Problem, Span
from shipworthy.statistics.series import FloatArray
from shipworthy.step import History, happened
from shipworthy.step.worth import VALUE, money_if

_ROLES = ("champion", "challenger")
_TOLERANCE = 1e-9


class HeldDecisions:
    """Both policies' decisions as they were, to be valued under other assumptions."""

    def __init__(self, problem: Problem, rows: pl.DataFrame, evidence: pl.DataFrame, criteria: Criteria) -> None:
        """Joins each policy's decisions to the rows of the periods in the evidence."""
        self._problem = problem
        seen = evidence["period"].unique().sort()
        settled = History(problem, rows).between(seen[0], Span.of("1").after(seen[-1]))
        names = {"period": problem.period, "unit": problem.unit}
        self._decided = [
            happened(
                problem,
                settled,
                evidence.select(*names, *(pl.col(f"{name}_{role}").alias(name) for name in problem.decisions)).rename(
                    names
                ),
            )
            for role in _ROLES
        ]
        key = self._decided[0].select(period=problem.period, unit=problem.unit)
        self._key = key
        self._binned = key.with_columns(period=binned(key["period"].dtype, criteria))

    def money(self, instead: Mapping[str, float]) -> list[FloatArray]:
        """The money of each row, of the champion and of the challenger, had some assumptions been other ones."""
        return [money_if(self._problem, rows, instead).to_numpy() for rows in self._decided]

    @cached_property
    def stated(self) -> list[FloatArray]:
        """The money of each row under the assumptions as they are stated."""
        return self.money({})

    def gives(self, evidence: pl.DataFrame) -> bool:
        """Whether the decisions give the money of the evidence, once it is worked out again."""
        recorded = self._key.join(evidence, on=["period", "unit"], how="left", maintain_order="left")
        return recorded.height == evidence.height and all(
            are_alike(recorded[f"{VALUE}_{role}"].cast(pl.Float64).to_numpy(), values)
            for role, values in zip(_ROLES, self.stated, strict=True)
        )

    def pairs(self, money: Sequence[FloatArray]) -> Pairs:
        """The paired sums of that money."""
        columns = [pl.Series(f"{VALUE}_{role}", values) for role, values in zip(_ROLES, money, strict=True)]
        return paired(self._binned.with_columns(columns), VALUE)


def are_alike(one: FloatArray, other: FloatArray) -> bool:
    """Whether two columns of money are equal but for rounding, and lack the same rows.

    >>> are_alike(np.array([1.0, np.nan]), np.array([1.0 + 1e-12, np.nan]))
    True
    """
    size = float(np.nanmax(np.abs(one), initial=0.0))
    return bool(np.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE * size, equal_nan=True))
