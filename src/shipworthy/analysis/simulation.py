"""A simulation with placebos: how it is designed, and how often each method would have shipped a worthless idea."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shipworthy.analysis.methods import Answers, Method
from shipworthy.errors import InvalidInputError
from shipworthy.statistics import Proportion

PROMISE = 0.05
"""Of ideas that are worth nothing, a verdict may ship this share at most."""

CAUSES = (
    "A leak from replay to replay: something outside code and rows, such as a file or a service that a policy reads, was "
    "another for one of the two. `shipworthy research NUMBER --verify` computes everything again.",
    "Broken pairing: the two sides do not hold the same periods and units, or not valued by the same outcomes.",
    "A wrong cadence: refits, outcomes that come late or one decision that earns over several periods last longer than "
    "is declared (refit, outcome_delay, periods_per_year).",
    "Sampled units: a few units decide the mean, and stand for others that were not evaluated.",
)
"""What it usually means where a verdict ships more placebos than it promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What is simulated.

    Attributes:
        placebos: How many placebos are made of each idea's evidence by permuting; 0 leaves them out.
        reseeded: How many replays of the champion under other seeds there are; 0 leaves them out.
        block: How many periods swap together; None derives it, see `placebos_of`.
        gain: A true gain in money per period, to see how often it would be found; None takes the smallest gain worth
            shipping of each idea.
        seed: What all chance begins with.

    Raises:
        InvalidInputError: a field is out of its range; the message names it.
    """

    placebos: int = 200
    reseeded: int = 20
    block: int | None = None
    gain: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be simulated."""
        for field, holds, remedy in (
            ("placebos", self.placebos >= 0, "Give 0 or more."),
            ("reseeded", self.reseeded >= 0, "Give 0 or more."),
            ("placebos", self.placebos + self.reseeded > 0, "Give 1 or more, or some that are re-seeded."),
            ("seed", self.seed >= 0, "Give 0 or more."),
            ("gain", self.gain is None or 0.0 < self.gain < math.inf, "Give more than 0."),
        ):
            if not holds:
                raise InvalidInputError(f"A simulation cannot have {field} = {getattr(self, field)!r}. {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How one method did.

    Attributes:
        shipped: How many placebos it would have shipped.
        found: How many it would have shipped had each truly gained that much; None where no gain was asked for.
    """

    shipped: Proportion
    found: Proportion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """How wide the verdict's intervals are, in money a year: the median, and the range of four in five of them."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What the placebos of one source show.

    Attributes:
        source: Their name: what they were made of.
        how: How they were made, in words.
        idea: The number of the idea whose evidence was permuted; None of other sources.
        periods: How many periods the evidence has.
        cadence: How long a period is.
        block: How many periods swapped together; None where nothing was permuted.
        is_short: Whether periods depend on one another for longer than that.
        gain: The true gain in money per period that was looked for; None where none was.
        rates: How each method did.
        width: How wide the intervals are; None where no placebo has one.
    """

    source: str
    how: str
    idea: int | None
    periods: int
    cadence: str
    block: int | None
    is_short: bool
    gain: float | None
    rates: Mapping[Method, Rate]
    width: Width | None

    @property
    def is_promised(self) -> bool:
        """Whether the verdict's rate is consistent with what it promises."""
        return self.rates[Method.VERDICT].shipped.low <= PROMISE

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        rates = {str(method): asdict(rate) for method, rate in self.rates.items()}
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {
            "rates": rates,
            "width": asdict(self.width) if self.width else None,
            "is_promised": self.is_promised,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What all placebos show.

    Attributes:
        problem: The problem; empty where a file was simulated.
        currency: The currency of all money; empty likewise.
        sources: What was simulated, at least one.
        skipped: What was not, and why, in sentences.
    """

    problem: str
    currency: str
    sources: Sequence[Simulated]
    skipped: Sequence[str] = ()

    @property
    def is_promised(self) -> bool:
        """Whether the verdict keeps its promise with the placebos of every source, as far as they can tell."""
        return all(source.is_promised for source in self.sources)

    def shipped(self, method: Method) -> Proportion:
        """How many placebos of all sources a method would have shipped."""
        found = [source.rates[method].shipped for source in self.sources]
        return Proportion.counted(sum(one.count for one in found), sum(one.of for one in found))

    def sentence(self) -> str:
        """The conclusion, in words."""
        if not self.is_promised:
            worst = max(self.sources, key=lambda source: source.rates[Method.VERDICT].shipped.low)
            counted = _counted(worst.rates[Method.VERDICT].shipped, f"placebos ({worst.source})")
            return (
                f"The verdict cannot be trusted here yet: it would have shipped {counted}, significantly more than the "
                f"{PROMISE:.0%} that it promises."
            )
        ours = self.shipped(Method.VERDICT)
        kept = (
            f"no more than the {PROMISE:.0%} that it promises"
            if ours.share <= PROMISE
            else f"above the {PROMISE:.0%} that it promises, as chance alone may bring it about"
        )
        rows, mean = (self.shipped(method) for method in (Method.ROWS, Method.MEAN))
        return (
            f"The verdict would have shipped {_counted(ours, 'worthless ideas')}, {kept}. The t-test on rows would have shipped "
            f"{rows.count:,}, and whoever takes the higher mean {mean.count:,}."
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "problem": self.problem,
            "currency": self.currency,
            "is_promised": self.is_promised,
            "sentence": self.sentence(),
            "sources": [source.to_dict() for source in self.sources],
            "skipped": list(self.skipped),
        }


def rates_of(nothing: Sequence[Answers], something: Sequence[Answers]) -> dict[Method, Rate]:
    """How each method did on placebos, and on the same placebos with a gain, if there are any."""
    return {
        method: Rate(shipped=_share(nothing, method), found=_share(something, method) if something else None)
        for method in Method
    }


def width_of(nothing: Sequence[Answers], units_per_year: float) -> Width | None:
    """How wide the intervals are that some placebos have; None where none has any."""
    widths = [one.width * units_per_year for one in nothing if math.isfinite(one.width)]
    if not widths:
        return None
    low, median, high = (float(quantile) for quantile in np.quantile(widths, [0.1, 0.5, 0.9]))
    return Width(low=low, median=median, high=high)


def _share(found: Sequence[Answers], method: Method) -> Proportion:
    return Proportion.counted(sum(one.ships[method] for one in found), len(found))


def _counted(found: Proportion, what: str) -> str:
    return f"{found.count:,} of {found.of:,} {what} ({found.share:.1%}, 95 % range {found.low:.1%} to {found.high:.1%})"
