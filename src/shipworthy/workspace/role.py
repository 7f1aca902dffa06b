"""What each role of a squad may do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shipworthy.project.role import SQUAD, Role

__all__ = ["MAY", "Permission", "Role"]


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
