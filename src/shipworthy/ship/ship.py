"""The verb of the Ship stage: take an idea one phase further, on evidence; or take it back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.gate import missing as missing_analysis
from shipworthy.analysis.override import standing_override
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Replay, code_digest
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.code import Code, load_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.gate import LiveReading, missing, read_live
from shipworthy.ship.parity import Parity, prove_parity
from shipworthy.ship.release import build_release, open_release
from shipworthy.ship.rollout import Move, Phase, Rollout, make_move, read_rollout, rollout_history
from shipworthy.ship.shadow import live_evidence
from shipworthy.step import History
from shipworthy.store import Change, Record

CANARY_SHARE = 0.5


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


def ship_idea(project: Project, number: int, *, share: float = CANARY_SHARE) -> Shipped:
    """Takes an idea one phase further: into shadow, then canary, then live.

    Args:
        project: The project.
        number: The idea's number.
        share: The share of periods that a canary answers.

    Raises:
        GateClosedError: the verdict, parity or the live evidence does not allow it.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    if not 0 < share <= 1:
        raise InvalidInputError(f"A canary's share is above 0 and at most 1, not {share}.")
    idea = find_idea(project, number)
    refuse_closed(f"Analysis to Ship for idea {number}", missing_analysis(project, idea))
    now = read_rollout(project, idea.problem)
    if now is None or now.idea != idea.key:
        return _into_shadow(project, idea, now)
    if now.phase is Phase.ROLLED_BACK:
        refuse_closed(f"rolled back to shadow for idea {number}", [_STICKY])
    following = now.phase.next
    if following is None:
        raise InvalidInputError(
            f"Idea {number} is live already, since {now.at:%Y-%m-%d %H:%M} UTC. See `shipworthy ledger`."
        )
    reading = read_idea_live(project, idea, now)
    gaps = [*_walked_again(project, idea), *missing(following, reading)]
    refuse_closed(f"{now.phase} to {following} for idea {number}", gaps)
    assert reading is not None and now.challenger is not None, "an open gate has live evidence of two releases"  # noqa: PT018
    why = f"{reading.periods} live periods through {reading.last}: {_money(reading)}"
    on = Move(phase=following, champion=now.champion, challenger=now.challenger, share=share, idea=idea.key, why=why)
    if following is Phase.LIVE:
        on = replace(on, champion=now.challenger, challenger=now.champion, share=0.0)
    return Shipped(rollout=make_move(project, now.problem, now, on), parity=None, reading=reading)


def roll_back(project: Project, problem: str, why: str) -> Rollout:
    """Takes back whatever idea is on trial or live: the release from before it serves again.

    A rollback is sticky: the idea cannot be shipped again.

    Raises:
        NotFoundError: nothing is rolled out for this problem.
        InvalidInputError: there is no idea to take back.
    """
    now = read_rollout(project, problem)
    if now is None:
        known = [record.key for record in project.records.find("rollout")]
        raise NotFoundError.among("rollout of problem", problem, known)
    taken = now if now.challenger is not None else _made_live(project, now)
    if taken is None or taken.challenger is None:
        raise InvalidInputError(
            f"Nothing to take back: problem {problem!r} is served by {now.champion} alone ({now.phase})."
        )
    before = taken.challenger if taken.phase is Phase.LIVE else taken.champion
    return make_move(project, problem, now, Move(phase=Phase.ROLLED_BACK, champion=before, idea=taken.idea, why=why))


def read_idea_live(project: Project, idea: Idea, now: Rollout) -> LiveReading | None:
    """What the live periods of the idea on trial, or live, say so far."""
    judged = _judged_for_shadow(project, idea)
    if judged is None or now.challenger is None:
        return None
    old, new = (now.challenger, now.champion) if now.phase is Phase.LIVE else (now.champion, now.challenger)
    analysis = read_analysis(judged)
    live = live_evidence(project, old, open_release(project, new))
    return read_live(live, open_evidence(project, analysis.evidence), analysis.verdict.criteria)


_STICKY = Gap("It was rolled back.", "A rollback is sticky: begin a new idea that says what is different now.")


def _made_live(project: Project, now: Rollout) -> Rollout | None:
    """The move that made live what serves now, where a later idea came and was taken back; None for the baseline."""
    moves = rollout_history(project, now.problem)
    lives = [move for move in moves if move.phase is Phase.LIVE and move.champion == now.champion]
    return lives[-1] if lives else None


def _judged_for_shadow(project: Project, idea: Idea) -> Record | None:
    """The verdict on which the idea's release went into shadow; a later one may be about something else."""
    moves = rollout_history(project, idea.problem)
    shadows = [move.at for move in moves if move.idea == idea.key and move.phase is Phase.SHADOW]
    return project.records.get("verdict", idea.key, at=shadows[-1]) if shadows else None


def _walked_again(project: Project, idea: Idea) -> list[Gap]:
    """Whether the verdict of today is about other evidence than the one that the release on trial rests on."""
    then, today = _judged_for_shadow(project, idea), project.records.get("verdict", idea.key)
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
        _require_parity(project, baseline)
        why = f"the baseline: {problem.champion}, as it decides today"
        now = make_move(project, problem.name, None, Move(phase=Phase.LIVE, champion=baseline, why=why))
    release = build_release(replayed, idea.challenger, idea.key)
    parity = _require_parity(project, release)
    why = f"{_decided(project, idea, judged)}; parity on {parity.periods} golden periods"
    shadow = Move(phase=Phase.SHADOW, champion=now.champion, challenger=release, idea=idea.key, why=why)
    rollout = make_move(project, problem.name, now, shadow)
    return Shipped(rollout=rollout, parity=parity, reading=None)


def _decided(project: Project, idea: Idea, judged: Record) -> str:
    """On whose word the idea ships: the verdict's, or that of two people who set it aside."""
    override = standing_override(project, idea, judged)
    return override.sentence if override is not None and override.counts else "verdict: ship"


def _blocked(project: Project, idea: Idea, problem: Problem, now: Rollout | None) -> list[Gap]:
    """Why an idea with a verdict to ship may still not go into shadow now."""
    if any(
        past.idea == idea.key and past.phase is Phase.ROLLED_BACK for past in rollout_history(project, problem.name)
    ):
        return [_STICKY]
    if not problem.counterfactual:
        what = "Outcomes depend on what is decided, and this version pairs both releases on the same outcomes."
        return [Gap(what, "Its verdict stands; roll it out by your own means, each period decided by one of them.")]
    if now is None:
        return []
    if now.phase.is_trial:
        what = f"Idea {int(now.idea or 0)} is in {now.phase} on the same decision; two at once could not be told apart."
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


def _require_parity(project: Project, release_id: str) -> Parity:
    known = project.records.get("parity", release_id)
    if known is not None and not known.body["broken"]:
        return Parity(**{**known.body, "broken": ()})
    parity = prove_parity(project, open_release(project, release_id))
    project.records.add(Change(kind="parity", key=release_id, body=asdict(parity)), by=project.who)
    remedy = "Make deciding depend on nothing but now and fitted; imports of the project's modules belong to the top of a file."
    refuse_closed(
        f"release {release_id} to shadow", [Gap(f"No parity. {broken}.", remedy) for broken in parity.broken[:3]]
    )
    return parity


def _money(reading: LiveReading) -> str:
    money = reading.money
    mean, low, high = (amount * reading.units for amount in (money.mean, money.low, money.high))
    return f"{mean:,.2f} a period ({low:,.2f} to {high:,.2f})"
