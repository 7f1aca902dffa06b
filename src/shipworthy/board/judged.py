"""A verdict as the board tells it: from the records and the stored evidence alone, for a server runs nobody's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from shipworthy.analysis.analyse import Analysis, read_analysis
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.override import Override, overrides, standing
from shipworthy.analysis.report import sentences
from shipworthy.analysis.report.doubts import Doubt, doubts
from shipworthy.analysis.report.findings import Findings, course_of, units_of, usable_pairs
from shipworthy.analysis.report.next_step import cost_of_waiting
from shipworthy.analysis.report.tiles import Tile, tiles
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import Lock
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.store import Record
from shipworthy.workspace.declared import declared

_KEPT = 64
_UNIT = "unit"
"""What a unit is called where the problem's own word for it is not at hand."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict, ready to be told.

    Attributes:
        findings: What it found, as every face of the report tells it.
        analysis: The verdict with what it rests on.
        at: When it was recorded.
        by: Who asked for it.
        overrides: Every override of this idea's verdicts.
        override: The newest of this very verdict, seconded or not; None where there is none.
        is_current: Whether it is about the newest evidence.
    """

    findings: Findings
    analysis: Analysis
    at: datetime
    by: str
    overrides: Sequence[Override]
    override: Override | None
    is_current: bool

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        return sentences.HEADLINES[self.findings.verdict.decision]

    @property
    def said(self) -> str:
        """The same, as what was said before it was tried live or stopped."""
        return f"The replay said: {self.headline[0].lower()}{self.headline[1:]}"

    @property
    def lead(self) -> str:
        """The verdict in a sentence or two."""
        return sentences.lead(self.findings)

    @property
    def waiting(self) -> str | None:
        """What it costs to wait; None where nobody can tell."""
        return cost_of_waiting(self.findings)

    @property
    def tiles(self) -> Sequence[Tile]:
        """The figures that a reader looks for first."""
        return tiles(self.findings)

    @property
    def doubts(self) -> Sequence[Doubt]:
        """What could be wrong with it."""
        budget = self.analysis.budget
        first = [Doubt("Many ideas on one history:", f"{budget.sentence}.")] if budget else []
        return [*first, *doubts(self.findings)]

    @property
    def rails(self) -> Sequence[tuple[str, str, str, str]]:
        """Each guardrail: its name, its state, the word for that, and what is known of it."""
        return [
            (rail.name.replace("_", " "), str(rail.state), sentences.STATES[rail.state], sentences.guardrail(rail))
            for rail in self.findings.verdict.guardrails
        ]


def read_judged(project: Project, idea: Idea, lock: Lock | None) -> Judged | None:
    """The newest verdict of an idea; None where there is none.

    Raises:
        NotFoundError: the evidence is gone.
        TamperedError: the evidence is not the one that was judged.
    """
    record, researched = (project.records.get(kind, idea.key) for kind in ("verdict", "research"))
    if record is None:
        return None
    asked = overrides(project, idea)
    return Judged(
        findings=_findings(project, idea, record, lock),
        analysis=read_analysis(record),
        at=record.at,
        by=record.by,
        overrides=asked,
        override=standing(asked, record.body),
        is_current=researched is not None and researched.body["evidence"] == record.body["evidence"],
    )


def _findings(project: Project, idea: Idea, record: Record, lock: Lock | None) -> Findings:
    analysis = read_analysis(record)
    sums = _sums(_Rests(project, analysis))
    return Findings(
        title=idea.title,
        verdict=analysis.verdict,
        currency=analysis.currency,
        unit_noun=declared(project, idea.problem).unit.replace("_", " ") or _UNIT,
        claimed=_claimed(lock),
        is_sealed=analysis.is_sealed,
        course=sums.course,
        units=sums.units,
    )


class _Sums(NamedTuple):
    course: pl.DataFrame
    units: pl.DataFrame


class _Rests:
    """What the sums of a verdict rest on; two of the same evidence and criteria are the same."""

    def __init__(self, project: Project, analysis: Analysis) -> None:
        self.project = project
        self.analysis = analysis
        self._same = (str(project.root), analysis.evidence, repr(analysis.verdict.criteria), analysis.is_sealed)

    def __hash__(self) -> int:
        return hash(self._same)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rests) and other._same == self._same


@lru_cache(maxsize=_KEPT)
def _sums(rests: _Rests) -> _Sums:
    analysis = rests.analysis
    pairs = usable_pairs(open_evidence(rests.project, analysis.evidence), analysis.verdict.criteria)
    shown = pairs.clear() if analysis.is_sealed else pairs
    return _Sums(course_of(shown), units_of(shown))


def _claimed(lock: Lock | None) -> Gain | None:
    expected = lock.criteria["expected_gain"] if lock else None
    if lock is None or not expected:
        return None
    times = 1.0 if lock.criteria["per"] == "year" else float(lock.criteria["periods_per_year"])
    low, likely, high = (float(amount) * times for amount in expected)
    return Gain(gain=likely, low=low, high=high)
