"""The figures that a reader looks for first, each with the words below it."""

from __future__ import annotations

from typing import NamedTuple

from shipworthy.analysis.money import share
from shipworthy.analysis.report import sentences
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.story import Story


class Tile(NamedTuple):
    """A figure.

    Attributes:
        name: What it is.
        figure: The figure, or the word for why there is none.
        says: What is to know of it.
    """

    name: str
    figure: str
    says: str


def tiles(findings: Findings) -> list[Tile]:
    """Gain a year and a period, what is worth shipping, and the probability of harm."""
    probability = findings.verdict.probability_of_harm
    unknown = "sealed" if findings.is_withheld else "unknown"
    why = "the holdout shows its money only on ship" if findings.is_withheld else "the evidence allows no interval"
    gains = (
        [
            Tile("Gain a year", *sentences.a_year(findings)),
            Tile(f"Gain {sentences.a_period(findings)}", *sentences.each_period(findings)),
        ]
        if findings.has_interval
        else [Tile("Gain a year", unknown, why)]
    )
    return [
        *gains,
        worth_shipping(findings),
        Tile(
            "Probability of harm",
            unknown if probability is None else share(probability),
            "that the true gain is below zero",
        ),
    ]


def worth_shipping(findings: Findings) -> Tile:
    """What is worth shipping, and when that was said."""
    fixed = "fixed before research" if isinstance(findings, Story) else "from what was stated"
    return Tile("Worth shipping from", sentences.smallest(findings), f"a year, {fixed}")
