"""Who does what in a squad."""

from __future__ import annotations

import re
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


SQUAD: frozenset[Role] = frozenset(Role) - {Role.STAKEHOLDER, Role.ADMIN}
"""The roles that work on ideas, and sign them; a stakeholder reads, and an admin keeps accounts."""
