"""The verb of the Analysis stage: judge the evidence by what was locked before it was there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from shipworthy.analysis.break_even import BreakEven, break_even
from shipworthy.analysis.criteria import Criteria, Margin, cadence_of
from shipworthy.analysis.holdout import Budget, open_holdout
from shipworthy.analysis.segments import Segments, segments
from shipworthy.analysis.verdicts import Verdict, verdict
from shipworthy.data.provable import refit_periods
from shipworthy.data.segments import segmented
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import code_digest
from shipworthy.errors import PreconditionError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import deviations, locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.research.gate import missing as missing_research
from shipworthy.research.research import read_research
from shipworthy.step import History
from shipworthy.step.worth import VALUE
from shipworthy.store import Change, Record

_WHOLE = "sealed"
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A verdict with what it rests on.

    Attributes:
        idea: The idea's key.
        verdict: The decision, its interval and its reasons; of a sealed holdout only what it lets out.
        evidence: The object that holds the paired table.
        code: The digest of the code that was judged.
        currency: The currency of all money.
        deviations: Where the idea's file departs from what was locked; they stand in the report.
        is_sealed: Whether the evidence is that of a sealed holdout.
        budget: What it cost the history's budget of errors; None in a record from before budgets were kept.
        break_even: Which assumption would turn the verdict; None in a record from before that was asked.
        segments: Where the gain comes from; None where the idea registered none, and where the holdout withholds it.
    """

    idea: str
    verdict: Verdict
    evidence: str
    code: str
    currency: str
    deviations: Sequence[str]
    is_sealed: bool = False
    budget: Budget | None = None
    break_even: BreakEven | None = None
    segments: Segments | None = None

    def to_dict(self) -> dict[str, Any]:
        """The analysis as JSON can hold it, with the gain per period and per year."""
        return {
            "idea": self.idea,
            "decision": str(self.verdict.decision),
            "currency": self.currency,
            "is_sealed": self.is_sealed,
            "per_period": asdict(self.verdict.per_period()),
            "per_year": asdict(self.verdict.per_year()),
            "verdict": self.verdict.to_dict(),
            "break_even": self.break_even.to_dict() if self.break_even else None,
            "segments": self.segments.to_dict() if self.segments else None,
            "deviations": list(self.deviations),
            "budget": self.budget.to_dict() if self.budget else None,
            "evidence": self.evidence,
        }


def analyse_idea(project: Project, number: int) -> Analysis:
    """Judges the evidence of an idea by its locked criteria; the verdict is recorded.

    It opens the history that it is judged on: what it must show depends on all ideas tried there before. The same evidence
    gives the same verdict, however often it is asked for, and costs its history nothing again.

    Raises:
        GateClosedError: there is no evidence for the idea and the code as they stand, or the history is retired.
        PreconditionError: others opened the history at the same instant, again and again.
    """
    idea = find_idea(project, number)
    refuse_closed(f"Research to Analysis for idea {number}", missing_research(project, idea))
    code, problem = load_problem(project, idea.problem)
    digest = code_digest(code, problem, idea.challenger)
    refuse_closed(f"Research to Analysis for idea {number}", missing_research(project, idea, digest))
    record = project.records.get("research", idea.key)
    locked = locked_criteria(project, idea)
    assert record is not None and locked is not None, "research locks the criteria and leaves evidence"  # noqa: PT018
    evidence = open_evidence(project, record.body["evidence"])
    criteria = criteria_of(problem, idea, locked, evidence)
    research = read_research(record)
    rows = open_snapshot(project, research.snapshot)
    for attempt in range(_ATTEMPTS):
        opened = open_holdout(project, idea, research, evidence, criteria, with_locked)
        whole = verdict(evidence, criteria, grant=opened.grant)
        shown = whole.withheld() if research.holdout is not None else whole
        found = Analysis(
            idea=idea.key,
            verdict=shown,
            evidence=research.evidence,
            code=research.code,
            currency=locked["currency"],
            deviations=deviations(project, idea, problem.terms),
            is_sealed=research.holdout is not None,
            budget=opened.budget,
            break_even=break_even(problem, rows, evidence, shown, repetitions=research.repetitions),
            segments=None
            if research.holdout is not None  # what each unit earned in a sealed holdout stays sealed, on ship too
            else _segments(problem, rows, evidence, locked.get("segments", []), shown),
        )
        kept = Change(kind="verdict", key=idea.key, body=_body(found, whole))
        try:
            project.records.add(*opened.changes(whole.decision), kept, by=project.who)
            break
        except PreconditionError:  # somebody else opened the history meanwhile: what is left of it is another amount
            if attempt == _ATTEMPTS - 1:
                raise
    return found


def read_analysis(record: Record) -> Analysis:
    """The analysis that a record holds, as it may be shown."""
    body = {name: value for name, value in record.body.items() if name in Analysis.__slots__}
    readers: Mapping[str, Callable[[Any], Any]] = {
        "verdict": Verdict.from_dict,
        "budget": Budget.from_dict,
        "break_even": BreakEven.from_dict,
        "segments": Segments.from_dict,
    }
    return Analysis(**body | {name: read(body[name]) for name, read in readers.items() if body.get(name) is not None})


def read_whole_verdict(record: Record) -> Verdict:
    """The verdict with what a sealed holdout withholds: to compute with, never to show."""
    return Verdict.from_dict(record.body.get(_WHOLE, record.body["verdict"]))


def criteria_of(problem: Problem, idea: Idea, locked: Mapping[str, Any], evidence: pl.DataFrame) -> Criteria:
    """What the verdict judges by: how the challenger is refitted, and what was locked."""
    margins = {rail.name: rail.margin for rail in problem.guardrails} | locked["margins"] | locked["guardrails"]
    criteria = Criteria(
        refit_periods=refit_periods(problem, problem.make_policy(idea.challenger)),
        cadence=cadence_of(365.0 / locked["periods_per_year"]),
        guardrails=tuple(
            Margin(name=rail.name, margin=margins[rail.name], better=rail.better) for rail in problem.guardrails
        ),
    )
    return with_locked(criteria, locked, evidence)


def with_locked(criteria: Criteria, locked: Mapping[str, Any], evidence: pl.DataFrame) -> Criteria:
    """The criteria with the money that was locked, turned from money per period or year into money per unit.

    A period has as many units as the verdict can compare. What nobody can value, such as a flight that was cancelled, counts
    neither in what is worth shipping nor in money per year.
    """
    usable = evidence.filter((pl.col(f"{VALUE}_challenger") - pl.col(f"{VALUE}_champion")).is_finite())
    units = usable.height / usable["period"].n_unique() if usable.height else 1.0
    per_year = locked["periods_per_year"]
    scale = 1.0 if locked["per"] == "period" else 1.0 / per_year
    smallest = float(locked["smallest_gain"]) * scale / units
    likely = locked["expected_gain"][1] * scale / units if locked["expected_gain"] else None
    target = None if likely is None else max(likely, smallest)
    return replace(
        criteria, min_effect=smallest, target=target, units_per_year=units * per_year, currency=locked["currency"]
    )


def _segments(
    problem: Problem, rows: pl.DataFrame, evidence: pl.DataFrame, columns: Sequence[str], shown: Verdict
) -> Segments | None:
    """The gain told apart by columns of the rows, as they stand in the newest revision of each; None where none may be told."""
    if not columns or shown.exposure is None:
        return None
    history = segmented(problem, History(problem, rows).newest.rows, columns)
    values = [f"{VALUE}_champion", f"{VALUE}_challenger"]
    frame = evidence.select("period", "unit", *values).join(history, on=["period", "unit"], how="left")
    return segments(frame, [name for name in columns if name in frame.columns], shown.criteria, history=history)


def _body(found: Analysis, whole: Verdict) -> dict[str, Any]:
    body = {name: getattr(found, name) for name in Analysis.__slots__}
    sealed = {} if found.verdict is whole else {_WHOLE: whole.to_dict()}
    told = {
        name: part.to_dict()
        for name in ("verdict", "budget", "break_even", "segments")
        if (part := getattr(found, name)) is not None
    }
    return body | told | {"deviations": list(found.deviations)} | sealed
