"""The offline verdict: is the challenger worth shipping, going by paired evidence?

Rows become one number a period, which takes care of whatever units share; the autocorrelation of that series is
estimated, not assumed away; and a decision follows from one interval in money and from the guardrails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from shipworthy.analysis.cleaning import calendar_notes, cleaned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.exposure import Exposure, exposed
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.guardrail import GuardrailVerdict, guarded
from shipworthy.analysis.judgement import Judgement, corrected_low, hardly_differs, judge, periods_still_needed
from shipworthy.analysis.measurement import MOST_ONE_SIDED, Measurement, mean_of, measured
from shipworthy.analysis.money import money, plain, step_among, step_of
from shipworthy.analysis.pairs import Pairs, paired
from shipworthy.analysis.wording import a_period, amount, periods
from shipworthy.errors import InvalidInputError
from shipworthy.finite import finite
from shipworthy.sources.frame import Table, to_polars
from shipworthy.statistics.budget import Grant
from shipworthy.statistics.interval import probability_below
from shipworthy.statistics.series import influence_series

_DOMINANT_SHARE = 0.5
_NAMED = 5

SEALED = "The holdout is sealed: it answers with its decision alone, and shows no money unless the decision is to ship."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the evidence says of a challenger; money is per pair, that is per unit and period.

    Attributes:
        decision: Ship, stop, inconclusive or invalid.
        reasons: Why, in sentences, the deciding one first.
        gain: Mean gain over the champion; NaN where it is withheld.
        low: Lower end of its interval; minus infinity where nothing honest can be said.
        high: Upper end.
        se: Standard error of the gain.
        nu: Cosines behind it: how many independent looks at the slow movements there were.
        probability_of_harm: How probable a true gain below zero is; None where there is no interval.
        guardrails: What is known of each guardrail.
        exposure: What the verdict rests on; None where the evidence is invalid.
        periods_still_needed: Periods more that would probably decide; None where it is decided, or where none would.
        notes: What was done to the evidence, and what to know of it.
        criteria: What was judged by.
        corrected_low: The lower end that has to stand above the smallest gain worth shipping: `low`, and lower where the
            verdict is corrected for the other ideas on its history.
        grant: What it was corrected by; None where it is a single test.
    """

    decision: Decision
    reasons: tuple[str, ...]
    gain: float
    low: float
    high: float
    se: float
    nu: int
    probability_of_harm: float | None
    guardrails: tuple[GuardrailVerdict, ...]
    exposure: Exposure | None
    periods_still_needed: int | None
    notes: tuple[str, ...]
    criteria: Criteria
    corrected_low: float = -math.inf
    grant: Grant | None = None

    def withheld(self) -> Verdict:
        """Returns what a sealed holdout lets out: the decision; and all of it on ship, and where there was nothing to judge.

        Estimates leak: who sees what rejected ideas earned there can put together one that passes by luck (Dwork et al.
        2015, The reusable holdout, Science 349). So figures, and sentences with figures, stay sealed.
        """
        if self.decision in (Decision.SHIP, Decision.INVALID):
            return self
        return replace(
            self,
            reasons=(SEALED,),
            gain=math.nan,
            low=-math.inf,
            high=math.inf,
            se=math.inf,
            nu=0,
            probability_of_harm=None,
            guardrails=(),
            exposure=None,
            periods_still_needed=None,
            notes=(),
            corrected_low=-math.inf,
            grant=None,
        )

    def per_period(self) -> Gain:
        """Returns the gain of a period with as many units as the evidence has on average."""
        return self._times(self.exposure.pairs_per_period if self.exposure else 1.0)

    def per_year(self, units_per_year: float | None = None) -> Gain:
        """Returns the gain of a year with so many pairs, by default as many as the criteria plan.

        Raises:
            InvalidInputError: Nobody said how many pairs are decided in a year.
        """
        units = self.criteria.units_per_year if units_per_year is None else units_per_year
        if units is None or units <= 0.0:
            raise InvalidInputError(
                f"Money per year needs the pairs decided in a year, not {units!r}. Give units_per_year."
            )
        return self._times(units)

    @property
    def smallest_a_period(self) -> float:
        """The smallest gain worth shipping, in money a period."""
        return self.criteria.min_effect * (self.exposure.pairs_per_period if self.exposure else 1.0)

    def step_of_year(self) -> float:
        """Returns to what money a year is rounded, wherever it is told: no end of it may seem to lie on a mark's other side."""
        units = self.criteria.units_per_year or 0.0
        told = [self._times(units)]
        if self.grant is not None and math.isfinite(self.corrected_low):
            told.append(replace(told[0], low=self.corrected_low * units))
        return step_among(told, 0.0, self.criteria.min_effect * units, self.criteria.claimed * units)

    def _times(self, units: float) -> Gain:
        """Scales the gain; an unknown interval stays unknown."""
        return Gain(gain=self.gain * units, low=self.low * units, high=self.high * units)

    def to_dict(self) -> dict[str, Any]:
        """Returns the verdict as JSON can hold it; an open end of an interval, and what is withheld, is null."""
        money = ("gain", "low", "high", "se", "corrected_low")
        return {
            **asdict(replace(self, guardrails=(), exposure=None, grant=None)),
            **finite({name: getattr(self, name) for name in money}),
            "decision": str(self.decision),
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "guardrails": [guardrail.to_dict() for guardrail in self.guardrails],
            "exposure": self.exposure.to_dict() if self.exposure else None,
            "criteria": self.criteria.to_dict(),
            "grant": self.grant.to_dict() if self.grant else None,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned; a verdict from before corrections were made has none.

        Raises:
            InvalidInputError: The fields are not those of a verdict.
        """
        try:
            corrected = fields.get("corrected_low", fields.get("low"))
            return cls(
                **{
                    **fields,
                    "decision": Decision(fields["decision"]),
                    "reasons": tuple(fields["reasons"]),
                    "notes": tuple(fields["notes"]),
                    "gain": math.nan if fields["gain"] is None else fields["gain"],
                    "low": -math.inf if fields["low"] is None else fields["low"],
                    "high": math.inf if fields["high"] is None else fields["high"],
                    "se": math.inf if fields["se"] is None else fields["se"],
                    "guardrails": tuple(GuardrailVerdict.from_dict(one) for one in fields["guardrails"]),
                    "exposure": Exposure.from_dict(fields["exposure"]) if fields["exposure"] else None,
                    "criteria": Criteria.from_dict(fields["criteria"]),
                    "corrected_low": -math.inf if corrected is None else corrected,
                    "grant": Grant.from_dict(fields["grant"]) if fields.get("grant") else None,
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(
                f"This is not a verdict ({error!r}). Give what Verdict.to_dict returned."
            ) from error


def verdict(frame: Table, criteria: Criteria | None = None, *, grant: Grant | None = None) -> Verdict:
    """Judges paired evidence. The order of the rows never matters.

    Args:
        frame: A table of Polars (lazy too), pandas, or any library that speaks Arrow. One row per period and unit: period
            (dates, times or whole numbers), unit, value_champion and value_challenger in money, and `<guardrail>_champion` and
            `<guardrail>_challenger` for each guardrail of the criteria.
        criteria: What to judge by; a gain above zero by default.
        grant: What a budget of errors grants it, where it is one of several ideas on one history; None is a single test.

    Raises:
        InvalidInputError: It is no table, or a column is missing. Evidence that contradicts itself or cannot be read is no
            error but the decision "invalid".

    >>> rng = np.random.default_rng(0)
    >>> days = pl.DataFrame({"period": range(60), "unit": "shop", "value_champion": rng.normal(100.0, 9.0, size=60)})
    >>> found = verdict(days.with_columns(value_challenger=pl.col("value_champion") + rng.normal(5.0, 4.0, size=60)))
    >>> str(found.decision)
    'ship'
    """
    asked = Criteria() if criteria is None else criteria
    if not isinstance(asked, Criteria):
        raise InvalidInputError(f"A verdict judges by Criteria, not by {asked!r}. Give Criteria(...).")
    evidence = cleaned(to_polars(frame), asked)
    if evidence.refusal:
        return _invalid(evidence.refusal, evidence.notes, asked)
    pairs = paired(evidence.frame, "value", by_unit=asked.entities == "sample")
    if not pairs.is_money:
        return _invalid(f"A difference of {amount(pairs.largest)} is not money.", evidence.notes, asked)
    guardrails = tuple(guarded(evidence.frame, margin, asked) for margin in asked.guardrails)
    found = measured(pairs, asked)
    exposure = exposed(pairs, found.estimate, asked)
    judgement = judge(pairs, found, guardrails, exposure.unseen_loss, asked, grant)
    judgement = _also_at_worst(judgement, pairs, guardrails, asked, grant)
    shown = found.shown if hardly_differs(pairs, found) is None else None
    needed = periods_still_needed(pairs, found, asked, grant) if judgement.decision is Decision.INCONCLUSIVE else None
    reasons = judgement.reasons
    if needed is not None:
        reasons = (*reasons, f"About {periods(needed, asked.cadence)} more would probably decide.")
    return Verdict(
        decision=judgement.decision,
        reasons=reasons,
        gain=shown.mean if shown else mean_of(pairs),
        low=shown.low if shown else -math.inf,
        high=shown.high if shown else math.inf,
        se=shown.se if shown else math.inf,
        nu=shown.nu if shown else 0,
        probability_of_harm=probability_below(shown, 0.0) if shown else None,
        guardrails=guardrails,
        exposure=exposure,
        periods_still_needed=needed,
        notes=evidence.notes + calendar_notes(pairs.periods, asked) + _notes(evidence.frame, pairs, exposure, asked),
        criteria=asked,
        corrected_low=corrected_low(shown, grant) if shown else -math.inf,
        grant=grant,
    )


def _invalid(refusal: str, notes: tuple[str, ...], criteria: Criteria) -> Verdict:
    """Evidence that cannot be judged."""
    return Verdict(
        decision=Decision.INVALID,
        reasons=(refusal,),
        gain=0.0,
        low=-math.inf,
        high=math.inf,
        se=math.inf,
        nu=0,
        probability_of_harm=None,
        guardrails=(),
        exposure=None,
        periods_still_needed=None,
        notes=notes,
        criteria=criteria,
    )


def _also_at_worst(
    judgement: Judgement,
    pairs: Pairs,
    guardrails: tuple[GuardrailVerdict, ...],
    criteria: Criteria,
    grant: Grant | None,
) -> Judgement:
    """Withholds a decision that would change if the pairs with one side only were bad ones."""
    if pairs.one_sided_share <= MOST_ONE_SIDED:
        return judgement
    worst = pairs.at_worst()
    found: Measurement = measured(worst, criteria)
    exposure = exposed(worst, found.estimate, criteria)
    if judge(worst, found, guardrails, exposure.unseen_loss, criteria, grant).decision == judgement.decision:
        return judgement
    reason = (
        f"{pairs.one_sided_share:.1%} of the pairs have a number on one side only, and the decision "
        f"({judgement.decision}) would be another one if those were bad. Find out why they are missing."
    )
    return Judgement(decision=Decision.INCONCLUSIVE, reasons=(reason, *judgement.reasons))


def _notes(frame: pl.DataFrame, pairs: Pairs, exposure: Exposure, criteria: Criteria) -> tuple[str, ...]:
    """Says what the reader of the interval should know."""
    notes = [*_unusable(frame, pairs)]
    if not exposure.is_stable:
        gains = [half.gain * exposure.pairs_per_period for half in exposure.halves]
        older, newer = (plain(money(gain, criteria.currency, step_of(gains))) for gain in gains)
        counted = a_period(criteria.cadence)
        notes.append(f"Not stable: {older} {counted} in the older half, {newer} in the newer one.")
    sums, counts = pairs.series
    influence = influence_series(sums, counts)[1] ** 2 if counts.size else np.zeros(0)
    if influence.size and influence.max() > _DOMINANT_SHARE * influence.sum():
        day = pairs.periods.filter(pl.Series(pairs.counts > 0))[int(influence.argmax())]
        row = (
            frame.filter(pl.col("period") == day)
            .with_columns(size=(pl.col("value_challenger") - pl.col("value_champion")).cast(pl.Float64).abs())
            .filter(pl.col("size").is_finite())
            .sort("size", "unit", descending=[True, False])
            .row(0, named=True)
        )
        notes.append(
            f"One period, {day}, carries {influence.max() / influence.sum():.0%} of all variation; "
            f"its largest difference is at unit {row['unit']}."
        )
    return tuple(notes)


def _unusable(frame: pl.DataFrame, pairs: Pairs) -> tuple[str, ...]:
    """Says how many pairs have no number, and which units are therefore not judged at all."""
    lost = pairs.rows - pairs.usable
    if not lost:
        return ()
    gain = pl.col("value_challenger").cast(pl.Float64) - pl.col("value_champion").cast(pl.Float64)
    usable = frame.group_by("unit").agg(is_judged=gain.is_finite().any())
    gone = sorted(map(str, usable.filter(~pl.col("is_judged").fill_null(value=False))["unit"].to_list()))
    says = f"{lost:,} of {pairs.rows:,} pairs ({lost / pairs.rows:.1%}) have no number on one side or both, and do not count"
    if gone:
        named = ", ".join(gone[:_NAMED]) + (f" and {len(gone) - _NAMED:,} more" if len(gone) > _NAMED else "")
        says += f"; not judged at all: {'unit' if len(gone) == 1 else 'units'} {named}"
    return (f"{says}.",)
