"""In which money a problem is counted, and how many of its periods a year has: as its ideas locked it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipworthy.analysis.money import brief
from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.store import Record


@dataclass(frozen=True, slots=True)
class Terms:
    """What money of a problem means.

    Attributes:
        currency: Its currency; empty while no idea about it is locked.
        periods_per_year: How many periods a year has; None likewise.
    """

    currency: str = ""
    periods_per_year: float | None = None

    def a_year(self, amount: float, per: str) -> float | None:
        """An amount per "period" or "year" as money a year; None where nobody knows how many periods that is.

        >>> Terms("EUR", 365.0).a_year(2.0, "period"), Terms().a_year(2.0, "period"), Terms().a_year(2.0, "year")
        (730.0, None, 2.0)
        """
        if per == "year":
            return amount
        return None if self.periods_per_year is None else amount * self.periods_per_year

    def says(self, amount: float, step: float | None = None) -> str:
        """An amount rounded to a step, or with three digits that count.

        >>> [Terms("EUR").says(amount).replace(chr(160), " ") for amount in (22453.9, 5.65e11)]
        ['22,500 EUR', '565 bn EUR']
        """
        return brief(amount, self.currency, step)


def terms_of(project: Project) -> Mapping[str, Terms]:
    """By problem what its newest locked idea says."""
    found: dict[str, Terms] = {}
    for record in sorted(project.records.find("idea"), key=lambda record: record.seq):
        found |= terms_in(record)
    return found


def terms_in(record: Record) -> Mapping[str, Terms]:
    """By problem what an idea's record locks; empty where it locks nothing."""
    criteria = (record.body.get("lock") or {}).get("criteria") or {}
    if not criteria.get("periods_per_year"):
        return {}
    return {criteria["problem"]: Terms(criteria.get("currency", ""), float(criteria["periods_per_year"]))}


def terms_about(terms: Mapping[str, Terms], problem: str) -> Terms:
    """What money of a problem means; while none is locked, all money is in the one currency that the other problems share.

    >>> known = {"bakery": Terms("EUR", 365.0)}
    >>> terms_about(known, "bakery").periods_per_year, terms_about(known, "").currency, terms_about({}, "").currency
    (365.0, 'EUR', '')
    """
    if problem in terms:
        return terms[problem]
    currencies = {one.currency for one in terms.values()}
    return Terms(currencies.pop() if len(currencies) == 1 else "")


def expected_a_year(idea: Idea, terms: Terms) -> tuple[float, float, float] | None:
    """What an idea is expected to gain a year: low, likely, high; None where nobody said, or no year can be reckoned."""
    if idea.expected_gain is None:
        return None
    low, likely, high = (terms.a_year(amount, idea.per) for amount in idea.expected_gain)
    return None if low is None or likely is None or high is None else (low, likely, high)
