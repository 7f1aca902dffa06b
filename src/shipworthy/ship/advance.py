"""A rollout that moves by itself: promoted on proof, paused on doubt, taken back on harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shipworthy.analysis.trials.trial_verdict import TrialDecision
from shipworthy.errors import GateClosedError, InvalidInputError, NotFoundError
from shipworthy.ideas.register import find_idea
from shipworthy.problem import OnFail
from shipworthy.project import Project, clock
from shipworthy.ship.back import pause, take_back
from shipworthy.ship.reading import LiveReading, read_idea_live
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase, Rollout, read_rollout, rollout_history
from shipworthy.ship.rules import Rules, read_rules
from shipworthy.ship.ship import promote


class Action(StrEnum):
    """What a rollout does by itself, the gravest last."""

    STAY = "stay"
    HOLD = "hold"
    PAUSE = "pause"
    ROLL_BACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that speaks against a challenger.

    Attributes:
        action: What is to be done about it.
        trigger: What found it: "interval", "cusum", "breaker", "arms", or "guardrail" with its name.
        why: In a sentence, with its numbers.
    """

    action: Action
    trigger: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What became of a rollout that was looked at.

    Attributes:
        rollout: What serves now; None where nothing is rolled out.
        moved: Whether that is another move than before.
        why: What moved it, or why it stays.
        reading: What the live periods say; None where there are none to be read.
    """

    rollout: Rollout | None
    moved: bool
    why: str
    reading: LiveReading | None = None


def advance(project: Project, problem: str, *, now: datetime | None = None) -> Advanced:
    """Reads the live evidence of a problem's rollout, and moves it where that is proof.

    Harm takes the challenger back, or does what its guardrail says; a breaker and arms that were not filled as planned
    pause it; a proven gain promotes it, where the rules say `automatic`. What is inconclusive never promotes. An idea that
    is live goes on being watched, the old champion deciding in its shadow.

    Args:
        project: The project.
        problem: The problem's name.
        now: The time; the clock's by default.

    Raises:
        InvalidInputError: the logs, or the rules in shipworthy.toml, cannot be read.
        PreconditionError: somebody else moved the rollout meanwhile; nothing was moved here.
    """
    serves = read_rollout(project, problem)
    if serves is None:
        return Advanced(rollout=None, moved=False, why=f"Nothing is rolled out for problem {problem!r}.")
    if serves.phase is Phase.PAUSED:
        n = int(serves.idea or 0)
        why = f"Idea {n} is paused: {serves.why.rstrip('.')}. Resume it with `shipworthy ship {n} --resume`, or roll it back."
        return Advanced(rollout=serves, moved=False, why=why)
    if serves.challenger is None or serves.idea is None:
        return Advanced(rollout=serves, moved=False, why=f"{serves.champion} serves alone: there is nothing to judge.")
    reading = read_idea_live(project, rollout_history(project, problem), serves.idea)
    if reading is None:
        return Advanced(rollout=serves, moved=False, why="No live period has its outcome yet.")
    rules = read_rules(project, problem)
    found = list(findings(reading, rules, _on_fail(project, serves)))
    gravest = max(found, key=lambda one: list(Action).index(one.action), default=None)
    if gravest is not None:
        return _acted(project, serves, reading, gravest)
    return _promoted(project, serves, reading, rules, now or clock.now())


def findings(reading: LiveReading, rules: Rules, on_fail: dict[str, OnFail]) -> Iterator[Finding]:
    """What the live periods say against a challenger.

    Args:
        reading: What they say.
        rules: What is done about a loss of money.
        on_fail: What is done about each guardrail, by its name.
    """
    if reading.arms is not None and reading.arms.is_mismatch:
        champion, challenger = reading.arms.counts
        why = f"The arms were not filled as planned: {champion:,} to the champion, {challenger:,} to the challenger."
        yield Finding(action=Action.PAUSE, trigger="arms", why=why)
        return  # arms that are no fair comparison say nothing of money
    money = reading.money
    if money is not None and money.decision is TrialDecision.PAUSE:
        yield Finding(action=Action.PAUSE, trigger=str(money.trigger), why=money.reasons[0])
    if money is not None and money.decision is TrialDecision.ROLL_BACK:
        yield Finding(action=Action(rules.on_fail), trigger=str(money.trigger), why=money.reasons[0])
    for margin, verdict in reading.guardrails:
        if verdict.decision is TrialDecision.ROLL_BACK:
            why = f"Guardrail {margin.name}, turned so that more is better: {verdict.reasons[0]}"
            action = Action(on_fail.get(margin.name, "rollback"))
            yield Finding(action=action, trigger=f"guardrail {margin.name}", why=why)


def _acted(project: Project, serves: Rollout, reading: LiveReading, found: Finding) -> Advanced:
    """Does what is to be done about a finding."""
    told = {"trigger": found.trigger, "evidence": reading.numbers()}
    if found.action is Action.ROLL_BACK:
        moved = take_back(project, serves, serves, found.why, **told)  # type: ignore[arg-type]  # as they are named
    elif found.action is Action.PAUSE:
        moved = pause(project, serves, found.why, **told)  # type: ignore[arg-type]  # as they are named
    else:
        return Advanced(rollout=serves, moved=False, why=f"Held: {found.why}", reading=reading)
    return Advanced(rollout=moved, moved=True, why=found.why, reading=reading)


def _promoted(project: Project, serves: Rollout, reading: LiveReading, rules: Rules, now: datetime) -> Advanced:
    """Goes a step further where the gain is proven; in a trial that can prove none, where nothing speaks against it."""

    def stays(why: str) -> Advanced:
        return Advanced(rollout=serves, moved=False, why=why, reading=reading)

    if serves.phase is Phase.LIVE:
        return stays(f"Live, and watched: {reading.sentence}.")
    money = reading.money
    is_proven = money is not None and money.decision is TrialDecision.SHIP
    if not rules.automatic:
        return stays(f"{'Proven' if is_proven else 'Not decided yet'}: {reading.sentence}. Promotion is by hand.")
    to_live = serves.phase is Phase.SWITCHBACK or (serves.phase is Phase.CANARY and rules.after(serves.share) is None)
    if not is_proven and (to_live or _pairs(project, serves)):
        return stays(f"Not decided yet: {reading.sentence}.")
    try:
        idea = find_idea(project, int(serves.idea or 0))
        moved = promote(project, idea, serves, reading, now=now, trigger="gain" if is_proven else "no harm")
    except (GateClosedError, NotFoundError, InvalidInputError) as refusal:
        return stays(str(refusal))
    return Advanced(rollout=moved, moved=True, why=moved.why, reading=reading)


def _pairs(project: Project, serves: Rollout) -> bool:
    """Whether what both sides earned is known in each period, so that a gain can be proven before anybody is exposed."""
    return open_release(project, str(serves.challenger)).problem.counterfactual


def _on_fail(project: Project, serves: Rollout) -> dict[str, OnFail]:
    """What is done about each guardrail, as the problem says that the idea's release carries."""
    release = serves.champion if serves.phase is Phase.LIVE else str(serves.challenger)
    return {rail.name: rail.on_fail for rail in open_release(project, release).problem.guardrails}
