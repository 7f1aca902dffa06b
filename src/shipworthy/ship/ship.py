"""The verb of the Ship stage: take an idea one phase further, on evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shipworthy.analysis.gate import missing as missing_analysis
from shipworthy.analysis.override import standing_override
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Replay, code_digest
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Gap, Project, clock, refuse_closed
from shipworthy.project.code import Code, load_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.gate import missing, missing_signoffs
from shipworthy.ship.parity import Parity, require_parity
from shipworthy.ship.published import publish
from shipworthy.ship.reading import LiveReading, judged_for_shadow, read_idea_live
from shipworthy.ship.release import build_release, open_release
from shipworthy.ship.rollout import AUTOMATIC, Move, Phase, Rollout, make_move, read_rollout, rollout_history
from shipworthy.ship.rules import Rules, read_rules
from shipworthy.step import History
from shipworthy.store import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What a move came to.

    Attributes:
        rollout: What serves from now on.
        parity: How the new release did against its golden decisions; None where none was built now.
        reading: What the live periods said; None at the first move.
    """

    rollout: Rollout
    parity: Parity | None
    reading: LiveReading | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants the next trial, where the rules leave it open.

    Attributes:
        share: The challenger's share of a canary, in place of the next step of the rules.
        start: When a switchback begins; None means the midnight after the next one.
        seed: What the coins of a switchback follow from; None takes a name of the idea and its start.
    """

    share: float | None = None
    start: datetime | None = None
    seed: str | None = None


def ship_idea(
    project: Project,
    number: int,
    *,
    share: float | None = None,
    start: datetime | None = None,
    seed: str | None = None,
    now: datetime | None = None,
) -> Shipped:
    """Takes an idea one phase further: into shadow, then canary, step by step, or switchback, then live.

    Args:
        project: The project.
        number: The idea's number.
        share: The challenger's share of the canary, in place of the next step of the rules.
        start: When a switchback begins, in the future; the midnight after the next one by default.
        seed: What the coins of a switchback follow from.
        now: The time, which a switchback has to begin after; the clock's by default.

    Raises:
        GateClosedError: the verdict, parity or the live evidence does not allow it.
        InvalidInputError: the idea is live already, or the trial cannot be as it is wished.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    if share is not None and not 0 < share < 1:
        raise InvalidInputError(
            f"A canary's share is above 0 and below 1, not {share}: somebody has to be left to compare with."
        )
    idea = find_idea(project, number)
    refuse_closed(f"Analysis to Ship for idea {number}", missing_analysis(project, idea))
    serves = read_rollout(project, idea.problem)
    if serves is None or serves.idea != idea.key:
        return _into_shadow(project, idea, serves)
    if serves.phase.is_over:
        refuse_closed(f"{serves.phase} to shadow for idea {number}", [_over(serves.phase)])
    if serves.phase is Phase.PAUSED:
        raise InvalidInputError(
            f"Idea {number} is paused: {serves.why.rstrip('.')}. Resume it with `shipworthy ship {number} --resume`, or take it "
            f"back with `shipworthy rollback {idea.problem}`."
        )
    if serves.phase is Phase.LIVE:
        raise InvalidInputError(
            f"Idea {number} is live already, since {serves.at:%Y-%m-%d %H:%M} UTC. See `shipworthy ledger`."
        )
    reading = read_idea_live(project, rollout_history(project, idea.problem), idea.key)
    wish = Wish(share=share, start=start, seed=seed)
    rollout = promote(project, idea, serves, reading, wish=wish, now=now or clock.now())
    return Shipped(rollout=rollout, parity=None, reading=reading)


def promote(
    project: Project,
    idea: Idea,
    serves: Rollout,
    reading: LiveReading | None,
    *,
    now: datetime,
    wish: Wish | None = None,
    trigger: str | None = None,
) -> Rollout:
    """Takes an idea on trial one step further, behind the gate.

    Args:
        project: The project.
        idea: The idea.
        serves: What serves now.
        reading: What its live periods say.
        now: The time.
        wish: How somebody wants the next trial.
        trigger: What moves it by itself; None where somebody asked for it.

    Raises:
        GateClosedError: the verdict or the live evidence does not allow it.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    rules = read_rules(project, idea.problem)
    to = following(serves, rules, wish)
    refuse_closed(f"Analysis to Ship for idea {idea.number}", missing_analysis(project, idea))
    gaps = [*_walked_again(project, idea), *missing(to, reading, rules.periods)]
    if to is Phase.LIVE:
        gaps += missing_signoffs(project, idea, serves, AUTOMATIC if trigger else project.who)
    refuse_closed(f"{serves.phase} to {to} for idea {idea.number}", gaps)
    assert reading is not None and serves.challenger is not None, "an open gate has live evidence of two releases"  # noqa: PT018
    on = Move(
        phase=to,
        champion=serves.champion,
        challenger=serves.challenger,
        idea=idea.key,
        why=_lived(reading),
        trigger=trigger,
        evidence=reading.numbers(),
    )
    if to is Phase.LIVE:
        on = replace(on, champion=serves.challenger, challenger=serves.champion)
    else:
        on = _tried(project, idea, serves, on, rules, wish or Wish(), now)
    return make_move(project, serves.problem, serves, on)


def following(serves: Rollout, rules: Rules, wish: Wish | None = None) -> Phase:
    """The phase that comes after the one that serves: another step of the canary is one."""
    asked = wish is not None and wish.share is not None
    another = serves.phase is Phase.CANARY and (asked or rules.after(serves.share) is not None)
    return Phase.CANARY if another else serves.phase.next or Phase.LIVE


def _tried(project: Project, idea: Idea, serves: Rollout, on: Move, rules: Rules, wish: Wish, now: datetime) -> Move:
    """The move into a trial in which both arms answer, of the kind and with the share that the rules say."""
    if serves.phase is Phase.CANARY:
        share = wish.share or rules.after(serves.share) or serves.share
        return replace(on, share=share, draw=serves.draw)
    assert on.challenger is not None, "a trial has a challenger"
    release = open_release(project, on.challenger)
    kind, draw = rules.trial_of(release.problem)
    if kind is Phase.CANARY:
        return replace(on, share=wish.share or rules.steps[0], draw=draw)
    plan = publish(project, idea, release, start=wish.start, seed=wish.seed, now=now)
    begins = (
        f"A switchback begins on {plan.start:%Y-%m-%d %H:%M}: {plan.days} days in blocks of {plan.block_hours:g} hours."
    )
    return replace(on, phase=Phase.SWITCHBACK, share=0.5, schedule=plan.to_dict(), why=f"{on.why} {begins}")


def _lived(reading: LiveReading) -> str:
    """What the live periods said, in a sentence."""
    if reading.per_period is None:
        return f"{reading.periods} live periods through {reading.last} are known: {reading.sentence.rstrip('.')}."
    return f"Over {reading.periods} live periods through {reading.last} it gained {reading.sentence}."


def _over(phase: Phase) -> Gap:
    """Why an idea that has had its turn is not shipped again."""
    if phase is Phase.RETIRED:
        return Gap("It was retired.", "Begin a new idea, which is judged on what has happened since.")
    return Gap("It was rolled back.", "A rollback is sticky: begin a new idea that says what is different now.")


def _walked_again(project: Project, idea: Idea) -> list[Gap]:
    """Whether the verdict of today is about other evidence than the one that the release on trial rests on."""
    moves = rollout_history(project, idea.problem)
    then, today = judged_for_shadow(project, moves, idea.key), project.records.get("verdict", idea.key)
    if then is not None and today is not None and then.body["evidence"] == today.body["evidence"]:
        return []
    what = "The idea was walked again since its release was built, and the verdict is about other evidence."
    return [Gap(what, "Take the release back with `shipworthy rollback`, and begin a new idea.")]


def _into_shadow(project: Project, idea: Idea, now: Rollout | None) -> Shipped:
    judged = project.records.get("verdict", idea.key)
    assert judged is not None, "the gate from Analysis was open"
    open_evidence(project, judged.body["evidence"])  # refused here where it is no longer what was judged
    code, problem = load_problem(project, idea.problem)
    refuse_closed(
        f"Analysis to Ship for idea {idea.number}",
        [
            *missing_analysis(project, idea, code_digest(code, problem, idea.challenger)),
            *_blocked(project, idea, problem, now),
        ],
    )
    replayed = _replayed(project, idea, code, problem)
    if now is None:
        baseline = build_release(replayed, str(problem.champion), None)
        require_parity(project, open_release(project, baseline))
        why = f"The baseline is {problem.champion}, as it decides today."
        now = make_move(project, problem.name, None, Move(phase=Phase.LIVE, champion=baseline, why=why))
    release = build_release(replayed, idea.challenger, idea.key)
    parity = require_parity(project, open_release(project, release))
    why = f"{_decided(project, idea, judged)} The release decides as the replay did on {parity.periods} periods."
    shadow = Move(phase=Phase.SHADOW, champion=now.champion, challenger=release, idea=idea.key, why=why)
    rollout = make_move(project, problem.name, now, shadow)
    return Shipped(rollout=rollout, parity=parity, reading=None)


def _decided(project: Project, idea: Idea, judged: Record) -> str:
    """On whose word the idea ships: the verdict's, or that of two people who set it aside."""
    override = standing_override(project, idea, judged)
    if override is None or not override.counts:
        return "The verdict was to ship."
    return f"{override.sentence.rstrip('.')}."


def _blocked(project: Project, idea: Idea, problem: Problem, now: Rollout | None) -> list[Gap]:
    """Why an idea with a verdict to ship may still not go into shadow now."""
    past = [
        move.phase for move in rollout_history(project, problem.name) if move.idea == idea.key and move.phase.is_over
    ]
    if past:
        return [_over(past[-1])]
    if now is None:
        return []
    if now.phase.is_trial:
        is_so = "paused" if now.phase is Phase.PAUSED else f"in {now.phase}"
        what = f"Idea {int(now.idea or 0)} is {is_so} on the same decision; two at once could not be told apart."
        return [Gap(what, "Wait until it is live, or take it back with `shipworthy rollback`.")]
    served = project.records.get("release", now.champion)
    if served is not None and served.body["policy"] != problem.champion:
        what = f"{served.body['policy']} serves, but the idea was compared with {problem.champion}."
        return [Gap(what, "Move champion=True to the policy that serves, and walk from `shipworthy data` again.")]
    return []


def _replayed(project: Project, idea: Idea, code: Code, problem: Problem) -> Replay:
    record = project.records.get("research", idea.key)
    assert record is not None, "the gate from Research was open"
    snapshot = str(record.body["snapshot"])
    history = History(problem, open_snapshot(project, snapshot))
    return Replay(project=project, code=code, problem=problem, snapshot=snapshot, history=history)
