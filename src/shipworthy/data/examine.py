"""The verb of the Data stage: take a snapshot, and say whether the idea can be proved with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.data.leakage import find_leaks, is_preparation_proved
from shipworthy.data.profile import Profile, profile
from shipworthy.data.provable import provable
from shipworthy.data.snapshot import Snapshot, take_snapshot
from shipworthy.engine import Done, Engine, Replay, Track, code_digest, engine_of, replay
from shipworthy.ideas.gate import missing as missing_idea
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.step import History
from shipworthy.step.worth import VALUE
from shipworthy.store import Change, Record

_FEWEST_PERIODS = 8
_FEWEST_TO_SHIP = 28
_UNPROVED = (
    "No column of the raw table says when as a date or a number: that preparing it looks ahead could not be ruled out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAnswer:
    """Testable, or not and why.

    Attributes:
        idea: The idea's key.
        snapshot: The object that holds the rows.
        quarantine: The object that holds the rows set apart; None where there is none.
        profile: What the rows cover.
        leaks: What the challenger, or the preparation of the rows, knows too early.
        provable: What the history can show, in money per period; None where it was not asked any more.
        gaps: Why the idea cannot be tested; empty means that it can.
        remarks: What a reader should know although it does not stop the idea.
        code: The digest of the code that was examined.
    """

    idea: str
    snapshot: str
    quarantine: str | None
    profile: Mapping[str, Any]
    leaks: Sequence[Mapping[str, Any]]
    provable: Mapping[str, Any] | None
    gaps: Sequence[Gap]
    remarks: Sequence[str]
    code: str

    @property
    def is_testable(self) -> bool:
        """Whether research may start."""
        return not self.gaps


def examine_data(project: Project, number: int, done: Done = lambda n, of: None) -> DataAnswer:
    """Takes a snapshot and answers whether the idea can be tested with it; the answer is recorded.

    Raises:
        GateClosedError: the idea itself still misses something.
        InvalidInputError: the rows cannot be used at all.
        NotFoundError: there is no such idea, problem or policy.
    """
    idea = find_idea(project, number)
    refuse_closed(f"Idea to Data for idea {number}", missing_idea(idea))
    code, problem = load_problem(project, idea.problem)
    problem.make_policy(idea.challenger)
    snapshot = take_snapshot(project, problem)
    covered = profile(problem, snapshot.rows, n_read=snapshot.n_read, n_quarantined=snapshot.quarantined.height)
    gaps = list(_unusable(problem, idea, covered))
    leaks, shown = [], None
    if not gaps:
        leaks = find_leaks(problem, idea.challenger, snapshot.rows, project.root, project.seed)
        gaps = [Gap(f"{_BEGINNINGS.get(leak.kind, '')}{leak.why}", _REMEDIES[leak.kind]) for leak in leaks]
    if not gaps:
        replayed = Replay(
            project=project,
            code=code,
            problem=problem,
            snapshot=snapshot.address,
            history=History(problem, snapshot.rows),
        )
        with engine_of(project, snapshot.rows) as engine:
            track = _champion_track(replayed, engine, done)
        gaps = list(_silent(track))
    if not gaps:
        shown = provable(problem, idea, problem.make_policy(idea.challenger), track.table)
        gaps = list(_hopeless(idea, problem, shown.smallest_detectable))
    answer = DataAnswer(
        idea=idea.key,
        snapshot=snapshot.address,
        quarantine=snapshot.quarantine,
        profile=covered.to_dict(),
        leaks=[
            {"kind": leak.kind, "columns": list(leak.columns), "period": leak.period, "why": leak.why} for leak in leaks
        ],
        provable=shown.to_dict() if shown else None,
        gaps=gaps,
        remarks=[
            *_remarks(snapshot, covered.to_dict()),
            *([] if is_preparation_proved(problem, snapshot.rows, project.root) else [_UNPROVED]),
            *(_quiet(shown.to_dict(), problem) if shown else []),
        ],
        code=code_digest(code, problem, idea.challenger),
    )
    project.records.add(Change(kind="data", key=idea.key, body=_body(answer, idea)), by=project.who)
    return answer


def read_answer(record: Record) -> DataAnswer:
    """The answer that a record holds."""
    body = {name: value for name, value in record.body.items() if name in DataAnswer.__slots__}
    return DataAnswer(**{**body, "gaps": [Gap(*gap) for gap in body["gaps"]]})


_BEGINNINGS = dict.fromkeys(("feature", "preparation", "decision"), "It leaks: ")
_REMEDIES = {
    "feature": "Take these columns out of its features, or use a forecast of them that is there when it decides.",
    "preparation": "Prepare the rows from what is known before each period, for example with shift().",
    "decision": "Let the policy read only now.rows and now.past.",
    "chance": "Seed whatever is random in it: fit() with a number of its own, decide() with now.seed.",
    "silent": "Correct the policy, or what it is given.",
}


def _body(answer: DataAnswer, idea: Idea) -> dict[str, Any]:
    body = {name: getattr(answer, name) for name in DataAnswer.__slots__}
    gaps = [[gap.what, gap.remedy] for gap in answer.gaps]
    asked = {"problem": idea.problem, "challenger": idea.challenger, "guardrails": sorted(idea.guardrails)}
    return body | {"gaps": gaps} | asked


def _champion_track(replayed: Replay, engine: Engine, done: Done) -> Track:
    assert replayed.problem.champion is not None, "a loaded problem has a champion"
    return replay(replayed, replayed.problem.champion, engine, done)


def _unusable(problem: Problem, idea: Idea, covered: Profile) -> Sequence[Gap]:
    gaps = []
    if idea.challenger == problem.champion:
        gaps.append(Gap("The challenger is the champion itself.", "Name another policy as challenger."))
    if not problem.counterfactual:
        gaps.append(
            Gap(
                "Outcomes depend on what was decided, so history cannot say what another decision would have earned.",
                "Only a live trial can tell; this version proves ideas on history alone.",
            )
        )
    if covered.n_rows and covered.open_outcomes == covered.n_rows:
        gaps.append(
            Gap("No row has an outcome yet.", "Wait for the first outcomes, or name the column that holds them.")
        )
    if covered.n_periods < _FEWEST_PERIODS:
        gaps.append(
            Gap(
                f"There are {covered.n_periods} usable periods.",
                f"Nothing can be learnt and replayed with fewer than {_FEWEST_PERIODS}: give more.",
            )
        )
    unknown = sorted(set(idea.guardrails) - {rail.name for rail in problem.guardrails})
    if unknown:
        known = ", ".join(rail.name for rail in problem.guardrails) or "none"
        gaps.append(Gap(f"The problem has no guardrail {', '.join(unknown)}.", f"Declare it, or use one of: {known}."))
    return gaps


def _silent(track: Track) -> Sequence[Gap]:
    """Why there is nothing to compare a challenger with: the champion never decided what could be valued."""
    if track.table[VALUE].null_count() < track.table.height:
        return []
    falls = track.table["falls"].drop_nulls()
    cause = falls[0] if len(falls) else "no outcome is known"
    why = f"The champion {track.policy!r} decided no period that could be valued: {cause}."
    return [Gap(why, "Correct it, or what it is given: it is what every challenger is compared with.")]


def _hopeless(idea: Idea, problem: Problem, detectable: float) -> Sequence[Gap]:
    if idea.expected_gain is None:
        return []
    high = idea.per_period(idea.expected_gain[2], problem.periods_per_year)
    if high >= detectable:
        return []
    hoped = f"{high:,.2f} {problem.currency} per period"
    what = f"Even the {hoped} hoped for could not be told from luck: {detectable:,.2f} is the least."
    return [Gap(what, "Collect more periods, or find an idea that gains more.")]


def _remarks(snapshot: Snapshot, covered: Mapping[str, Any]) -> list[str]:
    found = []
    if snapshot.quarantined.height:
        reasons = snapshot.quarantined["reason"].value_counts(sort=True).rows()
        found.append(
            f"{snapshot.quarantined.height} rows are set apart: {'; '.join(f'{n} x {why}' for why, n in reasons)}."
        )
    for name, text in (
        ("n_copies", "rows were exact copies of others and count once"),
        ("missing_periods", "periods are missing between the first and the last"),
        ("missing_units", "(period, unit) pairs have no row"),
        ("open_outcomes", "rows have no outcome yet"),
    ):
        if covered[name]:
            found.append(f"{covered[name]} {text}.")
    if covered["empty_columns"]:
        found.append(f"Columns without any value: {', '.join(covered['empty_columns'])}.")
    return found


def _quiet(shown: Mapping[str, Any], problem: Problem) -> list[str]:
    if shown["periods"] < _FEWEST_TO_SHIP:
        return [f"Only {shown['periods']} periods are replayed: a verdict to ship needs {_FEWEST_TO_SHIP}."]
    if shown["smallest_detectable"] <= shown["smallest_worth"]:
        return []
    needed = (
        f"{shown['periods_needed']} periods would find it" if shown["periods_needed"] else "no history would find it"
    )
    worth, found = f"{shown['smallest_worth']:,.2f} {problem.currency}", f"{shown['smallest_detectable']:,.2f}"
    return [
        f"A gain of just the smallest worth shipping, {worth} per period, would mostly end inconclusive: with "
        f"{shown['periods']} periods {found} is found four times in five; {needed}."
    ]
