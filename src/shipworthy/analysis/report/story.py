"""The story of a verdict: everything that its report tells, gathered from the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import Analysis, read_analysis
from shipworthy.analysis.cleaning import cleaned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.verdicts import Gain, Verdict
from shipworthy.data.examine import DataAnswer, read_answer
from shipworthy.engine import code_digest
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import deviations, locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.research.gate import missing as missing_research
from shipworthy.research.research import Research, read_research


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Story:
    """What a report tells; nothing in it is computed but sums and means of the evidence.

    Attributes:
        idea: The hypothesis, as its file says it now.
        problem: The problem, for its words: what a unit is called, who the champion is.
        data: What the data stage answered.
        research: What the replay left behind.
        analysis: The verdict with what it rests on.
        locked: The criteria as they were locked when research started.
        deviations: Where the idea's file departs from them, when it was judged or now.
        is_code_changed: Whether the project's code is another one than was judged.
        judged_at: When the verdict was recorded, in UTC.
        judged_by: Who asked for it.
        course: Columns period, gain and total (the gain so far), one row per period with usable pairs; empty where
            the evidence cannot be read, and where it is that of a sealed holdout.
        units: Columns unit, decisions, champion, challenger and gain (means per decision) and total, the best unit
            first; empty likewise.
    """

    idea: Idea
    problem: Problem
    data: DataAnswer
    research: Research
    analysis: Analysis
    locked: Mapping[str, Any]
    deviations: tuple[str, ...]
    is_code_changed: bool
    judged_at: datetime
    judged_by: str
    course: pl.DataFrame
    units: pl.DataFrame

    @property
    def verdict(self) -> Verdict:
        """The verdict itself."""
        return self.analysis.verdict

    @property
    def currency(self) -> str:
        """The currency of all money."""
        return self.analysis.currency

    @property
    def has_interval(self) -> bool:
        """Whether anything more than a mean is known."""
        return self.verdict.probability_of_harm is not None

    @property
    def is_withheld(self) -> bool:
        """Whether a sealed holdout keeps its figures to itself."""
        return self.analysis.is_sealed and self.verdict.decision in (Decision.STOP, Decision.INCONCLUSIVE)

    @property
    def unit_noun(self) -> str:
        """What the problem calls a unit."""
        return self.problem.unit.replace("_", " ")

    @property
    def smallest(self) -> float:
        """The smallest gain worth shipping, in money a year, as it was judged by."""
        return self._a_year(self.verdict.criteria.min_effect)

    @property
    def needed(self) -> float:
        """The gain a year below which the idea counts as disproved."""
        return self._a_year(self.verdict.criteria.claimed)

    @property
    def claimed(self) -> Gain | None:
        """What the idea claimed before research started, in money a year; None where it claimed nothing."""
        expected = self.locked["expected_gain"]
        if not expected:
            return None
        times = 1.0 if self.locked["per"] == "year" else self.problem.periods_per_year
        low, likely, high = (float(amount) * times for amount in expected)
        return Gain(gain=likely, low=low, high=high)

    def _a_year(self, per_pair: float) -> float:
        return per_pair * (self.verdict.criteria.units_per_year or 0.0)


def tell_story(project: Project, number: int) -> Story:
    """Gathers what the report of an idea tells.

    Raises:
        GateClosedError: There is no verdict about the evidence as it stands.
        NotFoundError: There is no such idea.
        TamperedError: The evidence is not the one that was judged.
    """
    idea = find_idea(project, number)
    gate = f"Analysis to the report of idea {number}"
    refuse_closed(gate, missing_research(project, idea))
    examined, researched, judged = (project.records.get(kind, idea.key) for kind in ("data", "research", "verdict"))
    locked = locked_criteria(project, idea)
    assert examined and researched and locked is not None, "an open gate from Research has left these records"  # noqa: PT018
    if judged is None or judged.body["evidence"] != researched.body["evidence"]:
        missing = Gap("There is no verdict about the evidence as it stands.", f"Run `shipworthy analyse {number}`.")
        refuse_closed(gate, [missing])
    assert judged is not None, "the gate is open"
    code, problem = load_problem(project, idea.problem)
    analysis = read_analysis(judged)
    pairs = _pairs(open_evidence(project, analysis.evidence), analysis.verdict.criteria)
    shown = pairs.clear() if analysis.is_sealed else pairs
    return Story(
        idea=idea,
        problem=problem,
        data=read_answer(examined),
        research=read_research(researched),
        analysis=analysis,
        locked=locked,
        deviations=tuple(dict.fromkeys([*analysis.deviations, *deviations(project, idea, problem.terms)])),
        is_code_changed=code_digest(code, problem, idea.challenger) != analysis.code,
        judged_at=judged.at,
        judged_by=judged.by,
        course=_course(shown),
        units=_units(shown),
    )


def _pairs(evidence: pl.DataFrame, criteria: Criteria) -> pl.DataFrame:
    """The usable pairs that the verdict counted; none where it could not read them."""
    found = cleaned(evidence, criteria)
    sides = {side: pl.col(f"value_{side}").cast(pl.Float64) for side in ("champion", "challenger")}
    pairs = found.frame.clear() if found.refusal else found.frame
    return pairs.select("period", "unit", **sides).filter(
        pl.col("champion").is_finite() & pl.col("challenger").is_finite()
    )


def _course(pairs: pl.DataFrame) -> pl.DataFrame:
    gain = (pl.col("challenger") - pl.col("champion")).sum().alias("gain")
    return pairs.group_by("period").agg(gain).sort("period").with_columns(total=pl.col("gain").cum_sum())


def _units(pairs: pl.DataFrame) -> pl.DataFrame:
    difference = pl.col("challenger") - pl.col("champion")
    by_unit = pairs.group_by(pl.col("unit").cast(pl.String)).agg(
        pl.col("champion").mean(),
        pl.col("challenger").mean(),
        decisions=pl.len(),
        gain=difference.mean(),
        total=difference.sum(),
    )
    return by_unit.sort("gain", "unit", descending=[True, False])
