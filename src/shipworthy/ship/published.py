"""The plan of a switchback, made and published before it starts."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import polars as pl

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.trials.horizon import plan_trials
from shipworthy.analysis.trials.schedule import SwitchbackPlan
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.release import Release

_DAYS_AHEAD = 2


def publish(
    project: Project, idea: Idea, release: Release, *, start: datetime | None, seed: str | None, now: datetime
) -> SwitchbackPlan:
    """Plans a switchback by the idea's own replay: blocks of three carry-overs, as many days as show what it gained there.

    Args:
        project: The project.
        idea: The idea.
        release: The release that carries it.
        start: The beginning of the first block; the midnight after the next one by default.
        seed: What the coins follow from.
        now: The time; a plan that has begun could have been chosen by what happened.

    Raises:
        InvalidInputError: no switchback can be planned, or it would have begun already.
    """
    zone = getattr(release.memory.schema[release.problem.period], "time_zone", None)
    found = plan_trials(project, idea.number, gain=_measured(project, idea))
    canary = 'Set trial = "canary" under [rollout] in shipworthy.toml.'
    if found.block_hours is None or release.memory.schema[release.problem.period] not in (pl.Date, pl.Datetime):
        raise InvalidInputError(f"Idea {idea.number} cannot have a switchback: its periods are no dates. {canary}")
    if found.switchback_days is None:
        raise InvalidInputError(
            f"Idea {idea.number} cannot have a switchback: two years of it would not show what it gained in replay. {canary}"
        )
    begins = start or datetime.combine(now.astimezone(UTC).date() + timedelta(days=_DAYS_AHEAD), time())
    if zone is not None and begins.tzinfo is None:
        begins = begins.replace(tzinfo=UTC)
    if zone is None and begins.tzinfo is not None:
        begins = begins.astimezone(UTC).replace(tzinfo=None)
    if _aware(begins) <= now:
        raise InvalidInputError(
            f"A switchback is published before it starts, and {begins:%Y-%m-%d %H:%M} is over. Give a later --start."
        )
    return SwitchbackPlan(
        seed=seed or f"{idea.problem}, idea {idea.number}, from {begins:%Y-%m-%d %H:%M}",
        start=begins,
        days=found.switchback_days,
        block_hours=found.block_hours,
        carry_over_hours=found.washout_hours or 0.0,
    )


def end_of(plan: SwitchbackPlan) -> datetime:
    """When the last block of a plan ends; a plan without a time zone is taken to be in UTC."""
    return _aware(plan.start + timedelta(days=plan.days))


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _measured(project: Project, idea: Idea) -> float:
    """What the idea gained in replay, per period; the gate from Analysis was open, so there is a verdict."""
    record = project.records.get("verdict", idea.key)
    assert record is not None, "the gate from Analysis was open"
    analysis = read_analysis(record)
    evidence = open_evidence(project, analysis.evidence)
    return analysis.verdict.gain * evidence.height / max(evidence["period"].n_unique(), 1)
