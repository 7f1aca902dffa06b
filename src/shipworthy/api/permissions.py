"""Who may do what through the API, as a table for people."""

from __future__ import annotations

from shipworthy.api.table import ENDPOINTS
from shipworthy.project.role import Role
from shipworthy.workspace.role import MAY, Permission

_SHORT = {
    Role.PRODUCT_MANAGER: "product manager",
    Role.ANALYST: "analyst",
    Role.DATA_SCIENTIST: "data scientist",
    Role.ML_ENGINEER: "ML engineer",
    Role.SOFTWARE_ENGINEER: "software engineer",
    Role.STAKEHOLDER: "stakeholder",
    Role.ADMIN: "admin",
}


def permission_table() -> str:
    """Every permission in Markdown: who has it, and the endpoints that ask for it."""
    rows = ["| permission | who has it | what asks for it |", "|---|---|---|"]
    for permission in Permission:
        names = [f"`{one.name}`" for one in ENDPOINTS if one.permission is permission]
        who = (
            "everybody"
            if MAY[permission] == frozenset(Role)
            else ", ".join(_SHORT[role] for role in Role if role in MAY[permission])
        )
        if names:
            rows.append(f"| {permission} | {who} | {', '.join(names)} |")
    return "\n".join(rows)
