"""The verb of the Research stage: replay champion and challenger, and keep the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from shipworthy.data.gate import missing as missing_data
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Engine, ProcessEngine, Replay, Track, code_digest, replay
from shipworthy.engine.processes import Done
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.lock import lock_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import FOLDER, pair
from shipworthy.research.repetitions import SolverNoise, averaged, seed_of_repetition, solver_noise
from shipworthy.research.solving import Solving, solving
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
        solvers: How each policy's solvers did, see `Solving`; None where no solver told of itself.
        repetitions: Under how many seeds both policies were replayed.
        noise: What chance inside the solvers adds, see `SolverNoise`; None with one repetition.
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
    solvers: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    repetitions: int = 1
    noise: Mapping[str, Any] | None = None


def research_idea(project: Project, number: int, done: Done = lambda n, of: None, *, repetitions: int = 1) -> Research:
    """Locks the idea's criteria, replays both policies over the snapshot, and records the evidence.

    With several repetitions, each under a seed of its own, the evidence is their mean; what the solvers' chance adds is
    recorded beside it. Decisions and telemetry are those of the first, which has the project's seed.

    Raises:
        GateClosedError: the data stage still misses something.
        InvalidInputError: there is to be no repetition.
    """
    if repetitions < 1:
        raise InvalidInputError(f"{repetitions} repetitions were asked for. Ask for 1 or more.")
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
    engine = ProcessEngine(workers=project.workers)
    pairs = [
        _replayed_pair(
            replace(replayed, seed=seed_of_repetition(project.seed, repetition)),
            idea.challenger,
            engine,
            _told(done, repetition, repetitions),
        )
        for repetition in range(repetitions)
    ]
    paired = [pair(problem, *tracks) for tracks in pairs]
    evidence = averaged(problem, paired)
    noise = solver_noise(paired)
    tracks = dict(zip(("champion", "challenger"), pairs[0], strict=True))
    found = Research(
        idea=idea.key,
        problem=idea.problem,
        challenger=idea.challenger,
        evidence=put_frame(project.objects, FOLDER, evidence),
        snapshot=replayed.snapshot,
        criteria=criteria,
        code=digest,
        periods=evidence["period"].n_unique(),
        fits=sum(track.fits for both in pairs for track in both),
        blocks=sum(track.blocks for both in pairs for track in both),
        falls={role: _falls(track) for role, track in tracks.items()},
        seconds={role: _median_seconds(track) for role, track in tracks.items()},
        solvers={role: _plain(solving(track)) for role, track in tracks.items()},
        repetitions=repetitions,
        noise=_plain(noise),
    )
    project.records.add(Change(kind="research", key=idea.key, body=asdict(found)), by=project.who)
    return found


def read_research(record: Record) -> Research:
    """The research that a record holds."""
    fields: dict[str, Any] = dict(record.body)
    return Research(**fields)


def _replayed_pair(replayed: Replay, challenger: str, engine: Engine, done: Done) -> tuple[Track, Track]:
    champion = replay(replayed, str(replayed.problem.champion), engine)
    return champion, replay(replayed, challenger, engine, done)


def _told(done: Done, repetition: int, repetitions: int) -> Done:
    """What one repetition tells of its progress, as a part of all of them."""
    return lambda n, of: done(repetition * of + n, repetitions * of)


def _plain(account: Solving | SolverNoise | None) -> dict[str, Any] | None:
    return None if account is None else asdict(account)


def _falls(track: Track) -> dict[str, int]:
    per_period = track.table.group_by(track.table.columns[0]).agg(pl.col("rung").first())
    return {str(rung): int(count) for rung, count in per_period["rung"].value_counts(sort=True).rows()}


def _median_seconds(track: Track) -> float:
    return float(track.table["seconds"].median() or 0.0)  # type: ignore[arg-type]  # seconds are numbers
