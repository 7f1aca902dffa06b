"""The verb of the Research stage: replay champion and challenger, and keep the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from shipworthy.engine import Done, Engine, Replay, Track, Window, Windows, code_digest, engine_of, foresee, windows
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import lock_criteria
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.research.both import replay_both
from shipworthy.research.evidence import FOLDER, pair
from shipworthy.research.exploration import explored
from shipworthy.research.inputs import Inputs, read_inputs
from shipworthy.research.opening import Opened, open_idea
from shipworthy.research.regret import regret_of
from shipworthy.research.repetitions import SolverNoise, averaged, solver_noise
from shipworthy.research.solving import Solving, solving
from shipworthy.store import Change, Record
from shipworthy.store.frames import put_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Research:
    """What a research run left behind.

    Attributes:
        idea: The idea's key.
        problem: The problem that was replayed.
        challenger: The policy that was replayed beside the champion.
        evidence: The object that holds the paired table which the verdict answers from: the holdout's, where there is one.
        snapshot: The object that holds the rows it was computed from.
        criteria: The hash under which the criteria are locked.
        code: The digest of the code that decided.
        periods: How many periods were replayed.
        fits: How many blocks were computed now; the rest was known already.
        blocks: How many blocks there are, for both policies.
        falls: How often each policy did not decide itself, by rung, per policy.
        seconds: Median seconds of one decision, per policy.
        first_falls: The first period that each policy did not decide itself, and why; none of one that always did.
        solvers: How each policy's solvers did, see `Solving`; None where no solver told of itself.
        repetitions: Under how many seeds both policies were replayed.
        noise: What chance inside the solvers adds to the open periods, see `SolverNoise`; None with one repetition.
        looks: How many candidates the fits of each policy chose among, where they search.
        holdout: The sealed window, its `first` and `last` period and how many `periods`; None where nothing is sealed.
        development: The object that holds the paired table of the development window; None where nothing is sealed.
        explored: What the development window shows; None where nothing is sealed.
        regret: Each policy's regret to perfect foresight, split; see `Regret`. None where there is no oracle, or none
            was asked for.
        inputs: The object that holds all that this was computed from, see `Inputs`.
        changes: What of that differs from the run before, in sentences: why something was computed.
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
    first_falls: Mapping[str, str] = field(default_factory=dict)
    solvers: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    repetitions: int = 1
    noise: Mapping[str, Any] | None = None
    looks: Mapping[str, int] = field(default_factory=dict)
    holdout: Mapping[str, Any] | None = None
    development: str | None = None
    explored: Mapping[str, Any] | None = None
    regret: Mapping[str, Mapping[str, Any]] | None = None
    inputs: str = ""
    changes: Sequence[str] = ()


def research_idea(
    project: Project,
    number: int,
    done: Done = lambda n, of: None,
    *,
    repetitions: int = 1,
    with_regret: bool = True,
) -> Research:
    """Locks the idea's criteria, replays both policies over the snapshot, and records the evidence.

    With several repetitions, each under a seed of its own, the evidence is their mean; what the solvers' chance adds is
    recorded beside it. Decisions and telemetry are those of the first, which has the project's seed.

    Where nothing changed since the last run, that one's record is the answer, and nothing is read or computed.

    Raises:
        GateClosedError: the data stage still misses something, or the holdout is not the one that was locked.
        InvalidInputError: there is to be no repetition.
    """
    if repetitions < 1:
        raise InvalidInputError(f"{repetitions} repetitions were asked for. Ask for 1 or more.")
    opened = open_idea(project, number)
    criteria = lock_criteria(project, opened.idea, opened.problem.terms)
    asked = {"seed": project.seed, "repetitions": repetitions, "regret": with_regret}
    inputs = Inputs.of(opened, {"problem": opened.problem.name} | asked)
    before = last_research(project, opened.idea)
    if before is not None and before.inputs == inputs.address and _is_kept(project, before.evidence):
        return replace(before, fits=0, changes=[])
    found = _computed(opened, criteria, repetitions, with_regret, done)
    known = read_inputs(project, before.inputs) if before is not None else None
    kept = replace(found, inputs=inputs.keep(project), changes=inputs.explained(known, fits=found.fits))
    project.records.add(Change(kind="research", key=opened.idea.key, body=asdict(kept)), by=project.who)
    return kept


def _is_kept(project: Project, address: str) -> bool:
    try:
        project.objects.about(address)
    except NotFoundError:
        return False
    return True


def _computed(opened: Opened, criteria: str, repetitions: int, with_regret: bool, done: Done) -> Research:
    project, problem, idea = opened.project, opened.problem, opened.idea
    replayed = opened.replay()
    divided = windows(problem, replayed.history)
    with engine_of(project, replayed.history.rows) as engine:
        tracks_of = replay_both(replayed, idea.challenger, engine, done, repetitions=repetitions)
        pairs = [pair(problem, *tracks) for tracks in tracks_of]
        paired = averaged(problem, pairs)
        tracks = dict(zip(("champion", "challenger"), tracks_of[0], strict=True))
        regret = _regret(replayed, tracks, divided.development, engine, done) if with_regret else None
    return Research(
        idea=idea.key,
        problem=idea.problem,
        challenger=idea.challenger,
        evidence=put_frame(project.objects, FOLDER, divided.judged.cut(paired, "period")),
        snapshot=replayed.snapshot,
        criteria=criteria,
        code=code_digest(replayed.code, problem, idea.challenger),
        periods=paired["period"].n_unique(),
        fits=sum(track.fits for both in tracks_of for track in both),
        blocks=sum(track.blocks for both in tracks_of for track in both),
        falls={role: _falls(track) for role, track in tracks.items()},
        seconds={role: _median_seconds(track) for role, track in tracks.items()},
        first_falls={role: why for role, track in tracks.items() if (why := _first_fall(track))},
        solvers={role: _plain(solving(track)) for role, track in tracks.items()},
        repetitions=repetitions,
        noise=_plain(solver_noise([divided.development.cut(one, "period") for one in pairs])),
        looks={role: track.looks for role, track in tracks.items()},
        regret=regret,
        **_divided(project, problem, divided, paired),
    )


def _divided(project: Project, problem: Problem, divided: Windows, paired: pl.DataFrame) -> dict[str, Any]:
    """What is recorded of the two windows, where a holdout is sealed."""
    if divided.holdout is None:
        return {}
    is_open = divided.development.cut(paired, "period")
    sealed = divided.holdout.cut(paired, "period")["period"].n_unique()
    return {
        "holdout": {"first": str(divided.holdout.first), "last": str(divided.holdout.last), "periods": sealed},
        "development": put_frame(project.objects, FOLDER, is_open),
        "explored": asdict(explored(problem, is_open)),
    }


def read_research(record: Record) -> Research:
    """The research that a record holds."""
    fields: dict[str, Any] = dict(record.body)
    return Research(**fields)


def last_research(project: Project, idea: Idea) -> Research | None:
    """The idea's newest research; None where there is none."""
    record = project.records.get("research", idea.key)
    return read_research(record) if record is not None else None


def _plain(account: Solving | SolverNoise | None) -> dict[str, Any] | None:
    return None if account is None else asdict(account)


def _regret(
    replayed: Replay, tracks: Mapping[str, Track], is_open: Window, engine: Engine, done: Done
) -> Mapping[str, Mapping[str, Any]] | None:
    """Each policy's regret over the open periods: over sealed ones it would tell what the verdict withholds."""
    oracle = foresee(replayed, [tracks["challenger"].policy, tracks["champion"].policy], engine, done)
    if oracle is None:
        return None
    period = replayed.problem.period
    foreseen = replace(oracle, table=is_open.cut(oracle.table, period))
    return {
        role: regret_of(
            replayed, replace(track, table=is_open.cut(track.table, period)), foreseen, engine, done
        ).to_dict()
        for role, track in tracks.items()
    }


def _falls(track: Track) -> dict[str, int]:
    per_period = track.table.group_by(track.table.columns[0]).agg(pl.col("rung").first())
    return {str(rung): int(count) for rung, count in per_period["rung"].value_counts(sort=True).rows()}


def _first_fall(track: Track) -> str | None:
    fell = track.table.drop_nulls("falls").select(pl.nth(0), "falls").sort(pl.nth(0), maintain_order=True).head(1)
    return None if fell.is_empty() else "{}: {}".format(*fell.row(0))


def _median_seconds(track: Track) -> float:
    return float(track.table["seconds"].median() or 0.0)  # type: ignore[arg-type]  # seconds are numbers
