"""The verb that checks the verdict on the squad's own history: placebos, whose true gain is exactly zero, are judged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from shipworthy.analysis.analyse import criteria_of
from shipworthy.analysis.criteria import Criteria, cadence_of
from shipworthy.analysis.exposure import Exposure
from shipworthy.analysis.methods import answers
from shipworthy.analysis.placebo import COLUMNS, placebos_of
from shipworthy.analysis.simulation import Design, Simulated, Simulation, rates_of, width_of
from shipworthy.analysis.verdicts import verdict
from shipworthy.analysis.wording import periods
from shipworthy.data.provable import refit_periods
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Done, Replay, engine_of
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import locked_criteria
from shipworthy.ideas.register import find_idea, list_ideas
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.project.code import Code, load_problem, only_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import last_research
from shipworthy.research.reseeded import Chance, reseed
from shipworthy.step import History

_SWAPPED = "labels swapped at random"
_HOW = {
    Chance.SEEDS: "the champion against itself under other seeds",
    Chance.REFITS: "the champion against itself, on either side refitted without a fifth of its past",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What placebos are made of, and how; what they are judged by, what that rests on, and the gain that is looked for."""

    name: str
    how: str
    criteria: Criteria
    exposure: Exposure
    gain: float | None
    idea: int | None = None


def simulate_problem(
    project: Project,
    problem: str | None = None,
    *,
    idea: int | None = None,
    design: Design | None = None,
    done: Done = lambda n, of: None,
) -> Simulation:
    """Judges placebos made of the problem's own history, and counts how often each method would have shipped one.

    Some are permuted: the evidence of researched ideas, its labels swapped in blocks. Of a sealed holdout nothing is read:
    such an idea's placebos are made of its development window. The others are the champion against itself under other
    seeds, replayed like any challenger. Any gain above zero is taken to be worth shipping and guardrails are left out, which
    is the hardest that the verdict can be asked. No record is written.

    Args:
        project: The project.
        problem: Which problem; the only one, if none is named.
        idea: Only the evidence of this idea is permuted; that of all the problem's ideas, if none is named.
        design: How many placebos there are, and of what kind.
        done: Told of progress.

    Raises:
        InvalidInputError: there are several problems, or the blocks asked for are too long.
        NotFoundError: there is no such idea or problem, or nothing to simulate with.
    """
    asked = Design() if design is None else design
    chosen = None if idea is None else find_idea(project, idea)
    code, declared = load_problem(project, chosen.problem if chosen else problem or only_problem(project))
    ideas = _researched(project, declared) if chosen is None else [chosen]
    found, skipped = [], [] if ideas else ["No idea has been researched: run `shipworthy research NUMBER`."]
    for one in ideas:
        try:
            if asked.placebos:
                found.append(_of_idea(project, declared, one, asked, done))
        except NotFoundError as why:
            skipped.append(f"Idea {one.number}: {why}")
    try:
        if asked.reseeded:
            found.append(_of_champion(project, code, declared, asked, done))
    except NotFoundError as why:
        skipped.append(f"The champion against itself: {why}")
    if not found:
        raise NotFoundError(f"There is nothing to simulate problem {declared.name!r} with. {' '.join(skipped)}")
    return Simulation(problem=declared.name, currency=declared.currency, sources=found, skipped=skipped)


def simulate_evidence(
    frame: pl.DataFrame,
    criteria: Criteria | None = None,
    *,
    design: Design | None = None,
    done: Done = lambda n, of: None,
) -> Simulation:
    """Judges placebos that are permuted from any paired evidence; no project is needed.

    Args:
        frame: Paired evidence, as `verdict` takes it.
        criteria: Its cadence, refits and units a year count; as many units a year as the periods hold, if none are named.
        design: How many placebos there are.
        done: Told of progress.

    Raises:
        InvalidInputError: the evidence cannot be judged, its verdict has no interval whatever it earns, or the blocks
            asked for are too long.

    >>> rng = np.random.default_rng(0)
    >>> days = pl.DataFrame({"period": range(120), "unit": "shop", "value_champion": rng.normal(100.0, 9.0, size=120)})
    >>> evidence = days.with_columns(value_challenger=pl.col("value_champion") + rng.normal(5.0, 4.0, size=120))
    >>> simulate_evidence(evidence, design=Design(placebos=50)).is_promised
    True
    """
    asked = Design() if design is None else design
    if not asked.placebos:
        raise InvalidInputError(
            "Evidence alone can only be permuted, and 0 placebos were asked for. Ask for 1 or more."
        )
    bare = _bare(criteria or Criteria())
    placebos_of(frame, bare, asked.block)  # refuses what contradicts itself
    try:
        exposure = _exposure(frame, bare)
    except NotFoundError as why:
        raise InvalidInputError(f"There is nothing to simulate with. {why}") from None
    units = bare.units_per_year or exposure.pairs_per_period * 365.0 / bare.days_per_period
    source = _Source(
        name="the evidence, permuted",
        how=_SWAPPED,
        criteria=replace(bare, units_per_year=units),
        exposure=exposure,
        gain=asked.gain,
    )
    return Simulation(problem="", currency="", sources=[_permuted(frame, source, asked, done)])


def _researched(project: Project, problem: Problem) -> list[Idea]:
    return [idea for idea in list_ideas(project) if idea.problem == problem.name and last_research(project, idea)]


def _of_idea(project: Project, problem: Problem, idea: Idea, asked: Design, done: Done) -> Simulated:
    """Placebos of an idea's evidence; of a sealed one, of what was open.

    Raises:
        NotFoundError: there is none, or no verdict on it would have an interval.
    """
    research, locked = last_research(project, idea), locked_criteria(project, idea)
    if research is None or locked is None:
        raise NotFoundError(f"it has not been researched. Run `shipworthy research {idea.number}`.")
    if (research.problem, research.challenger) != (idea.problem, idea.challenger):
        raise NotFoundError("what was researched is not what its file says now.")
    evidence = open_evidence(project, research.development or research.evidence)
    criteria = criteria_of(problem, idea, locked, evidence)
    bare = _bare(criteria)
    exposure = _exposure(evidence, bare)
    worth = criteria.min_effect * exposure.pairs_per_period
    source = _Source(
        name=f"idea {idea.number}, permuted",
        how=_SWAPPED,
        criteria=bare,
        exposure=exposure,
        gain=(worth or None) if asked.gain is None else asked.gain,
        idea=idea.number,
    )
    return _permuted(evidence, source, asked, done)


def _permuted(evidence: pl.DataFrame, source: _Source, asked: Design, done: Done) -> Simulated:
    placebos = placebos_of(evidence, source.criteria, asked.block)
    rng = np.random.default_rng([asked.seed, *source.name.encode()])
    drawn = (placebos.draw(rng) for _ in range(asked.placebos))
    found = _judged(source, drawn, asked.placebos, done)
    how = f"{source.how} in blocks of {periods(placebos.block, source.criteria.cadence)}"
    if placebos.is_short:
        how += "; what they share lasts longer, so every method looks better than it is"
    return replace(found, how=how, block=placebos.block, is_short=placebos.is_short)


def _of_champion(project: Project, code: Code, problem: Problem, asked: Design, done: Done) -> Simulated:
    """The champion against itself, replayed over the newest snapshot.

    Raises:
        NotFoundError: there is no snapshot or no chance in it, or no verdict on it would have an interval.
    """
    examined = [
        record
        for kind in ("data", "research")
        for record in project.records.find(kind)
        if record.body["problem"] == problem.name
    ]
    if not examined:
        raise NotFoundError("no data have been examined for this problem. Run `shipworthy data NUMBER`.")
    snapshot = max(examined, key=lambda record: record.at).body["snapshot"]
    rows = open_snapshot(project, snapshot)
    replayed = Replay(project=project, code=code, problem=problem, snapshot=snapshot, history=History(problem, rows))
    with engine_of(project, rows) as engine:
        found = reseed(replayed, engine, asked.reseeded, asked.seed, done)
    if found.chance is Chance.NONE:
        raise NotFoundError(
            f"there is no chance in {problem.champion!r}: it decides alike under every seed, and nothing it learns changes that."
        )
    frames = [one.select(COLUMNS) for one in found.evidence]
    criteria = Criteria(
        refit_periods=refit_periods(problem, problem.make_policy(str(problem.champion))),
        cadence=cadence_of(365.0 / problem.periods_per_year),
    )
    exposure = _exposure(frames[0], criteria)
    source = _Source(
        name=f"champion, {found.chance}",
        how=_HOW[found.chance],
        criteria=replace(criteria, units_per_year=exposure.pairs_per_period * problem.periods_per_year),
        exposure=exposure,
        gain=asked.gain,
    )
    return _judged(source, frames, len(frames), done)


def _bare(criteria: Criteria) -> Criteria:
    """The same for money alone, where any gain above zero is worth shipping."""
    return replace(criteria, min_effect=0.0, target=None, guardrails=())


def _exposure(evidence: pl.DataFrame, criteria: Criteria) -> Exposure:
    """What a verdict on the evidence rests on.

    Raises:
        NotFoundError: it has no interval, so that it would ship nothing and there is nothing to count.
    """
    found = verdict(evidence, criteria)
    if found.exposure is None or not math.isfinite(found.low):
        raise NotFoundError(found.reasons[0])
    return found.exposure


def _judged(source: _Source, placebos: Iterable[pl.DataFrame], count: int, done: Done) -> Simulated:
    """Asks every method about every placebo, and about the same with the gain that is looked for."""
    nothing, something = [], []
    for number, placebo in enumerate(placebos, start=1):
        nothing.append(answers(placebo, source.criteria))
        if source.gain:
            gain = source.gain / source.exposure.pairs_per_period
            something.append(answers(placebo.with_columns(pl.col("value_challenger") + gain), source.criteria))
        done(number, count)
    return Simulated(
        source=source.name,
        how=source.how,
        idea=source.idea,
        periods=source.exposure.periods,
        cadence=source.criteria.cadence,
        block=None,
        is_short=False,
        gain=source.gain,
        rates=rates_of(nothing, something),
        width=width_of(nothing, source.criteria.units_per_year or 1.0),
    )
