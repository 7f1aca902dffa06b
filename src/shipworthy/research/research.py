"""The verb of the Research stage: replay champion and challenger, and keep the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.data.gate import missing as missing_data
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Done, Replay, Track, code_digest, engine_of, replay
from shipworthy.ideas.lock import lock_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import FOLDER, pair
from shipworthy.step import History
from shipworthy.store import Change, Record
from shipworthy.store.frames import put_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Research:
    """What a research run left behind.

    Attributes:
        idea: The idea's key.
        problem: The problem that was replayed.
        challenger: The policy that was replayed beside the champion.
        evidence: The object that holds the paired table.
        snapshot: The object that holds the rows it was computed from.
        criteria: The hash under which the criteria are locked.
        code: The digest of the code that decided.
        periods: How many periods were replayed.
        fits: How many blocks were computed now; the rest was known already.
        blocks: How many blocks there are, for both policies.
        falls: How often each policy did not decide itself, by rung, per policy.
        seconds: Median seconds of one decision, per policy.
    """

    idea: str
    problem: str
    challenger: str
    evidence: str
    snapshot: str
    criteria: str
    code: str
    periods: int
    fits: int
    blocks: int
    falls: Mapping[str, Mapping[str, int]]
    seconds: Mapping[str, float]


def research_idea(project: Project, number: int, done: Done = lambda n, of: None) -> Research:
    """Locks the idea's criteria, replays both policies over the snapshot, and records the evidence.

    Raises:
        GateClosedError: the data stage still misses something.
    """
    idea = find_idea(project, number)
    refuse_closed(f"Data to Research for idea {number}", missing_data(project, idea))
    code, problem = load_problem(project, idea.problem)
    digest = code_digest(code, problem, idea.challenger)
    refuse_closed(f"Data to Research for idea {number}", missing_data(project, idea, digest))
    criteria = lock_criteria(project, idea, problem.terms)
    examined = project.records.get("data", idea.key)
    assert examined is not None, "the gate from Data was open"
    replayed = Replay(
        project=project,
        code=code,
        problem=problem,
        snapshot=examined.body["snapshot"],
        history=History(problem, open_snapshot(project, examined.body["snapshot"])),
    )
    with engine_of(project, replayed.history.rows) as engine:
        champion = replay(replayed, str(problem.champion), engine)
        challenger = replay(replayed, idea.challenger, engine, done)
    evidence = pair(problem, champion, challenger)
    tracks = {"champion": champion, "challenger": challenger}
    found = Research(
        idea=idea.key,
        problem=idea.problem,
        challenger=idea.challenger,
        evidence=put_frame(project.objects, FOLDER, evidence),
        snapshot=replayed.snapshot,
        criteria=criteria,
        code=digest,
        periods=evidence["period"].n_unique(),
        fits=champion.fits + challenger.fits,
        blocks=champion.blocks + challenger.blocks,
        falls={role: _falls(track) for role, track in tracks.items()},
        seconds={role: _median_seconds(track) for role, track in tracks.items()},
    )
    project.records.add(Change(kind="research", key=idea.key, body=asdict(found)), by=project.who)
    return found


def read_research(record: Record) -> Research:
    """The research that a record holds."""
    fields: dict[str, Any] = dict(record.body)
    return Research(**fields)


def _falls(track: Track) -> dict[str, int]:
    per_period = track.table.group_by(track.table.columns[0]).agg(pl.col("rung").first())
    return {str(rung): int(count) for rung, count in per_period["rung"].value_counts(sort=True).rows()}


def _median_seconds(track: Track) -> float:
    return float(track.table["seconds"].median() or 0.0)  # type: ignore[arg-type]  # seconds are numbers
