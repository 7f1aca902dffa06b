"""The rules that turn a measurement into a decision, in the order in which they speak."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.guardrail import GuardrailState, GuardrailVerdict
from shipworthy.analysis.measurement import FEWEST_PERIODS, Measurement
from shipworthy.analysis.money import figure, money, plain, stated, step_among
from shipworthy.analysis.pairs import Pairs
from shipworthy.analysis.wording import amount, periods
from shipworthy.statistics.budget import Grant
from shipworthy.statistics.interval import Estimate
from shipworthy.statistics.power import Pilot, periods_for
from shipworthy.statistics.series import influence_series
from shipworthy.statistics.spectrum import FEWEST_COSINES, flat_count

FEWEST_PERIODS_TO_SHIP = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A decision with its reasons, the deciding one first."""

    decision: Decision
    reasons: tuple[str, ...]


def hardly_differs(pairs: Pairs, found: Measurement) -> str | None:
    """Says why differences that hardly vary carry no verdict on money, if so."""
    if found.estimate is None:
        return None
    if pairs.differing < FEWEST_PERIODS:
        return (
            f"The two hardly ever differ: in {pairs.differing} of {found_periods(pairs)} periods "
            f"({pairs.usable:,} pairs); at least {FEWEST_PERIODS} periods must show a difference."
        )
    if found.constant:
        same = amount(found.estimate.mean)
        return f"Every period differs by the same {same} per unit. Real decisions vary: check the evidence."
    return None


def found_periods(pairs: Pairs) -> int:
    """Returns how many periods have usable pairs."""
    return int(pairs.series[1].size)


def corrected_low(known: Estimate, grant: Grant | None) -> float:
    """Returns the lower end that a ship has to rest on: where an idea is one of several, as low as its grant asks for.

    The shift for skew counts in it; it is never above the ordinary lower end.
    """
    if grant is None:
        return known.low
    bar = grant.critical_at(known.df)
    return min(known.low, known.mean - bar * known.se + min(0.0, known.skew)) if math.isfinite(bar) else -math.inf


def judge(
    pairs: Pairs,
    found: Measurement,
    guardrails: tuple[GuardrailVerdict, ...],
    unseen_loss: float,
    criteria: Criteria,
    grant: Grant | None = None,
) -> Judgement:
    """Decides; every rule that speaks ends the matter.

    Args:
        pairs: The paired values.
        found: What is known of their mean.
        guardrails: What is known of the guardrails.
        unseen_loss: What the declared worst loss takes off the lower end.
        criteria: What was fixed before.
        grant: What the history's budget of errors grants; None is a single test.
    """
    obstacle = hardly_differs(pairs, found) or found.obstacle
    if obstacle or found.estimate is None:
        return Judgement(decision=Decision.INCONCLUSIVE, reasons=(obstacle or "",))
    known = found.estimate
    alone, low = known.low - unseen_loss, corrected_low(known, grant) - unseen_loss
    others = tuple(guardrail.reason for guardrail in guardrails)
    if alone <= criteria.min_effect and known.high < criteria.claimed:
        return Judgement(decision=Decision.STOP, reasons=(_disproved(known, criteria, grant), *others))
    breached = _reasons(guardrails, GuardrailState.BREACHED)
    if breached:
        gain = f"The gain in money is {_Spoken(known, criteria, grant).gain}."
        return Judgement(decision=Decision.STOP, reasons=(*breached, gain))
    if low <= criteria.min_effect:
        is_corrected = grant is not None and alone > criteria.min_effect
        reason = _corrected(known, low, grant, criteria) if is_corrected else _open(known, unseen_loss, criteria, grant)
        reasons = (reason, *others)
        return Judgement(decision=Decision.INCONCLUSIVE, reasons=reasons)
    proven = _proven(known, unseen_loss, criteria, grant)
    withheld = _reasons(guardrails, GuardrailState.INCONCLUSIVE) + _too_short(pairs, criteria)
    if withheld:
        return Judgement(decision=Decision.INCONCLUSIVE, reasons=(*withheld, proven))
    return Judgement(decision=Decision.SHIP, reasons=(proven, *others))


def periods_still_needed(
    pairs: Pairs, found: Measurement, criteria: Criteria, grant: Grant | None = None
) -> int | None:
    """Returns how many periods more would probably decide; None where no number would, or none is known."""
    sums, counts = pairs.series
    if counts.size < FEWEST_PERIODS:
        return FEWEST_PERIODS_TO_SHIP - int(counts.size)
    if found.estimate is None or found.constant:
        return None
    _, influence = influence_series(sums, counts)
    flat = flat_count(influence, influence.size - 1)
    known = found.estimate
    pilot = Pilot(
        variance=known.long_run_variance,
        flat_share=flat / influence.size,
        periods=influence.size,
        units_variance=known.units_variance,
    )
    above = known.mean - criteria.min_effect
    effect = above if above > 0.0 else criteria.claimed - known.mean
    alpha = criteria.alpha
    if grant is not None and above > 0.0:
        alpha = min(alpha, 2.0 * grant.tail_at(known.df))
    needed = periods_for(pilot, effect, alpha=alpha, refit_periods=criteria.refit_periods) if alpha > 0.0 else None
    if needed is None or not flat:
        return None
    fewest = max(needed, FEWEST_PERIODS_TO_SHIP, int(np.ceil(FEWEST_COSINES / pilot.flat_share)))
    return max(fewest - influence.size, 1)


def _too_short(pairs: Pairs, criteria: Criteria) -> tuple[str, ...]:
    """Withholds a ship that only a few weeks speak for."""
    seen = found_periods(pairs)
    if seen >= FEWEST_PERIODS_TO_SHIP:
        return ()
    return (
        f"The evidence covers {periods(seen, criteria.cadence)}; shipping needs {FEWEST_PERIODS_TO_SHIP}, "
        "because a few good weeks can be luck.",
    )


def _reasons(guardrails: tuple[GuardrailVerdict, ...], state: GuardrailState) -> tuple[str, ...]:
    """The reasons of the guardrails in one state."""
    return tuple(guardrail.reason for guardrail in guardrails if guardrail.state == state)


class _Spoken:
    """How the reasons of one judgement speak of money: counted alike, and rounded like every other telling of it."""

    def __init__(self, known: Estimate, criteria: Criteria, grant: Grant | None) -> None:
        self.known, self.criteria = known, criteria
        self.factor, self.counted = criteria.spoken
        ends = [known.low, corrected_low(known, grant)]
        told = [Gain(gain=known.mean, low=low, high=known.high) for low in ends if math.isfinite(low)]
        scaled = [Gain(**{name: self.factor * getattr(one, name) for name in ("gain", "low", "high")}) for one in told]
        marks = (0.0, self.factor * criteria.min_effect, self.factor * criteria.claimed)
        self.step = step_among(scaled, *marks) if scaled else 1.0

    def amount(self, per_pair: float) -> str:
        """An amount that was measured."""
        return plain(money(self.factor * per_pair, self.criteria.currency, self.step))

    def fixed(self, per_pair: float) -> str:
        """An amount that somebody stated before."""
        return plain(stated(self.factor * per_pair, self.criteria.currency))

    @property
    def gain(self) -> str:
        """The gain with its interval."""
        low, high = (figure(self.factor * end, self.step) for end in (self.known.low, self.known.high))
        confidence = f"{100.0 * (1.0 - self.criteria.alpha):.4g}"
        return plain(f"{self.amount(self.known.mean)} {self.counted} ({confidence} % interval {low} to {high})")


def _unseen(unseen_loss: float, says: _Spoken) -> str:
    """What a declared worst loss takes off."""
    return f", {says.amount(unseen_loss)} lower still for the worst loss that was declared" if unseen_loss else ""


def _proven(known: Estimate, unseen_loss: float, criteria: Criteria, grant: Grant | None) -> str:
    """Why the challenger is better."""
    says = _Spoken(known, criteria, grant)
    is_any = criteria.min_effect == 0.0
    worth = "zero" if is_any else f"{says.fixed(criteria.min_effect)}, the smallest gain worth shipping"
    lower = f", {says.amount(corrected_low(known, grant))} once {_for_whom(grant)}," if grant else ""
    low_end = f"even the low end{lower}{_unseen(unseen_loss, says)} is above {worth}"
    told = f"The challenger earns {says.gain} more: {low_end}."
    if known.high < criteria.claimed:
        told += f" It earns less than the {says.fixed(criteria.claimed)} that the idea claimed."
    return told


def _for_whom(grant: Grant) -> str:
    """What a lower end is corrected for, for somebody who has never heard of an error rate."""
    return f"corrected for the {grant.planned} ideas planned on this history (this is number {grant.idea})"


def _corrected(known: Estimate, low: float, grant: Grant | None, criteria: Criteria) -> str:
    """Why an idea that would ship alone does not."""
    assert grant is not None, "only a grant corrects"
    says = _Spoken(known, criteria, grant)
    ends = f"the low end is {says.amount(low)}" if math.isfinite(low) else "nothing is left to ship it on"
    return (
        f"Alone it would ship: its gain is {says.gain}. But with many ideas on one history one looks good by luck: "
        f"{_for_whom(grant)}, {ends}, and has to be above {says.fixed(criteria.min_effect)}."
    )


def _disproved(known: Estimate, criteria: Criteria, grant: Grant | None) -> str:
    """Why the idea is disproved."""
    says = _Spoken(known, criteria, grant)
    if known.high < 0.0:
        return f"The challenger loses money: its gain is {says.gain}, below zero even at its best."
    claimed = says.fixed(criteria.claimed)
    return f"The idea is disproved: its gain is {says.gain}, below the {claimed} it needs even at its best."


def _open(known: Estimate, unseen_loss: float, criteria: Criteria, grant: Grant | None) -> str:
    """Why nothing is decided."""
    says = _Spoken(known, criteria, grant)
    beginning = (
        "There is a gain, but it may be too small" if known.low > 0.0 else "The gain cannot be told from chance yet"
    )
    return (
        f"{beginning}: it is {says.gain}, and the low end"
        f"{_unseen(unseen_loss, says)} is not above {says.fixed(criteria.min_effect)}, the smallest gain worth shipping."
    )
