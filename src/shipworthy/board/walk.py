"""The walk of an idea through the five stages, each with its answer in a word or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shipworthy.project import Project, Stage
from shipworthy.ship.rollout import Phase
from shipworthy.workspace.cards import Card


class Step(NamedTuple):
    """One stage of the walk.

    Attributes:
        stage: The stage.
        says: Its answer, or what is to be done; empty where the idea has not come so far.
        state: "done", "now", "ahead", or "over" where it was taken back or stopped.
    """

    stage: Stage
    says: str
    state: str


_OVER = frozenset({str(Phase.ROLLED_BACK), str(Phase.RETIRED), "stop, overridden"})
_WENT_LIVE = frozenset({str(Phase.LIVE), "was live"})
_TO_DO = {
    "ready for data": "to be examined",
    "testable": "to be replayed",
    "replayed": "to be judged",
    "ship": "ready to try live",
}
"""What is to be done at a stage whose card says what the stage before it answered."""


def walk(project: Project, card: Card) -> Sequence[Step]:
    """The five steps of an idea."""
    stages = list(Stage)
    now = stages.index(card.stage)
    return [
        Step(stage, _TO_DO.get(card.says, card.says), _state(card))
        if i == now
        else Step(stage, _answer(project, card, stage), "done")
        if i < now
        else Step(stage, "", "ahead")
        for i, stage in enumerate(stages)
    ]


def _state(card: Card) -> str:
    """Whether the stage that an idea has come to is over, done, or still to be gone through."""
    return "over" if card.says in _OVER else "done" if card.says in _WENT_LIVE else "now"


def _answer(project: Project, card: Card, stage: Stage) -> str:
    """What a stage that lies behind answered."""
    key = f"{card.number:04d}"
    if stage is Stage.RESEARCH:
        record = project.records.get("research", key)
        return f"{record.body['periods']:,} periods replayed" if record else "replayed"
    if stage is Stage.ANALYSIS:
        record = project.records.get("verdict", key)
        return f"verdict: {record.body['verdict']['decision']}" if record else "judged"
    return {Stage.IDEA: "complete", Stage.DATA: "testable"}[stage]
