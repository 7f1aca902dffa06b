"""What each role of a squad may do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project.role import SQUAD, Role, spoken

__all__ = ["EVERYWHERE", "MAY", "Permission", "Role", "Roles", "read_roles"]

EVERYWHERE = "*"
"""In place of a squad: every one there is."""

_SQUAD_NAME = r"[a-z0-9][a-z0-9-]{0,62}|\*"


class Permission(StrEnum):
    """One kind of thing that can be done; every endpoint and every verb asks for exactly one."""

    READ = "read"
    COMMENT = "comment"
    WRITE = "write"
    SIGN = "sign"
    ASK = "ask"
    EXAMINE = "examine"
    RESEARCH = "research"
    ANALYSE = "analyse"
    OVERRIDE = "override"
    SHIP = "ship"
    ROLL_BACK = "roll back"
    OPERATE = "operate"
    ADMINISTER = "administer"


_ENGINEERS = frozenset({Role.ML_ENGINEER, Role.SOFTWARE_ENGINEER})
_PROVERS = frozenset({Role.ANALYST, Role.DATA_SCIENTIST, Role.ML_ENGINEER})

MAY: Mapping[Permission, frozenset[Role]] = {
    Permission.READ: frozenset(Role),
    Permission.COMMENT: SQUAD,
    Permission.WRITE: SQUAD,
    Permission.SIGN: SQUAD,
    Permission.ASK: SQUAD,
    Permission.EXAMINE: _PROVERS | _ENGINEERS,
    Permission.RESEARCH: _PROVERS | _ENGINEERS,
    Permission.ANALYSE: _PROVERS | _ENGINEERS,
    Permission.OVERRIDE: SQUAD,
    Permission.SHIP: _ENGINEERS,
    Permission.ROLL_BACK: _ENGINEERS | {Role.PRODUCT_MANAGER},
    Permission.OPERATE: _ENGINEERS,
    Permission.ADMINISTER: frozenset({Role.ADMIN}),
}
"""Which roles may do what. An admin keeps accounts and reads; who also works in a squad has a role there too."""

Roles = Mapping[str, frozenset[Role]]
"""The roles that somebody has, by squad; under "*" those in every squad."""


def read_roles(texts: Iterable[str], squads: Iterable[str] | None = None) -> Roles:
    """Roles as people write them: "squad:role", or a role alone for every squad; '-' stands for a space.

    Args:
        texts: The roles.
        squads: The squads there are; None asks for none of them.

    Raises:
        InvalidInputError: a text is no role of a squad, or of none that there is.

    >>> read_roles(["food:product-manager", "food:analyst"])["food"] == {Role.PRODUCT_MANAGER, Role.ANALYST}
    True
    """
    known = None if squads is None else [EVERYWHERE, *filter(None, squads)]
    found: dict[str, set[Role]] = {}
    for text in texts:
        squad, colon, name = text.rpartition(":")
        said = name.strip().lower().replace("-", " ")
        if said not in set(Role):
            raise InvalidInputError(str(NotFoundError.among("role", said, Role)))
        if not re.fullmatch(_SQUAD_NAME, squad if colon else EVERYWHERE):
            raise InvalidInputError(f"{text!r} names no squad. Write 'food:{said}', or '*:{said}' for every squad.")
        if known is not None and (squad if colon else EVERYWHERE) not in known:
            raise InvalidInputError(str(NotFoundError.among("squad", squad, known)))
        if Role(said) is Role.ADMIN and colon and squad != EVERYWHERE:
            raise InvalidInputError(f"{text!r}: an admin keeps the accounts of every squad. Write '*:admin'.")
        found.setdefault(squad if colon else EVERYWHERE, set()).add(Role(said))
    return {squad: frozenset(roles) for squad, roles in sorted(found.items())}


def roles_as_texts(roles: Roles) -> list[str]:
    """Roles as `read_roles` reads them.

    >>> roles_as_texts({"food": frozenset({Role.ANALYST}), "*": frozenset({Role.ADMIN})})
    ['*:admin', 'food:analyst']
    """
    return [f"{squad}:{role}" for squad in sorted(roles) for role in sorted(roles[squad])]


def roles_in_words(roles: Roles) -> str:
    """Roles as people say them; empty where there are none.

    >>> roles_in_words({"food": frozenset({Role.ANALYST, Role.ML_ENGINEER}), "*": frozenset({Role.ADMIN})})
    'admin everywhere; ML engineer, analyst in food'
    """
    return "; ".join(
        f"{', '.join(sorted(map(spoken, roles[squad])))} {'everywhere' if squad == EVERYWHERE else f'in {squad}'}"
        for squad in sorted(roles)
    )
