"""How two sides decide, beside the money: whether they decide themselves, how fast, and how much their plans change."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Any

from shipworthy.ship.logged import Logged

_SELF = ("policy", "incumbent")
Plan = Mapping[Hashable, tuple[Any, ...]]
"""Of each unit what was decided for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one side decides.

    Attributes:
        asked_under: Of each period that it was asked for, the move of the rollout.
        fell: Those in which it did not decide itself, but its fallback, its last plan, or nothing.
        seconds: The median time of a decision; None where none was measured.
        churn: The share of units decided otherwise than in the period before; None before there are two periods.
    """

    asked_under: Sequence[int] = ()
    fell: int = 0
    seconds: float | None = None
    churn: float | None = None

    @property
    def asked(self) -> int:
        """Periods that it was asked for."""
        return len(self.asked_under)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How both sides decide.

    Attributes:
        old: The side from before the idea.
        new: The side that carries it.
        both: Periods that both decided.
        otherwise: The share of units that the idea decides otherwise; None where there is no period that both decided.
    """

    old: Manner = Manner()
    new: Manner = Manner()
    both: int = 0
    otherwise: float | None = None


def conduct_of(logged: Logged) -> Conduct:
    """Reads how both sides decided the periods that are logged."""
    plans = [_plans(logged, side) for side in (logged.sides.old, logged.sides.new)]
    both = [period for period in plans[1] if period in plans[0]]
    changed = [_changed(plans[0][period], plans[1][period]) for period in both]
    manners = [
        _manner(logged, side, found) for side, found in zip((logged.sides.old, logged.sides.new), plans, strict=True)
    ]
    return Conduct(old=manners[0], new=manners[1], both=len(both), otherwise=_mean(changed))


def _manner(logged: Logged, side: frozenset[str], plans: Mapping[Any, Plan]) -> Manner:
    asked = {
        entry.period: (entry.version, answer)
        for entry in logged.entries
        if (answer := entry.answer_of(side)) is not None
    }
    answers = [answer for _, answer in asked.values()]
    seconds = [answer["seconds"] for answer in answers if answer.get("seconds") is not None]
    ordered = [plans[period] for period in sorted(plans)]
    return Manner(
        asked_under=[version for version, _ in asked.values()],
        fell=sum(answer["rung"] not in _SELF for answer in answers),
        seconds=median(seconds) if seconds else None,
        churn=_mean([_changed(before, after) for before, after in pairwise(ordered)]),
    )


def _plans(logged: Logged, side: frozenset[str]) -> dict[Any, dict[Hashable, tuple[Any, ...]]]:
    """Of each period what a side decided for each unit."""
    problem = logged.release.problem
    plans: dict[Any, dict[Hashable, tuple[Any, ...]]] = {}
    for entry in logged.entries:
        answer = entry.answer_of(side)
        if answer is None:
            continue
        standing = {asked.row[problem.unit] for asked in entry.asked}
        plan = plans.setdefault(entry.period, {})
        for row in answer["decisions"]:
            if row[problem.unit] in standing:
                plan[row[problem.unit]] = tuple(row[name] for name in problem.decisions)
    return plans


def _changed(before: Plan, after: Plan) -> float | None:
    """The share of the units of both plans that they decide otherwise."""
    shared = before.keys() & after.keys()
    return fmean(before[unit] != after[unit] for unit in shared) if shared else None


def _mean(shares: list[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return fmean(known) if known else None
