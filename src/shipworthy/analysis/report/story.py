"""The story of a verdict: everything that its report tells, gathered from the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipworthy.analysis.analyse import Analysis, read_analysis
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.override import Override, overrides, standing
from shipworthy.analysis.report.findings import Findings, course_of, units_of, usable_pairs
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
class Story(Findings):
    """What the report of an idea tells: the findings, with all that the project's records know of how they came about.

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
        overrides: Every override of its verdicts that was ever asked for.
        override: The one that two people have set this very verdict aside with; None where it stands.
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
    overrides: tuple[Override, ...]
    override: Override | None


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
    pairs = usable_pairs(open_evidence(project, analysis.evidence), analysis.verdict.criteria)
    shown = pairs.clear() if analysis.is_sealed else pairs
    asked = overrides(project, idea)
    override = standing(asked, judged.body)
    return Story(
        title=idea.title,
        verdict=analysis.verdict,
        currency=analysis.currency,
        unit_noun=problem.unit.replace("_", " "),
        claimed=_claimed(locked, problem),
        is_sealed=analysis.is_sealed,
        course=course_of(shown),
        units=units_of(shown),
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
        overrides=asked,
        override=override if override and override.counts else None,
    )


def _claimed(locked: Mapping[str, Any], problem: Problem) -> Gain | None:
    """What the idea claimed before research started, in money a year."""
    expected = locked["expected_gain"]
    if not expected:
        return None
    times = 1.0 if locked["per"] == "year" else problem.periods_per_year
    low, likely, high = (float(amount) * times for amount in expected)
    return Gain(gain=likely, low=low, high=high)
