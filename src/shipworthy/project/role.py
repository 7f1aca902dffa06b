"""Who does what in a squad."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    """A role, or several, as a sentence says it.

    >>> spoken(Role.ML_ENGINEER), spoken("analyst and ml engineer")
    ('ML engineer', 'analyst and ML engineer')
    """
    return re.sub(r"\bml engineer\b", "ML engineer", role)


def one_of(roles: Iterable[str]) -> str:
    """Any one of some roles, as a sentence says it.

    >>> one_of(["analyst", "data scientist", "ml engineer"]), one_of(["product manager"])
    ('an analyst, data scientist or ML engineer', 'a product manager')
    """
    *others, last = map(spoken, sorted(roles))
    named = f"{', '.join(others)} or {last}" if others else last
    return f"{'an' if named[0] in 'aeiouM' else 'a'} {named}"


SQUAD: frozenset[Role] = frozenset(Role) - {Role.STAKEHOLDER, Role.ADMIN}
"""The roles that work on ideas, and sign them; a stakeholder reads, and an admin keeps accounts."""
