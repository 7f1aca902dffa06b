"""Adoption: how many units were decided as proposed, and what it was worth to decide otherwise, by whom and for which reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.live.overrides import BY, WHY
from shipworthy.live.serving import Served
from shipworthy.live.valued import last_outcomes, money_of
from shipworthy.log import read_decisions
from shipworthy.log.taken import Key, answered, last_overrides
from shipworthy.project import Project
from shipworthy.step import Rung

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The overrides of one person for one reason.

    Attributes:
        by: Who decided otherwise.
        why: The reason.
        units: How many units.
        settled: How many of them can be valued: all outcomes of their period are known.
        worth: The money of what was done less that of what was proposed, over those; None where it cannot be told.
    """

    by: str
    why: str
    units: int
    settled: int
    worth: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """How decisions were taken up.

    Attributes:
        decided: Units that were decided.
        overridden: Units among them that were done otherwise.
        unasked: Overrides of units that nobody had decided.
        reasons: The overrides by person and reason, the most frequent first.
        is_valued: Whether they can be valued: outcomes do not depend on what is decided.
        currency: The currency of all amounts.
    """

    decided: int
    overridden: int
    unasked: int
    reasons: Sequence[Reason]
    is_valued: bool
    currency: str

    @property
    def share(self) -> float | None:
        """The share of units that were done as proposed; None where nothing was decided."""
        return 1 - self.overridden / self.decided if self.decided else None


def read_adoption(project: Project, served: Served) -> Adoption:
    """Sets what was done beside what was proposed, unit by unit, and values the difference where that is possible.

    Where outcomes depend on what is decided, only one of both values is ever known, and none is told.

    Raises:
        UnavailableError: a store or the log does not answer.
        UserCodeError: the release's value cannot be computed from what was logged.
    """
    problem = served.release.problem
    asked, proposed = _proposed(project, served)
    done = last_overrides(project, problem)
    otherwise = {
        key: row
        for key, row in done.items()
        if key in proposed and any(row[name] != proposed[key][name] for name in problem.decisions)
    }
    money = _worth_of(project, served, asked, proposed, otherwise) if problem.counterfactual and otherwise else {}
    return Adoption(
        decided=len(proposed),
        overridden=len(otherwise),
        unasked=len(done.keys() - proposed.keys()),
        reasons=_by_reason(otherwise, money),
        is_valued=problem.counterfactual,
        currency=problem.currency,
    )


def _proposed(project: Project, served: Served) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """By period and unit what was asked, and what was answered, the last time it was."""
    problem = served.release.problem
    asked: dict[Key, Row] = {}
    proposed: dict[Key, Row] = {}
    for entry in read_decisions(project, problem.name):
        given = answered(entry, problem.unit)
        for row in entry["rows"]:
            arm, decision = given[row[problem.unit]]
            if entry["answers"][arm]["rung"] != Rung.NONE:
                key = (entry["period"], row[problem.unit])
                asked[key], proposed[key] = row, decision
    return asked, proposed


def _worth_of(
    project: Project,
    served: Served,
    asked: Mapping[Key, Row],
    proposed: Mapping[Key, Row],
    otherwise: Mapping[Key, Row],
) -> dict[Key, float]:
    """The money that each override made or lost, in the periods of which all outcomes are known.

    What changed on other units of the period, as where money is per period, belongs to its overrides in equal parts.
    """
    periods = {period for period, _ in otherwise}
    known = last_outcomes(project, served.release.problem, periods)
    whole = periods - {period for period, unit in proposed if period in periods and (period, unit) not in known}
    keys = [key for key in proposed if key[0] in whole]
    if not keys:
        return {}
    before, after = (
        money_of(served, {key: {**asked[key], **known[key]} for key in keys}, decisions)
        for decisions in (proposed, {**proposed, **otherwise})
    )
    counts = Counter(period for period, _ in otherwise)
    beside: dict[Any, float] = defaultdict(float)
    for period, unit in keys:
        if (period, unit) not in otherwise:
            beside[period] += after[period, unit] - before[period, unit]
    return {key: after[key] - before[key] + beside[key[0]] / counts[key[0]] for key in otherwise if key in after}


def _by_reason(otherwise: Mapping[Key, Row], money: Mapping[Key, float]) -> list[Reason]:
    grouped: dict[tuple[str, str], list[Key]] = {}
    for key, row in otherwise.items():
        grouped.setdefault((row[BY], row[WHY]), []).append(key)
    reasons = []
    for (by, why), keys in grouped.items():
        amounts = [money[key] for key in keys if key in money]
        told = sum(amounts) if amounts else None
        reasons.append(Reason(by=by, why=why, units=len(keys), settled=len(amounts), worth=told))
    return sorted(reasons, key=lambda reason: (-reason.units, reason.by, reason.why))
