"""Findings: what a verdict found, as every face of the report tells it, wherever the evidence came from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import polars as pl

from shipworthy.analysis.cleaning import cleaned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """A verdict with the sums and means of its evidence; nothing else in it is computed.

    Attributes:
        title: What was judged, in a line.
        verdict: The verdict; its criteria say how many pairs a year has.
        currency: The currency of all money.
        unit_noun: What a unit is called.
        claimed: What was claimed before research started, in money a year; None where nothing was.
        is_sealed: Whether the evidence is that of a sealed holdout.
        course: Columns period, gain and total (the gain so far), one row per period with usable pairs; empty where
            the evidence cannot be read, and where it is sealed.
        units: Columns unit, decisions, champion, challenger and gain (means per decision) and total, the best unit
            first; empty likewise.
    """

    title: str
    verdict: Verdict
    currency: str
    unit_noun: str
    claimed: Gain | None
    is_sealed: bool
    course: pl.DataFrame
    units: pl.DataFrame

    @property
    def has_interval(self) -> bool:
        """Whether anything more than a mean is known."""
        return self.verdict.probability_of_harm is not None

    @property
    def is_withheld(self) -> bool:
        """Whether a sealed holdout keeps its figures to itself."""
        return self.is_sealed and self.verdict.decision in (Decision.STOP, Decision.INCONCLUSIVE)

    @property
    def smallest(self) -> float:
        """The smallest gain worth shipping, in money a year, as it was judged by."""
        return self._a_year(self.verdict.criteria.min_effect)

    @property
    def needed(self) -> float:
        """The gain a year below which the idea counts as disproved."""
        return self._a_year(self.verdict.criteria.claimed)

    @property
    def corrected(self) -> Gain | None:
        """The gain a year with the low end that many ideas on one history leave it; None where nothing is corrected."""
        if self.verdict.grant is None or not math.isfinite(self.verdict.corrected_low):
            return None
        return replace(self.verdict.per_year(), low=self._a_year(self.verdict.corrected_low))

    @property
    def lowest(self) -> float:
        """The low end that a ship rests on, in money a year."""
        return self.corrected.low if self.corrected else self.verdict.per_year().low

    @property
    def corrected_for(self) -> int:
        """How many ideas the history is planned for, and the verdict corrected for; 1 where it is a single test."""
        return self.verdict.grant.planned if self.verdict.grant else 1

    @property
    def periods(self) -> int:
        """How many periods the verdict rests on."""
        exposure = self.verdict.exposure
        return exposure.periods if self.is_sealed and exposure else self.course.height

    def _a_year(self, per_pair: float) -> float:
        return per_pair * (self.verdict.criteria.units_per_year or 0.0)


def usable_pairs(evidence: pl.DataFrame, criteria: Criteria) -> pl.DataFrame:
    """The pairs that the verdict counted, as columns period, unit, champion and challenger; none where it could not read them."""
    found = cleaned(evidence, criteria)
    sides = {side: pl.col(f"value_{side}").cast(pl.Float64) for side in ("champion", "challenger")}
    pairs = found.frame.clear() if found.refusal else found.frame
    return pairs.select("period", "unit", **sides).filter(
        pl.col("champion").is_finite() & pl.col("challenger").is_finite()
    )


def course_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """The gain of each period, and so far."""
    gain = (pl.col("challenger") - pl.col("champion")).sum().alias("gain")
    return pairs.group_by("period").agg(gain).sort("period").with_columns(total=pl.col("gain").cum_sum())


def units_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """What each unit earned, the best first."""
    difference = pl.col("challenger") - pl.col("champion")
    by_unit = pairs.group_by(pl.col("unit").cast(pl.String)).agg(
        pl.col("champion").mean(),
        pl.col("challenger").mean(),
        decisions=pl.len(),
        gain=difference.mean(),
        total=difference.sum(),
    )
    return by_unit.sort("gain", "unit", descending=[True, False])
