"""Who does what in a squad."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a squad; one person may be several."""

    PRODUCT_MANAGER = "product manager"
    ANALYST = "analyst"
    DATA_SCIENTIST = "data scientist"
    ML_ENGINEER = "ml engineer"
    SOFTWARE_ENGINEER = "software engineer"
    STAKEHOLDER = "stakeholder"
    ADMIN = "admin"


def spoken(role: str) -> str:
    """A role as it is said in a sentence.

    >>> spoken("ml engineer"), spoken(Role.ANALYST)
    ('ML engineer', 'analyst')
    """
    return str(role).replace("ml ", "ML ")


SQUAD: frozenset[Role] = frozenset(Role) - {Role.STAKEHOLDER, Role.ADMIN}
"""The roles that work on ideas, and sign them; a stakeholder reads, and an admin keeps accounts."""
