"""The gates of a rollout: what is missing before an idea may go one phase, or one step of its canary, further."""

from __future__ import annotations

from shipworthy.analysis.trials.trial_verdict import TrialDecision
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.signoff import About, Gate, unsigned
from shipworthy.project import Gap, Project
from shipworthy.ship.reading import LiveReading
from shipworthy.ship.rollout import Phase, Rollout, rollout_history

_MOST_FALLS = 0.05


def missing(phase: Phase, reading: LiveReading | None, periods: int = 14) -> list[Gap]:
    """What is missing before an idea may go on to `phase`; empty means open. What is inconclusive never leads to live.

    Args:
        phase: Where the idea is to go.
        reading: What its live periods say; None where none has its outcome.
        periods: How many of them each step lasts at least.
    """
    wait = "Let it decide more periods, post their outcomes, and ask again."
    if reading is None:
        return [Gap("No live period has its outcome yet.", wait)]
    gaps = [*_harms(reading)]
    if reading.in_step < periods:
        gaps.append(Gap(f"This step has {reading.in_step} of the {periods} live periods that it needs.", wait))
    elif reading.asked_in_step < periods:
        what = f"The new release decided in {reading.asked_in_step} of the {periods} periods that this step needs."
        gaps.append(Gap(what, "Let it decide more periods, and see whether its shadow runs: `shipworthy watch`."))
    new = reading.conduct.new
    if new.fell > _MOST_FALLS * new.asked:
        what = f"The new release did not decide itself in {new.fell} of {new.asked} periods."
        gaps.append(Gap(what, "Find out why in the decision log, and begin a new idea with the repair."))
    if phase is Phase.LIVE and not gaps:
        gaps.extend(_unproven(reading, wait))
    return gaps


def missing_signoffs(project: Project, idea: Idea, serves: Rollout, taker: str | None = None) -> list[Gap]:
    """The sign-offs that are missing before an idea may go live.

    Args:
        project: The project.
        idea: The idea.
        serves: What serves now.
        taker: Who takes the step; None where nobody takes it yet.
    """
    return unsigned(project, idea, Gate.LIVE, lambda: to_sign(project, serves), taker=taker)


def to_sign(project: Project, serves: Rollout) -> About:
    """What is signed before an idea goes live: the release on trial, in the trial that it is in without a break."""
    since = serves.version
    for move in reversed(rollout_history(project, serves.problem)):
        if (move.idea, move.phase, move.challenger) != (serves.idea, serves.phase, serves.challenger):
            break
        since = move.version
    return {"the release on trial": str(serves.challenger), "its trial": f"{serves.phase} since move {since}"}


def _harms(reading: LiveReading) -> list[Gap]:
    back = "Take it back with `shipworthy rollback`."
    gaps = []
    money = reading.money
    if money is not None and money.decision is TrialDecision.ROLL_BACK:
        gaps.append(Gap("The live periods show harm beyond doubt in money.", back))
    if money is not None and money.decision is TrialDecision.PAUSE:
        pause = "Find out what happened, and let the release from before answer alone meanwhile: `shipworthy ship IDEA --pause`."
        gaps.append(Gap(money.reasons[0], pause))
    if reading.arms is not None and reading.arms.is_mismatch:
        champion, challenger = reading.arms.counts
        what = (
            f"The arms were not filled as planned: {champion:,} went to the champion, {challenger:,} to the challenger."
        )
        gaps.append(Gap(what, "Find the rows that were lost or sent astray."))
    elif money is not None and money.decision is TrialDecision.INVALID:
        gaps.append(Gap(money.reasons[0], "Begin a new idea where this trial cannot be judged."))
    harmed = [margin.name for margin, found in reading.guardrails if found.decision is TrialDecision.ROLL_BACK]
    gaps += [Gap(f"The live periods show harm beyond doubt in guardrail {name}.", back) for name in harmed]
    return gaps


def _unproven(reading: LiveReading, wait: str) -> list[Gap]:
    gaps = []
    money = reading.money
    if money is None:
        gaps.append(Gap("No live period was answered by the new release yet, so that no money can be told.", wait))
    elif money.decision is not TrialDecision.SHIP:
        looks = "1 look" if money.look == 1 else f"{money.look:,} looks"
        gaps.append(Gap(f"The live gain is not beyond doubt yet: {reading.sentence} after {looks}.", wait))
    for margin, found in reading.guardrails:
        if found.low <= -margin.margin:
            gaps.append(Gap(f"Guardrail {margin.name} may still be worse by more than {margin.margin:g}.", wait))
    return gaps
