"""What the evidence rests on, and what it cannot know: printed beside every verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.measurement import FEWEST_PERIODS, stressed
from shipworthy.analysis.money import money, plain, step_of
from shipworthy.analysis.pairs import Pairs
from shipworthy.analysis.wording import periods
from shipworthy.statistics.interval import Estimate, estimate
from shipworthy.statistics.series import FloatArray, autocorrelation, halves, influence_series
from shipworthy.statistics.spectrum import FEWEST_COSINES

_UNSEEN_PROBABILITY = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The gain in one half of the evidence, per pair."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What a verdict rests on.

    Attributes:
        periods: Periods with usable pairs.
        pairs: Usable pairs.
        usable_share: Usable pairs over all pairs.
        pairs_per_period: Mean usable pairs in a period.
        phi: Correlation of neighbouring periods.
        effective_periods: Independent periods that would know as much.
        best_rows_share: Share of the gain that comes from the best 1 % of the pairs; None where there is no gain.
        best_period_share: Share of the gain that comes from the best period; None where there is no gain.
        unseen_loss: What a declared worst loss, not seen yet, takes off the lower end before the decision.
        sentence: What could still happen, in words.
        stress: The interval if refits err together; None where it is not known how much a fit learns from.
        halves: The gain in the older and in the newer half; empty where the evidence is too short.
        is_stable: Whether the halves' intervals meet.
    """

    periods: int
    pairs: int
    usable_share: float
    pairs_per_period: float
    phi: float
    effective_periods: float
    best_rows_share: float | None
    best_period_share: float | None
    unseen_loss: float
    sentence: str
    stress: tuple[float, float] | None
    halves: tuple[Half, ...]
    is_stable: bool

    def to_dict(self) -> dict[str, Any]:
        """Returns the exposure as JSON can hold it."""
        return {
            **asdict(self),
            "stress": list(self.stress) if self.stress else None,
            "halves": [asdict(half) for half in self.halves],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned."""
        stress = fields["stress"]
        return cls(
            **{
                **fields,
                "stress": (stress[0], stress[1]) if stress else None,
                "halves": tuple(Half(**half) for half in fields["halves"]),
            }
        )


def exposed(pairs: Pairs, found: Estimate | None, criteria: Criteria) -> Exposure:
    """Describes what the verdict on these pairs rests on."""
    sums, counts = pairs.series
    gain = float(sums.sum())
    effective = _effective_periods(sums, counts, found)
    parts = _halves(sums, counts, criteria)
    stress = None
    if found is not None and found.nu >= FEWEST_COSINES and criteria.training_periods is not None:
        # Where the stress interval decides, the estimate carries it already.
        wide = found if criteria.refit_stress else stressed(found, counts.size, criteria)
        stress = (wide.low, wide.high)
    return Exposure(
        periods=counts.size,
        pairs=pairs.usable,
        usable_share=pairs.usable_share,
        pairs_per_period=float(counts.mean()) if counts.size else 0.0,
        phi=autocorrelation(influence_series(sums, counts)[1]) if counts.size else 0.0,
        effective_periods=effective,
        best_rows_share=pairs.best_rows / gain if gain > 0.0 else None,
        best_period_share=float(sums.max()) / gain if gain > 0.0 else None,
        unseen_loss=_unseen_loss(effective, criteria),
        sentence=_sentence(sums, counts, found, effective, criteria),
        stress=stress,
        halves=parts,
        is_stable=not parts or (parts[0].low <= parts[1].high and parts[1].low <= parts[0].high),
    )


def _effective_periods(sums: FloatArray, counts: FloatArray, found: Estimate | None) -> float:
    """Independent periods that know as much as those seen, at most all of them."""
    if found is None or found.long_run_variance <= 0.0:
        return float(counts.size)
    _, influence = influence_series(sums, counts)
    return min(1.0, float(np.mean(influence**2)) / found.long_run_variance) * counts.size


def _unseen_loss(effective: float, criteria: Criteria) -> float:
    """The declared worst loss times the share of periods in which it may strike unseen, at 5 %."""
    if criteria.worst_day_loss is None:
        return 0.0
    share = 1.0 if effective <= 0.0 else 1.0 - _UNSEEN_PROBABILITY ** (1.0 / effective)
    return share * criteria.worst_day_loss


def _sentence(
    sums: FloatArray, counts: FloatArray, found: Estimate | None, effective: float, criteria: Criteria
) -> str:
    """Says which rare event the evidence cannot exclude, and which one would undo the proof."""
    if not counts.size:
        return "Nothing has been seen, so nothing can be excluded."
    says = (
        f"{periods(counts.size, criteria.cadence)} were seen, worth {effective:.0f} independent ones: an event "
        f"rarer than once in {periods(max(1, round(effective / 3.0)), criteria.cadence)} cannot be excluded."
    )
    if found is None or found.nu < FEWEST_COSINES or found.low <= 0.0:
        return says
    loss = found.low * float(counts.mean()) * counts.size
    worst = -float(sums.min())
    ratio = loss / worst if worst > 0.0 else 0.0
    costs = plain(money(loss, criteria.currency, step_of([loss])))
    times = f", {ratio:,.{0 if ratio >= 10 else 1}f} times the worst one seen" if ratio else ""
    return f"{says} The proven gain is erased by one unseen period in {counts.size:,} that costs {costs}{times}."


def _halves(sums: FloatArray, counts: FloatArray, criteria: Criteria) -> tuple[Half, ...]:
    """Estimates both halves in time, where each is long enough for an interval."""
    if counts.size < FEWEST_PERIODS:
        return ()
    found = []
    for part_sums, part_counts in zip(halves(sums), halves(counts), strict=True):
        part = estimate(part_sums, part_counts, alpha=criteria.alpha)
        found.append(Half(gain=part.mean, low=part.low, high=part.high))
    return tuple(found)
