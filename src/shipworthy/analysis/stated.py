"""What somebody states a challenger is to be judged by: on the command line, or in a TOML file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import polars as pl

from shipworthy.analysis.criteria import Criteria, Margin, cadence_of
from shipworthy.analysis.wording import a_period, amount
from shipworthy.errors import InvalidInputError

Per = Literal["unit", "period", "year"]
Entities = Literal["all", "sample"]
_DAYS = 365.0
_CALENDAR = 200  # more periods say no more about how far apart they lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Criteria in the words of those who state them; what nobody says is told apart from what somebody does.

    Attributes:
        smallest_gain: The smallest gain worth shipping; 0 asks for any gain that is proved.
        target: The gain that was claimed, counted likewise.
        per: What both are counted per: unit (of one period), period or year.
        guardrails: What must not get worse, by more than a margin.
        cadence: Length of a period; None reads it off the calendar of the evidence.
        refit_periods: The challenger is refitted every so many periods; None takes it as fitted once.
        entities: Whether the units are those to be served, or a sample of them; None takes them as all of them.
        alpha: Two-sided error of every interval.
        units_per_year: Pairs decided in a year; None takes as many a period as there are.
        currency: The currency of all money; empty where nobody says it.
        title: What is judged, in a line; empty where nobody says it.
    """

    smallest_gain: float = 0.0
    target: float | None = None
    per: Per = "year"
    guardrails: tuple[Margin, ...] = ()
    cadence: str | None = None
    refit_periods: int | None = None
    entities: Entities | None = None
    alpha: float = 0.05
    units_per_year: float | None = None
    currency: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        """Refuses a count that nobody knows."""
        if self.per not in get_args(Per):
            raise InvalidInputError(f"Money cannot be counted per {self.per!r}. Say unit, period or year.")

    def cadence_in(self, periods: pl.Series) -> str:
        """How long a period is: as stated, or as far as the periods of the evidence commonly lie apart."""
        if self.cadence is not None or not isinstance(periods.dtype, (pl.Date, pl.Datetime)):
            return self.cadence or "1d"
        days = periods.drop_nulls().unique().sort().tail(_CALENDAR).cast(pl.Datetime("us")).dt.epoch("ms") / 86_400_000
        apart = days.diff().median()
        return cadence_of(float(apart)) if apart is not None else "1d"  # type: ignore[arg-type]  # a number

    def criteria(self, pairs_per_period: float, cadence: str) -> Criteria:
        """The criteria, in money per pair.

        >>> Stated(smallest_gain=730.0).criteria(pairs_per_period=2.0, cadence="1d").min_effect
        1.0
        """
        units = self.units_per_year
        if units is None:
            units = pairs_per_period * _DAYS / Criteria(cadence=cadence).days_per_period
        judged = Criteria(
            alpha=self.alpha,
            entities=self.entities or "all",
            refit_periods=self.refit_periods or 0,
            cadence=cadence,
            guardrails=self.guardrails,
            units_per_year=units,
            currency=self.currency,
        )
        pairs = {"unit": 1.0, "period": pairs_per_period, "year": units}[self.per]
        return replace(
            judged,
            min_effect=self.smallest_gain / pairs,
            target=None if self.target is None else self.target / pairs,
        )

    def notes(self, criteria: Criteria, pairs_per_period: float, periods: pl.Series) -> tuple[str, ...]:
        """What was taken for granted, with the option that says otherwise."""
        taken = []
        if self.cadence is None:
            how = self._how(periods, criteria.cadence)
            taken.append(f"A period is taken to be {a_period(criteria.cadence)} ({criteria.cadence}){how} (--cadence).")
        if self.units_per_year is None:
            taken.append(
                f"A year is counted as {amount(criteria.units_per_year or 0.0)} pairs: {amount(pairs_per_period)} "
                f"{a_period(criteria.cadence)} (--units-per-year)."
            )
        if self.refit_periods is None:
            taken.append("The challenger is taken to be fitted once, or not at all (--refit-periods).")
        if self.entities is None:
            taken.append("The units are taken to be all that will be served (--entities).")
        if not self.currency:
            taken.append("Nobody said in which currency (--currency).")
        return tuple(taken)

    @staticmethod
    def _how(periods: pl.Series, cadence: str) -> str:
        """Why a period is taken to be so long."""
        if periods.dtype.is_integer():
            return ", since they are whole numbers"
        if not periods.dtype.is_temporal():
            return ""
        moments = periods.drop_nulls()
        is_finer = cadence == "1d" and moments.n_unique() > moments.dt.date().n_unique()
        return ", with all that is decided in it" if is_finer else ", as far as its periods lie apart"


def margin(text: str) -> Margin:
    """Reads a guardrail as it is typed.

    Raises:
        InvalidInputError: It is none.

    >>> margin("sold_out:0.05:lower")
    Margin(name='sold_out', margin=0.05, better='lower')
    """
    name, _, rest = text.partition(":")
    size, _, better = rest.partition(":")
    try:
        return Margin(name=name, margin=float(size), better=better or "higher")  # type: ignore[arg-type]  # it checks
    except ValueError:
        raise InvalidInputError(
            f"{text!r} is no guardrail. Write name:margin, and :lower behind it where lower is better: sold_out:0.05:lower."
        ) from None
