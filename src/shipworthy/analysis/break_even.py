"""Break-even: how wrong an assumption may be before the verdict is another one.

A price or a cost that somebody stated is varied over what is plausible, one at a time, with both policies' decisions held as
they were; money is worked out again by the problem's own value, and the verdict's interval from that. Policies that know the
assumption would have decided otherwise, which this does not replay: it asks what the decisions on record would have earned.

Money is nearly always affine in an assumption, d(a) = d(0) + a d'. Then the sums of each period are so too, and the two ends of
the range give them for every value between; that it is so is checked row by row at the stated value and at one more. Where it
is not, money is worked out at each point. Flips are found by bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.exposure import exposed
from shipworthy.analysis.held_decisions import HeldDecisions, are_alike
from shipworthy.analysis.judgement import hardly_differs, judge
from shipworthy.analysis.measurement import MOST_ONE_SIDED, mean_of, measured
from shipworthy.analysis.pairs import Pairs
from shipworthy.analysis.verdicts import Verdict
from shipworthy.analysis.wording import amount
from shipworthy.finite import finite
from shipworthy.problem import Assumption, Problem
from shipworthy.problem.assumption import takes_second
from shipworthy.statistics.series import FloatArray

_POINTS = 21
_PROBE = 0.381966
"""Where between the ends the affine form is checked once more: no round fraction, which a curve may pass by chance."""

_TOLERANCE = 1e-9
_BISECTIONS = 50
_COSTLY_BISECTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """The gain at one value of an assumption, with its interval: a year, or per unit where no year is known."""

    at: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """One assumption, varied while the others are as stated.

    Attributes:
        name: The assumption.
        stated: What it was taken to be.
        low: The lowest value it was varied to.
        high: The highest.
        is_declared: Whether that range was declared; otherwise it reaches from 0 to twice the stated value.
        is_affine: Whether money follows it along a straight line.
        flips_below: Below which value the decision is another one; None where it is not within the range.
        flips_above: Above which value it is.
        zero_at: The value nearest to the stated one at which the mean gain is zero; None where none is.
        curve: The gain over the range.
    """

    name: str
    stated: float
    low: float
    high: float
    is_declared: bool
    is_affine: bool
    flips_below: float | None
    flips_above: float | None
    zero_at: float | None
    curve: tuple[CurvePoint, ...]

    @property
    def flips_at(self) -> float | None:
        """The flip nearest to the stated value; None where there is none."""
        flips = [at for at in (self.flips_below, self.flips_above) if at is not None]
        return min(flips, key=self.change) if flips else None

    def change(self, at: float) -> float:
        """How far a value is from the stated one, in proportion to it; to the range, where that is 0."""
        return abs(at - self.stated) / (abs(self.stated) or self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """Which assumption would turn the verdict, and where.

    Attributes:
        says: The answer in a sentence; or why there is none.
        is_known: Whether it could be computed.
        first: The assumption that turns the verdict first, by the smallest change in proportion; None where none does.
        assumptions: Each assumption that was varied.
        notes: What to know of it.
    """

    says: str
    is_known: bool
    first: str | None = None
    assumptions: tuple[Varied, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it; an open end of an interval is null."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned.

        >>> nothing = BreakEven(says="No assumption is declared.", is_known=False)
        >>> BreakEven.from_dict(nothing.to_dict()) == nothing
        True
        """
        varied = tuple(
            Varied(**{**one, "curve": tuple(_opened(point) for point in one["curve"])}) for one in fields["assumptions"]
        )
        return cls(**{**fields, "assumptions": varied, "notes": tuple(fields["notes"])})


def break_even(
    problem: Problem, rows: pl.DataFrame, evidence: pl.DataFrame, found: Verdict, *, repetitions: int = 1
) -> BreakEven:
    """Varies each assumption of a problem, and says which of them turns the verdict first.

    Args:
        problem: Its value and its assumptions.
        rows: The rows of the snapshot that the evidence was replayed on.
        evidence: The paired table, with the decisions of both policies.
        found: The verdict on it; of a sealed holdout what it lets out.
        repetitions: Under how many seeds the policies were replayed.

    Raises:
        UserCodeError: the value fails at another value of an assumption.
    """
    why = _obstacle(problem, found)
    if why:
        return BreakEven(says=why, is_known=False)
    held = HeldDecisions(problem, rows, evidence, found.criteria)
    if not held.gives(evidence):
        told = (
            f"The evidence is the mean of {repetitions} repetitions, and the decisions"
            if repetitions > 1
            else "The decisions"
        )
        return BreakEven(
            says=f"{told} on record alone do not give its money again, so no break-even is known.", is_known=False
        )
    one_sided = held.pairs(held.stated).one_sided_share
    if one_sided > MOST_ONE_SIDED:
        lacks = f"{one_sided:.1%} of the pairs have a number on one side only"
        return BreakEven(says=f"{lacks}, so nothing is said of where the verdict would turn.", is_known=False)
    stated = problem.stated()
    varied = [_varied(one, held, found) for one in stated if one.value or one.plausible]
    notes = [
        f"{one.name} is stated as 0, so no range goes without saying: declare (0, low, high) to have it varied."
        for one in stated
        if not one.value and not one.plausible
    ]
    if any(takes_second(rail.measure) for rail in problem.guardrails):
        notes.append("Guardrails are held as they were measured under the stated assumptions.")
    first = min((one for one in varied if one.flips_at is not None), key=_nearness, default=None)
    says = _sentence(varied, found.decision is Decision.SHIP) if varied else notes[0]
    return BreakEven(
        says=says,
        is_known=bool(varied),
        first=first.name if first else None,
        assumptions=tuple(varied),
        notes=tuple(notes),
    )


def _obstacle(problem: Problem, found: Verdict) -> str | None:
    """Why no break-even can be computed, in a sentence; None where it can."""
    assert problem.value_of is not None, "a problem is required to have a value before it is judged"
    if found.exposure is None:
        reason = found.reasons[0] if found.reasons else ""
        return f"No break-even is shown. {reason}".strip()
    if not problem.assumptions:
        return "The problem declares no assumptions, so none can be varied."
    if not takes_second(problem.value_of):
        return "The problem's value takes no assumptions: give it a second parameter, and it gets them by name."
    if not problem.counterfactual:
        return (
            "Money of logged decisions is weighed by their chance, and is not worked out again: no break-even is known."
        )
    if found.probability_of_harm is None:
        return "The verdict has no interval, so nothing can be said of where it would turn."
    return None


def _varied(one: Assumption, held: HeldDecisions, found: Verdict) -> Varied:
    low, high = one.plausible or (min(0.0, 2.0 * one.value), max(0.0, 2.0 * one.value))
    pairs_at, is_affine = _pairs_along(one, held, low, high)

    def known_at(at: float) -> tuple[CurvePoint, bool]:
        return _judged(at, pairs_at(at), found)

    grid = np.linspace(low, high, _POINTS)
    nearest = int(np.abs(grid - one.value).argmin())
    if math.isclose(grid[nearest], one.value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE * (high - low)):
        grid[nearest] = one.value
    else:
        grid = np.sort(np.append(grid, one.value))
    places = [float(at) for at in grid]
    known = [known_at(at) for at in places]
    here = places.index(one.value)
    steps = _BISECTIONS if is_affine else _COSTLY_BISECTIONS
    ships, gains = [ship for _, ship in known], [point.gain > 0.0 for point, _ in known]
    flips = [_turn(places, ships, here, step, lambda at: known_at(at)[1], steps) for step in (-1, 1)]
    zeros = [_turn(places, gains, here, step, lambda at: mean_of(pairs_at(at)) > 0.0, steps) for step in (-1, 1)]
    return Varied(
        name=one.name,
        stated=one.value,
        low=low,
        high=high,
        is_declared=one.plausible is not None,
        is_affine=is_affine,
        flips_below=flips[0],
        flips_above=flips[1],
        zero_at=min((at for at in zeros if at is not None), key=lambda at: abs(at - one.value), default=None),
        curve=tuple(point for point, _ in known),
    )


def _pairs_along(
    one: Assumption, held: HeldDecisions, low: float, high: float
) -> tuple[Callable[[float], Pairs], bool]:
    """How the paired sums at any value of an assumption are had, and whether they follow a straight line."""

    def money_at(at: float) -> list[FloatArray]:
        return held.money({one.name: at})

    ends = [money_at(low), money_at(high)]
    probe = low + _PROBE * (high - low)
    for at, money in ((one.value, held.stated), (probe, money_at(probe))):
        share = (at - low) / (high - low)
        expected = [(1.0 - share) * first + share * last for first, last in zip(*ends, strict=True)]
        if not all(are_alike(line, real) for line, real in zip(expected, money, strict=True)):
            return (lambda at: held.pairs(money_at(at))), False
    first, last = (held.pairs(money) for money in ends)
    stated = held.pairs(held.stated)

    def pairs_at(at: float) -> Pairs:
        share = (at - low) / (high - low)
        return replace(stated, sums=(1.0 - share) * first.sums + share * last.sums)

    return pairs_at, True


def _judged(at: float, pairs: Pairs, found: Verdict) -> tuple[CurvePoint, bool]:
    """The gain at one value of an assumption, and whether the verdict would be to ship, guardrails being as they were."""
    criteria = found.criteria
    measurement = measured(pairs, criteria)
    loss = exposed(pairs, measurement.estimate, criteria).unseen_loss
    decision = judge(pairs, measurement, found.guardrails, loss, criteria, found.grant).decision
    shown = measurement.shown if hardly_differs(pairs, measurement) is None else None
    factor = criteria.spoken[0]
    point = CurvePoint(
        at=at,
        gain=mean_of(pairs) * factor,
        low=shown.low * factor if shown else -math.inf,
        high=shown.high * factor if shown else math.inf,
    )
    return point, decision is Decision.SHIP


def _turn(
    places: Sequence[float], holds: Sequence[bool], here: int, step: int, holds_at: Callable[[float], bool], steps: int
) -> float | None:
    """Where what holds at the stated value, or does not, first turns on one side of it; None where it never does."""
    place = here
    while 0 <= place + step < len(places):
        if holds[place + step] != holds[here]:
            same, other = places[place], places[place + step]
            for _ in range(steps):
                middle = (same + other) / 2.0
                same, other = (middle, other) if holds_at(middle) == holds[here] else (same, middle)
            return other
        place += step
    return None


def _nearness(one: Varied) -> float:
    return math.inf if one.flips_at is None else one.change(one.flips_at)


def _sentence(varied: Sequence[Varied], ships: bool) -> str:
    """What turns the verdict, as a product manager would say it."""
    turning = sorted((one for one in varied if one.flips_at is not None), key=_nearness)
    steady = [one for one in varied if one.flips_at is None]
    told = " or ".join(f"{one.name} ({amount(one.low)} to {amount(one.high)})" for one in steady)
    turns = "The verdict flips" if ships else "The verdict would be ship"
    if not turning:
        return f"No plausible {told} {'flips the verdict' if ships else 'makes the verdict ship'}."
    says = f"{turns} if {', or if '.join(_crossing(one) for one in turning)}"
    return f"{says}; no plausible {told} {'flips it' if ships else 'makes it so'}." if steady else f"{says}."


def _crossing(one: Varied) -> str:
    at = one.flips_at
    assert at is not None, "asked only of an assumption that turns the verdict"
    is_below = at < one.stated
    change = 100.0 * one.change(at)
    percent = (
        f" ({change:{'.0f' if change >= 10.0 else '.2g'}} % {'lower' if is_below else 'higher'})" if one.stated else ""
    )
    return f"{one.name} {'falls below' if is_below else 'rises above'} {amount(at)}{percent}"


def _opened(point: Mapping[str, float | None]) -> CurvePoint:
    open_ends = {"low": -math.inf, "high": math.inf}
    return CurvePoint(
        **{name: open_ends.get(name, math.nan) if value is None else value for name, value in point.items()}
    )
