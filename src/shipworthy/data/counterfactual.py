"""Whether history can tell at all what other decisions would have earned, where outcomes depend on what was decided."""

from __future__ import annotations

from shipworthy.engine import Done, Engine, Replay, replay
from shipworthy.engine.logged import agreement, has_log, support_of
from shipworthy.project import Gap
from shipworthy.statistics import Support

_FEWEST_EFFECTIVE = 100.0
_HEAVIEST = 0.1
_UNCOVERED = 0.05
_ERRORS = 3.0
_DEPENDS = "Outcomes depend on what was decided"


def unsupported(replayed: Replay, challenger: str, engine: Engine, done: Done) -> tuple[list[Gap], list[str]]:
    """What keeps the log of decisions from telling what the challenger would have earned, and what a reader should know.

    A value counts only where the challenger decides what was decided, and only if chance had drawn that. As much as 100 rows
    of one weight is the least, of which none may weigh more than a tenth of all. Nor may more than a twentieth of its decisions
    be such as chance could not have drawn: of these the score would be a guess.
    """
    problem, rows = replayed.problem, replayed.history.newest.rows
    if problem.counterfactual:
        return [], []
    if not has_log(problem, rows):
        what = f"{_DEPENDS}, and the rows do not say what was."
        names = ", ".join(map(repr, problem.decisions))
        return [
            Gap(what, f"Add the logged decisions as {names}, with their probabilities; or only a live trial can tell.")
        ], []
    track = replay(replayed, challenger, engine, done)
    if problem.propensity is None:
        share = agreement(problem, rows, track.table)
        what = (
            f"{_DEPENDS}. The challenger decides what was decided in {share:.0%} of rows, but not with which probability that "
            "was drawn."
        )
        return [Gap(what, "Log it and name it in Problem(propensity=...); or only a live trial can tell.")], []
    supports = {
        "champion": support_of(problem, rows, replay(replayed, str(problem.champion), engine, done).table),
        "challenger": support_of(problem, rows, track.table),
    }
    gaps = [gap for role, found in supports.items() if (gap := _too_little(role, found))]
    return gaps, [f"{_DEPENDS}: money is estimated from logged decisions. {_support(supports['challenger'])}."] * (
        not gaps
    )


def _too_little(role: str, found: Support) -> Gap | None:
    """Why the log cannot tell what a policy would have earned; None where it can."""
    if found.effective < _FEWEST_EFFECTIVE or found.heaviest > _HEAVIEST:
        what = f"{_DEPENDS}, and the log says too little of the {role}: {_support(found)}."
        return Gap(what, "Let chance decide more often, log its probability, and collect more; or try it live.")
    if abs(found.covered - 1.0) <= _UNCOVERED + _ERRORS * found.covered_se:
        return None
    if found.covered < 1.0:
        what = f"{_DEPENDS}, and the {role} decides what chance could not have drawn in about {1.0 - found.covered:.0%} of rows."
        return Gap(what, "The log says nothing of these: decide only what was drawn there, or try it live.")
    what = f"{_DEPENDS}, and what the {role} decides was drawn {found.covered:.2f} times as often as its probabilities say."
    return Gap(what, "Log the probability with which each decision was drawn, or try it live.")


def _support(found: Support) -> str:
    return (
        f"it decides what was decided in {found.agreeing:,} of {found.rows:,} rows, which say as much as {found.effective:,.0f} "
        f"rows of one weight; the heaviest has {found.heaviest:.1%} of it"
    )
