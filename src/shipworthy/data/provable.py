"""Whether the history is long and quiet enough to show the gain that an idea claims, and whether there is so much to gain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.data.differences import Differences, Source
from shipworthy.engine import Track, Window, learns, period_sums
from shipworthy.ideas.idea import Idea
from shipworthy.problem import Policy, Problem, Span
from shipworthy.project import Gap
from shipworthy.statistics import periods_for, power
from shipworthy.step.worth import VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Provable:
    """What the history can show; money is per period unless it says otherwise.

    Attributes:
        periods: Periods that the verdict will answer from.
        periods_per_year: How many periods a year has.
        smallest_detectable: The gain that a verdict over them finds four times in five.
        smallest_detectable_per_year: The same, a year.
        smallest_detectable_last_idea: The same for one of all the ideas planned, which share this history's budget of errors.
        smallest_worth: The smallest gain worth shipping.
        claimed: What the idea claims: its likely gain, and at least the smallest worth shipping.
        hoped: The most that the idea hopes for; None where it does not say.
        ceiling: What perfect foresight would gain over the champion, and no idea more; None where it is not known.
        oracle: Whose foresight that is.
        periods_needed: Periods at which the smallest gain worth shipping would be found; None where no history would do.
        periods_for_most: Periods at which the most that it may gain, the hope or the ceiling, would be found; None likewise.
        are_refits_few: Whether nothing can be shown only because there are so few refits among the periods.
        source: The kind of differences that all this was planned with.
        rests_on: The same in words.
        ideas_planned: How many ideas share the history.
    """

    periods: int
    periods_per_year: float
    smallest_detectable: float
    smallest_detectable_per_year: float
    smallest_detectable_last_idea: float
    smallest_worth: float
    claimed: float
    hoped: float | None
    ceiling: float | None
    oracle: str | None
    periods_needed: int | None
    periods_for_most: int | None
    are_refits_few: bool
    source: str
    rests_on: str
    ideas_planned: int = 20

    @property
    def is_impossible(self) -> bool:
        """Whether the idea claims more than perfect foresight would gain."""
        return self.ceiling is not None and self.claimed > self.ceiling

    @property
    def is_hopeless(self) -> bool:
        """Whether these periods could not even show what perfect foresight would gain."""
        return self.ceiling is not None and self.smallest_detectable > self.ceiling

    @property
    def is_measured(self) -> bool:
        """Whether it was planned with differences of the champion's own; another idea's may swing far more than this one's."""
        return self.source == Source.PLACEBOS

    @property
    def _is_vain(self) -> bool:
        return self.hoped is not None and self.hoped < self.smallest_detectable

    def gaps(self, currency: str) -> list[Gap]:
        """Why the idea cannot be proved with these data, each with what would make it provable."""
        found = []
        if self.is_impossible:
            found.append(
                Gap(
                    f"It claims the impossible: {self.claimed:,.2f} {currency} per period, where even perfect foresight "
                    f"({self.oracle}) would gain no more than {self.ceiling:,.2f} {currency}.",
                    "Correct what it expects to gain, or what is worth shipping.",
                )
            )
        if self.is_hopeless:
            found.append(
                Gap(
                    f"It cannot be proven with these data: even perfect foresight ({self.oracle}) would gain only "
                    f"{self.ceiling:,.2f} {currency} per period, and {self._least(currency)}.",
                    f"{_collect(self.periods_for_most)}{' Or refit more often.' if self.are_refits_few else ''}",
                )
            )
        elif self._is_vain and self.is_measured:
            found.append(
                Gap(self._vain(currency), f"{_collect(self.periods_for_most)} Or find an idea that gains more.")
            )
        return found

    def remarks(self, currency: str) -> list[str]:
        """What a reader should know although it does not stop the idea."""
        if self.smallest_detectable <= self.smallest_worth:
            return []
        if self._is_vain:
            return [f"{self._vain(currency)} But that is planned with a stand-in, and two policies alike differ less."]
        needed = (
            f"{self.periods_needed:,} periods would find it, {self.periods_needed - self.periods:,} more than there are"
            if self.periods_needed
            else "no history would find it"
        )
        return [
            f"A gain of just the smallest worth shipping, {_said(self.smallest_worth, currency)} per period, would mostly end "
            f"inconclusive: {self._least(currency)}; {needed}."
        ]

    def _vain(self, currency: str) -> str:
        hoped = _said(self.hoped or 0.0, currency)
        return f"Even the {hoped} per period hoped for could not be told from luck: {self._least(currency)}."

    def _least(self, currency: str) -> str:
        """The smallest detectable gain, in words."""
        if math.isinf(self.smallest_detectable):
            few = ", with as few refits," if self.are_refits_few else ""
            return f"{self.periods:,} periods{few} are too few to show any gain at all"
        return f"{_said(self.smallest_detectable, currency)} is the least that {self.periods:,} periods show four times in five"

    def to_dict(self) -> Mapping[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def _said(amount: float, currency: str) -> str:
    """An amount of a period, with more digits where two would make nothing of it."""
    money = f"{amount:,.2f}" if abs(amount) >= 0.01 or not amount else f"{amount:.5f}"
    return f"{money} {currency}".rstrip()


def power_facts(shown: Mapping[str, Any], currency: str = "") -> dict[str, str]:
    """What a recorded `Provable` says, by name: against what is worth shipping, and against what there is to gain at most."""

    def said(amount: float) -> str:
        return _said(amount, currency)

    def both(amount: float) -> str:
        yearly = amount * year
        a_year = f"{f'{yearly:,.0f} {currency}'.rstrip() if yearly >= 1.0 else said(yearly)} a year"
        return a_year if 0.0 < amount < 0.01 else f"{said(amount)} per period ({a_year})"

    least, worth, ceiling = shown["smallest_detectable"], shown["smallest_worth"], shown["ceiling"]
    year = shown["periods_per_year"]
    can = (
        "no gain at all: too few periods, or refits among them"
        if math.isinf(least)
        else f"a gain of {both(least)}, four times in five; "
        f"as one of {shown.get('ideas_planned', 20)} ideas {said(shown['smallest_detectable_last_idea'])}"
    )
    most = {"At most": f"{both(ceiling)}, by perfect foresight: {shown['oracle']}"} if ceiling is not None else {}
    return {
        "Can show": can,
        "Worth shipping from": both(worth),
        **most,
        "Planned with": shown["rests_on"],
    }


def provable(
    problem: Problem,
    idea: Idea,
    challenger: Policy,
    champion: Track,
    differences: Differences,
    oracle: Track | None,
    judged: Window,
) -> Provable:
    """Plans the verdict: what a replay of the challenger over the judged periods could show."""
    daily = champion.table.drop_nulls(VALUE).group_by(problem.period).agg(pl.len())
    periods = judged.cut(daily, problem.period).height
    units = float(daily["len"].mean() or 1.0)  # type: ignore[arg-type]  # counts are numbers
    worth, *expected = (
        idea.per_period(gain, problem.periods_per_year)
        for gain in (idea.smallest_gain or 0.0, *(idea.expected_gain or ()))
    )
    hoped = expected[2] if expected else None
    ceiling = _ceiling(problem, champion, oracle, units)
    most = min((amount for amount in (hoped, ceiling) if amount is not None), default=None)
    refits, pilot = refit_periods(problem, challenger), differences.pilot()
    found = power(pilot, uplift=worth / units, periods=periods, refit_periods=refits, ideas=problem.ideas_planned)
    often = power(pilot, uplift=worth / units, periods=periods, refit_periods=min(refits, 1))
    return Provable(
        periods=periods,
        periods_per_year=problem.periods_per_year,
        smallest_detectable=found.smallest_gain * units,
        smallest_detectable_per_year=found.smallest_gain * units * problem.periods_per_year,
        smallest_detectable_last_idea=found.smallest_gain_last_idea * units,
        smallest_worth=worth,
        claimed=max(worth, expected[1]) if expected else worth,
        hoped=hoped,
        ceiling=ceiling,
        oracle=oracle.policy if oracle and ceiling is not None else None,
        periods_needed=found.periods_needed,
        periods_for_most=periods_for(pilot, most / units, refit_periods=refits) if most is not None else None,
        are_refits_few=math.isinf(found.smallest_gain) and math.isfinite(often.smallest_gain),
        source=str(differences.source),
        rests_on=differences.sentence(),
        ideas_planned=problem.ideas_planned,
    )


def _ceiling(problem: Problem, champion: Track, oracle: Track | None, units: float) -> float | None:
    """The champion's mean regret to perfect foresight, per period: the most that an idea can gain.

    Returns:
        None where foresight is no bound: where state is carried it sees one period ahead only, the champion's own
        optimiser does not bind a challenger with a better one, and an optimiser that earns less with the outcome in hand
        than the champion without it is no measure.
    """
    if oracle is None or oracle.policy == champion.policy or problem.next_state is not None:
        return None
    sums = period_sums(problem, oracle, champion)
    regret = units * float((sums["one"] - sums["other"]).sum()) / max(float(sums["pairs"].sum()), 1.0)
    return regret if regret > 0.0 else None


def refit_periods(problem: Problem, policy: Policy) -> int:
    """How many periods lie between two fits of a policy; 0 where it learns nothing or is fitted once."""
    if policy.refit is None or not learns(policy):
        return 0
    refit = Span.of(policy.refit)
    return max(1, round(refit.seconds / 86_400 / (365.0 / problem.periods_per_year)))


def _collect(periods: int | None) -> str:
    return f"Collect periods until there are {periods:,}." if periods else "No longer history would do."
