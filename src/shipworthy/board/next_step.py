"""What comes next for an idea: where it stands, who may do what is due, and for whom it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shipworthy.board.asking import DOES, VERBS
from shipworthy.ideas.signoff import Unsigned
from shipworthy.live.ledger.ledger import line_from
from shipworthy.live.ledger.sentences import earned, span
from shipworthy.project import Project, Stage
from shipworthy.project.role import one_of, spoken
from shipworthy.ship.rollout import Phase, Rollout
from shipworthy.web.asked import Asked
from shipworthy.workspace.cards import Card
from shipworthy.workspace.role import MAY
from shipworthy.workspace.told import tell

_TO_COMPLETE = "Missing before its data can be examined"
_HEADINGS = {"ship": "Ready to be tried live", "stop, overridden": "Stopped"}
_ASKED = "override asked"


class Button(NamedTuple):
    """A verb that can be asked for.

    Attributes:
        verb: The verb.
        says: What its button says.
        is_due: Whether it is what is due next.
    """

    verb: str
    says: str
    is_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What the first card of an idea's page says.

    Attributes:
        heading: Where the idea stands, or what is missing.
        buttons: The verbs that whoever reads can ask for.
        waits_for: For whom it waits and what they do, where whoever reads may not; empty otherwise.
    """

    heading: str
    buttons: Sequence[Button]
    waits_for: str


def next_step(asked: Asked, project: Project, card: Card, moves: Sequence[Rollout]) -> NextStep:
    """What comes next.

    Args:
        asked: The request.
        project: The project.
        card: The idea's card.
        moves: What its rollout did, the newest first.
    """
    due = {f"shipworthy {verb} {card.number}": verb for verb in VERBS}.get(card.next or "")
    does = {**DOES, "ship": "try it in the shadow"} if card.stage is Stage.SHIP and not moves else DOES
    return NextStep(
        heading=_heading(asked, project, card, moves),
        buttons=_buttons(asked, project, card, due, does),
        waits_for=_waits_for(asked, project, card, None if moves else due, does),
    )


def _heading(asked: Asked, project: Project, card: Card, moves: Sequence[Rollout]) -> str:
    if card.says in _HEADINGS:
        return _HEADINGS[card.says]
    if card.says.endswith(_ASKED):
        return "An override was asked for"
    if card.stage is Stage.SHIP:
        return f"{card.says.capitalize()}{_more(asked, project, card, moves)}"
    return _TO_COMPLETE if card.stage is Stage.IDEA else f"What the gate to {card.stage.next} misses"


def _more(asked: Asked, project: Project, card: Card, moves: Sequence[Rollout]) -> str:
    """The share of a canary; what a live idea came to so far, where the ledger was read already."""
    if moves and moves[0].phase is Phase.CANARY:
        return f" at {moves[0].share:.0%}"
    lines = tell(asked.desk, project, "ledger").answer or [] if card.says == str(Phase.LIVE) else []
    line = next((line_from(line) for line in lines if line["idea"] == card.number), None)
    if line is None or not line.answered:
        return ""
    return f": {earned(line.earned, line.currency)} so far, in {line.answered:,} of {span(line.periods, line)}"


def _buttons(asked: Asked, project: Project, card: Card, due: str | None, does: Mapping[str, str]) -> Sequence[Button]:
    order = list(Stage)
    offered = [stage.verb for stage in order[1 : order.index(card.stage) + 1] if stage.verb in VERBS]
    return [
        Button(verb, does[verb].capitalize(), verb == due)
        for verb in offered
        if asked.principal.may(VERBS[verb], project.squad) and (verb != "ship" or verb == due)
    ]


def _waits_for(asked: Asked, project: Project, card: Card, due: str | None, does: Mapping[str, str]) -> str:
    if due is not None and not asked.principal.may(VERBS[due], project.squad):
        return f"{one_of(MAY[VERBS[due]])} to {does[due]}"
    if card.says.endswith(_ASKED):
        return "another person to agree"
    roles = dict.fromkeys(gap.role for gap in card.gaps if isinstance(gap, Unsigned))
    return (
        f"{' and '.join(f'the {spoken(role)}' if role else 'another person' for role in roles)} to sign"
        if roles
        else ""
    )
