"""One history's budget of errors, spent by the ideas that are judged on it one after another.

A history may ship an idea without effect with probability alpha / 2, once, however many ideas are tried on it. Idea j gets a
share of that and its answer at once (Lan and DeMets 1983, Discrete sequential boundaries for clinical trials, Biometrika 70,
659-663). What it spends is counted on the joint null draws of `rotation`: a draw in which an earlier idea would have been
shipped is dead, and no later idea pays for it again. Ideas that are alike die in the same draws, so a near copy costs next to
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, zeta

from shipworthy.finite import finite
from shipworthy.statistics.rotation import at_own_cosines, null_draws
from shipworthy.statistics.series import FloatArray

IDEAS_PLANNED = 20
PLANNED_SHARE = 0.8
_DRAWS = 100_000  # the first of 20 ideas is worth one draw in a thousand


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a budget grants one idea: by how many standard errors its gain has to stand above what is worth shipping.

    Attributes:
        critical: For a t statistic over `cosines`; infinite where nothing is left.
        cosines: Of its fingerprint.
        idea: Which of the ideas tried on the history it is, from 1.
        planned: For how many the history is planned: what it is corrected for.
    """

    critical: float
    cosines: int
    idea: int
    planned: int

    def to_dict(self) -> dict[str, Any]:
        """The grant as JSON can hold it; an infinite critical value is null."""
        return asdict(self) | {"critical": finite(self.critical)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned.

        >>> nothing = Grant(critical=math.inf, cosines=9, idea=20, planned=20)
        >>> Grant.from_dict(nothing.to_dict()) == nothing
        True
        """
        critical = math.inf if fields["critical"] is None else fields["critical"]
        return cls(**{**fields, "critical": critical})

    def critical_at(self, df: float) -> float:
        """The critical value for an estimate with so many degrees of freedom: the same tail.

        >>> Grant(critical=4.0, cosines=9, idea=1, planned=20).critical_at(9.0)
        4.0
        """
        return at_own_cosines(self.critical, self.cosines, df)

    def tail_at(self, df: float) -> float:
        """The one-sided probability that such an estimate without effect passes.

        >>> round(Grant(critical=4.3, cosines=9, idea=1, planned=20).tail_at(9.0), 4)
        0.001
        """
        return float(stdtr(df, -self.critical_at(df)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one idea has spent: all that is needed to count it again.

    Attributes:
        fingerprints: Of all its versions that had a chance, shape (versions, cosines + 1); empty where none had.
        critical: What was granted for the largest t among them.
    """

    fingerprints: Sequence[Sequence[float]]
    critical: float


def spent_share(ideas: int, planned: int = IDEAS_PLANNED) -> float:
    """Returns G, the share of the budget that may be spent once so many ideas were tried.

    0.8 in equal parts over the ideas planned; the rest, in parts that fall with their square, over all that may follow.

    >>> [round(spent_share(ideas), 3) for ideas in (1, 20, 21, 10_000)]
    [0.04, 0.8, 0.922, 1.0]
    """
    if ideas <= planned:
        return PLANNED_SHARE * ideas / planned
    beyond = 1.0 - float(zeta(2.0, ideas - planned + 1)) / float(zeta(2.0))
    return PLANNED_SHARE + (1.0 - PLANNED_SHARE) * beyond


def grant(
    before: Iterable[Spent],
    fingerprints: ArrayLike,
    *,
    planned: int = IDEAS_PLANNED,
    alpha: float = 0.05,
    draws: int = _DRAWS,
    seed: int = 0,
) -> Grant:
    """Grants the next idea its critical value c: it may be shipped where its t is above.

    c is the smallest with which, of all joint draws in which no idea works, at most alpha / 2 times `spent_share` have shipped
    any idea up to this one.

    Args:
        before: What was spent so far, in order.
        fingerprints: Of the idea's versions, shape (versions, cosines + 1), the judged one among them: the largest t of all
            counts, so that unlike versions cost what unlike ideas do, and near copies next to nothing.
        planned: How many ideas the history is planned for.
        alpha: Two-sided error of a verdict; half of it is the history's budget.
        draws: Joint draws.
        seed: Of the draws; the same for all ideas of a history.

    >>> x = [[0.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0]]
    >>> first = grant([], x)
    >>> round(first.critical, 1), first.idea
    (4.3, 1)
    >>> copy = grant([Spent(fingerprints=x, critical=first.critical)], x)
    >>> round(copy.critical, 1), copy.idea
    (3.9, 2)
    """
    earlier = list(before)
    table = np.asarray(fingerprints, dtype=np.float64)
    *spending, chances = _largest([*(spent.fingerprints for spent in earlier), table], draws, seed)
    alive = np.ones(draws, dtype=bool)
    for spent, largest in zip(earlier, spending, strict=True):
        alive &= largest <= spent.critical
    idea = len(earlier) + 1
    left = int(alpha / 2.0 * spent_share(idea, planned) * draws + 1e-9) - int(draws - alive.sum())
    falling = np.sort(chances[alive])[::-1]
    critical = float(falling[left]) if 0 <= left < falling.size else math.inf
    return Grant(critical=critical, cosines=table.shape[1] - 1, idea=idea, planned=planned)


def _largest(families: Sequence[ArrayLike], draws: int, seed: int) -> list[FloatArray]:
    """The largest t of each family's fingerprints in each draw, shape (draws,); minus infinity where there is none."""
    found = [np.full(draws, -np.inf) for _ in families]
    tables = {i: np.asarray(family, dtype=np.float64) for i, family in enumerate(families) if len(family)}  # type: ignore[arg-type]
    for length in {table.shape[1] for table in tables.values()}:
        alike = {i: table for i, table in tables.items() if table.shape[1] == length}
        drawn = null_draws(np.concatenate(list(alike.values())), draws=draws, seed=seed)
        parts = np.split(drawn, np.cumsum([len(table) for table in alike.values()])[:-1], axis=1)
        for i, part in zip(alike, parts, strict=True):
            found[i] = part.max(axis=1)
    return found
