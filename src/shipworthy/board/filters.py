"""Which cards somebody wants to see: kept in the address, so that it can be sent to others and bookmarked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from shipworthy.ideas.signoff import Unsigned
from shipworthy.project import Stage
from shipworthy.project.role import Role
from shipworthy.workspace.cards import Card

_WORDS = ("text", "owner", "problem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked of a card to be shown.

    Attributes:
        text: Words that all stand in its title, owner, problem or number.
        owner: Its owner.
        problem: Its problem.
        stage: Its stage; None for all five.
        waits_for: Only what waits for somebody of that name; empty for everything.
        roles: What that person may sign as.
    """

    text: str = ""
    owner: str = ""
    problem: str = ""
    stage: Stage | None = None
    waits_for: str = ""
    roles: frozenset[Role] = frozenset()

    @classmethod
    def of(cls, query: Mapping[str, str], who: str, roles: frozenset[Role] = frozenset()) -> Self:
        """The filters that an address has; what it says wrongly is as if it were not said.

        >>> Filters.of({"text": " Weather ", "stage": "data", "mine": "1"}, "ann").address()
        'text=Weather&stage=data&mine=1'
        """
        stage = query.get("stage", "")
        return cls(
            **{name: query.get(name, "").strip() for name in _WORDS},
            stage=Stage(stage) if stage in list(Stage) else None,
            waits_for=who if query.get("mine") else "",
            roles=roles,
        )

    def address(self, **instead: str) -> str:
        """The query of the address that has these filters, or others instead of some."""
        said = {name: getattr(self, name) for name in _WORDS}
        said |= {"stage": str(self.stage or ""), "mine": "1" if self.waits_for else ""} | instead
        return urlencode({name: value for name, value in said.items() if value})

    def keeps(self, card: Card) -> bool:
        """Whether a card is shown, in whichever column."""
        said = f"{card.number} {card.title} {card.owner} {card.problem} {card.says}".casefold()
        return (
            all(word in said for word in self.text.casefold().split())
            and self.owner in ("", card.owner)
            and self.problem in ("", card.problem)
            and (not self.waits_for or waits_for(card, self.waits_for, self.roles))
        )


def waits_for(card: Card, who: str, roles: frozenset[Role]) -> bool:
    """Whether somebody can move an idea on: who answers for it while something is missing or due, and who has to sign."""
    signs = any(isinstance(gap, Unsigned) and gap.role in roles for gap in card.gaps)
    return signs or (card.owner == who and bool(card.gaps or card.next))
