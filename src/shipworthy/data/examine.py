"""The verb of the Data stage: take a snapshot, and say whether the idea can be proved with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from shipworthy.data.availability import unavailable
from shipworthy.data.counterfactual import unsupported
from shipworthy.data.differences import find_differences
from shipworthy.data.freshness import stale
from shipworthy.data.holdout import holdout_for, marks_of, read_holdouts
from shipworthy.data.leakage import find_leaks, is_preparation_proved
from shipworthy.data.profile import Profile, profile
from shipworthy.data.provable import Provable, provable
from shipworthy.data.segments import unknown_segments
from shipworthy.data.snapshot import Snapshot, take_snapshot
from shipworthy.data.suspicion import find_suspicions
from shipworthy.engine import (
    Done,
    Engine,
    Replay,
    Track,
    code_digest,
    engine_here,
    engine_of,
    foresee,
    judged_periods,
    replay,
    windows,
)
from shipworthy.ideas.edit import keep_text
from shipworthy.ideas.gate import missing as missing_idea
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.written import overtaken, read_written
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
        contract: The digest of the contract that the rows were held against; None where the problem has none.
        broken: How many rows break each rule, by its reason, the commonest first.
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
    contract: str | None = None
    broken: Mapping[str, int] = field(default_factory=dict)

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
    refuse_closed(f"Idea to Data for idea {number}", [*missing_idea(idea), *overtaken(read_written(project, number))])
    code, problem = load_problem(project, idea.problem)
    problem.make_policy(idea.challenger)
    snapshot = take_snapshot(project, problem)
    covered = profile(problem, snapshot.rows, n_read=snapshot.n_read, n_quarantined=snapshot.quarantined.height)
    gaps = [
        *stale(problem, snapshot),
        *_unusable(problem, idea, covered),
        *unknown_segments(problem, idea, snapshot.rows),
    ]
    replayed = Replay(
        project=project,
        code=code,
        problem=problem,
        snapshot=snapshot.address,
        history=History(problem, snapshot.rows),
    )
    leaks, shown, supported, blind = [], None, list[str](), list[str]()
    if not gaps:
        with engine_here(project, snapshot.rows) as engine:
            leaks = find_leaks(replayed, idea.challenger, engine, done)
        gaps = [Gap(f"{_BEGINNINGS.get(leak.kind, '')}{leak.why}", _REMEDIES[leak.kind]) for leak in leaks]
    if not gaps:
        with engine_of(project, snapshot.rows) as engine:
            gaps, supported = unsupported(replayed, idea.challenger, engine, done)
            if not gaps:
                track = _champion_track(replayed, engine, done)
                gaps = list(_silent(track))
            if not gaps:
                shown = _shown(replayed, idea, track, engine, done, blind.append)
                gaps = shown.gaps(problem.currency)
    answer = DataAnswer(
        idea=idea.key,
        snapshot=snapshot.address,
        quarantine=snapshot.quarantine,
        profile=covered.to_dict(),
        leaks=[asdict(leak) | {"columns": list(leak.columns), "sources": list(leak.sources)} for leak in leaks],
        provable=shown.to_dict() if shown else None,
        gaps=gaps,
        remarks=[
            *_remarks(snapshot, covered.to_dict()),
            *_unchecked(snapshot),
            *unavailable(problem, replayed.history.newest.rows),
            *([] if is_preparation_proved(replayed) else [_UNPROVED]),
            *supported,
            *(str(suspicion) for suspicion in find_suspicions(problem, replayed.history.newest.rows)),
            *(f"There is foresight, but it decides no period, so it is no measure of regret: {why}." for why in blind),
            *(_quiet(shown, problem) if shown else []),
            *(_retired(replayed) if shown else []),
        ],
        code=code_digest(code, problem, idea.challenger),
        contract=snapshot.contract.digest if snapshot.contract else None,
        broken=snapshot.broken,
    )
    keep_text(project, number)
    project.records.add(Change(kind="data", key=idea.key, body=_body(answer, idea, problem.terms)), by=project.who)
    return answer


def read_answer(record: Record) -> DataAnswer:
    """The answer that a record holds."""
    body = {name: value for name, value in record.body.items() if name in DataAnswer.__slots__}
    return DataAnswer(**{**body, "gaps": [Gap(*gap) for gap in body["gaps"]]})


_BEGINNINGS = dict.fromkeys(("feature", "preparation", "decision"), "It leaks: ")
_REMEDIES = {
    "feature": "Take these columns out of its features, or use a forecast of them that is there when it decides.",
    "preparation": "Prepare the rows from what is known before each period, for example with shift(); or, where it may be known "
    "only afterwards, name it in known_after.",
    "decision": "Let the policy read only now.rows and now.past.",
    "chance": "Seed whatever is random in it: a preparation and fit() with a number of their own, decide() with now.seed. "
    "Give a search a work limit and one thread: several threads, or the clock alone, end it elsewhere each time.",
    "silent": "Correct the policy, or what it is given.",
}


def _body(answer: DataAnswer, idea: Idea, terms: Mapping[str, Any]) -> dict[str, Any]:
    body = {name: getattr(answer, name) for name in DataAnswer.__slots__}
    gaps = [[gap.what, gap.remedy] for gap in answer.gaps]
    asked = {"problem": idea.problem, "challenger": idea.challenger}
    named = {"guardrails": sorted(idea.guardrails), "segments": list(idea.segments)}
    return body | {"gaps": gaps, "terms": terms} | asked | named


def _champion_track(replayed: Replay, engine: Engine, done: Done) -> Track:
    assert replayed.problem.champion is not None, "a loaded problem has a champion"
    return replay(replayed, replayed.problem.champion, engine, done)


def _shown(
    replayed: Replay, idea: Idea, champion: Track, engine: Engine, done: Done, blind: Callable[[str], None]
) -> Provable:
    problem = replayed.problem
    oracle = foresee(replayed, [idea.challenger, champion.policy], engine, done, blind)
    differences = find_differences(replayed, champion, oracle, idea.key, engine, done)
    judged = windows(problem, replayed.history).judged
    return provable(problem, idea, problem.make_policy(idea.challenger), champion, differences, oracle, judged)


def _unusable(problem: Problem, idea: Idea, covered: Profile) -> Sequence[Gap]:
    gaps = []
    if idea.challenger == problem.champion:
        gaps.append(Gap("The challenger is the champion itself.", "Name another policy as challenger."))
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


def _remarks(snapshot: Snapshot, covered: Mapping[str, Any]) -> list[str]:
    found = []
    if snapshot.quarantined.height:
        reasons = "; ".join(f"{n:,} x {why}" for why, n in snapshot.broken.items())
        found.append(f"{snapshot.quarantined.height:,} rows are set apart: {reasons}.")
    for name, text in (
        ("n_copies", "rows were exact copies of others and count once"),
        ("missing_periods", "periods are missing between the first and the last"),
        ("missing_units", "(period, unit) pairs have no row"),
        ("open_outcomes", "rows have no outcome yet"),
    ):
        if covered[name]:
            found.append(f"{covered[name]:,} {text}.")
    if covered["empty_columns"]:
        found.append(f"Columns without any value: {', '.join(covered['empty_columns'])}.")
    return [*found, *covered["oddities"]]


def _unchecked(snapshot: Snapshot) -> list[str]:
    """The columns that no entry of the contract is about."""
    contract = snapshot.contract
    names = [name for name in snapshot.rows.columns if contract is not None and name not in contract.columns]
    return [f"The contract has no entry for: {', '.join(names)}."] if names else []


def _quiet(shown: Provable, problem: Problem) -> list[str]:
    if shown.periods < _FEWEST_TO_SHIP:
        return [f"Only {shown.periods} periods are judged: a verdict to ship needs {_FEWEST_TO_SHIP}."]
    return shown.remarks(problem.currency)


def _retired(replayed: Replay) -> list[str]:
    """That a verdict will be refused, where the history is used up."""
    problem, judged = replayed.problem, judged_periods(replayed.problem, replayed.history)
    found = holdout_for(
        read_holdouts(replayed.project, problem.name),
        problem.name,
        marks_of(pl.Series(judged)),
        planned=problem.ideas_planned,
        is_sealed=problem.holdout is not None,
    )
    return [f"No verdict on a further idea: this history is {found.retirement}."] if found.is_retired else []
