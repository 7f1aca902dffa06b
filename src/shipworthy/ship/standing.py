"""Where an idea stands: the first gate that is closed, what it misses, and the next command to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.analysis.gate import missing as missing_analysis
from shipworthy.analysis.override import standing_override
from shipworthy.data.gate import missing as missing_data
from shipworthy.ideas.gate import missing as missing_idea
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.signoff import Unsigned
from shipworthy.project import Gap, Project, Stage
from shipworthy.research.gate import missing as missing_research
from shipworthy.ship.gate import missing_signoffs
from shipworthy.ship.rollout import Phase, made_live, rollout_history


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an idea stands.

    Attributes:
        stage: The stage whose work is to be done, or was done last where nothing is left.
        says: In a word or two.
        gaps: What the closed gate misses.
        next: The command to type; None where only somebody's thought helps.
    """

    stage: Stage
    says: str
    gaps: Sequence[Gap]
    next: str | None


def standing(project: Project, idea: Idea) -> Standing:
    """Asks the gates in the order of the walk."""
    n = idea.number
    gaps = missing_idea(idea)
    if gaps:
        return Standing(stage=Stage.IDEA, says="to be completed", gaps=gaps, next=f"shipworthy idea show {n}")
    gaps = missing_data(project, idea)
    if gaps and isinstance(gaps[0], Unsigned):
        return Standing(stage=Stage.DATA, says="testable, to be signed", gaps=gaps, next=_command_in(gaps))
    if gaps:
        asked = project.records.get("data", idea.key) is not None and not gaps[0].remedy.startswith("Run ")
        says, following = ("refused", None) if asked else ("ready for data", f"shipworthy data {n}")
        return Standing(stage=Stage.DATA, says=says, gaps=gaps, next=following)
    gaps = missing_research(project, idea)
    if gaps:
        return Standing(stage=Stage.RESEARCH, says="testable", gaps=gaps, next=f"shipworthy research {n}")
    gaps = missing_analysis(project, idea)
    if gaps:
        return _in_analysis(project, idea, gaps)
    return _in_rollout(project, idea)


def _in_analysis(project: Project, idea: Idea, gaps: Sequence[Gap]) -> Standing:
    record = project.records.get("verdict", idea.key)
    following: str | None = f"shipworthy analyse {idea.number}"
    if record is None or gaps[0].remedy.startswith("Run "):
        return Standing(stage=Stage.ANALYSIS, says="replayed", gaps=gaps, next=following)
    if isinstance(gaps[0], Unsigned):
        return Standing(stage=Stage.ANALYSIS, says="ship, to be signed", gaps=gaps, next=_command_in(gaps))
    says, override, following = record.body["verdict"]["decision"], standing_override(project, idea, record), None
    if override is not None and override.counts:
        says = f"{override.to}, overridden"
    elif override is not None:
        says, following = f"{says}, override asked", _command_in(gaps)
    return Standing(stage=Stage.ANALYSIS, says=says, gaps=gaps, next=following)


def _in_rollout(project: Project, idea: Idea) -> Standing:
    history = rollout_history(project, idea.problem)
    moves = [move for move in history if move.idea == idea.key]
    if not moves:
        return Standing(stage=Stage.SHIP, says="ship", gaps=(), next=f"shipworthy ship {idea.number}")
    phase = moves[-1].phase
    if phase.is_over:
        return Standing(stage=Stage.SHIP, says=str(phase), gaps=(), next=None)
    if phase is Phase.PAUSED:
        return Standing(stage=Stage.SHIP, says=str(phase), gaps=(), next=f"shipworthy ship {idea.number} --resume")
    if phase is Phase.LIVE:
        live = made_live(history)
        says = "live" if live is not None and live.idea == idea.key else "was live"
        return Standing(stage=Stage.SHIP, says=says, gaps=(), next="shipworthy ledger")
    unsigned = missing_signoffs(project, idea, history[-1]) if phase.next is Phase.LIVE else ()
    return Standing(stage=Stage.SHIP, says=f"in {phase}", gaps=unsigned, next=f"shipworthy ship {idea.number}")


def _command_in(gaps: Sequence[Gap]) -> str | None:
    """The command that gives what is missing first; None where only a server takes it."""
    quoted = gaps[0].remedy.split("`")
    return quoted[1] if len(quoted) > 1 else None
