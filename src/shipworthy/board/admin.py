"""What an admin keeps: the accounts with their roles by squad, and the audit of who did what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from starlette.responses import Response, StreamingResponse

from shipworthy.board.form import field
from shipworthy.board.rendering import go, render
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project.clock import read_instant
from shipworthy.web.asked import Asked
from shipworthy.workspace.account import disable, enable, give_roles, list_accounts, new_account
from shipworthy.workspace.audit import Wanted, entries, newest
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.password import password_change, set_password
from shipworthy.workspace.role import EVERYWHERE, Permission, Role, Roles, read_roles

_ENTRIES = 200


def show_accounts(asked: Asked) -> Response:
    """Every account, and how to add one."""
    _require_admin(asked)
    workspace = asked.desk.workspace
    return render(
        asked,
        "accounts",
        accounts=list_accounts(workspace.records),
        squads=_squads(asked),
        roles=list(Role),
        everywhere=EVERYWHERE,
    )


def add_account(asked: Asked) -> Response:
    """Adds an account; without a password it is for somebody for whom the provider of OpenID Connect vouches."""
    _require_admin(asked)
    records, password = asked.desk.workspace.records, _secret(asked, "password")
    if not list_accounts(records):
        raise InvalidInputError("The first account is added where the server runs: `shipworthy account add LOGIN`.")
    made = new_account(records, field(asked, "login"), name=field(asked, "name"), roles=_given(asked))
    secret = [password_change(made.login, password)] if password else []
    records.add(made.change(), *secret, by=asked.principal.name)
    return go("/admin/accounts", f"Added the account {made.login}.")


def change_account(asked: Asked) -> Response:
    """Gives an account roles or a password, or lets it in or not any more; it counts from its next request on."""
    _require_admin(asked)
    records, by = asked.desk.workspace.records, asked.principal.name
    login, what = asked.request.path_params["login"], asked.request.path_params["what"]
    if what in ("roles", "disable") and login == by:
        raise InvalidInputError("Nobody changes their own roles or shuts themselves out: ask another admin.")
    if what == "roles":
        give_roles(records, login, _given(asked), by=by)
        return go("/admin/accounts", f"The roles of {login} are changed.")
    if what == "password":
        set_password(records, login, _secret(asked, "password"), by=by)
        return go("/admin/accounts", f"The password of {login} is set, and every session of it is over.")
    changes = {"disable": (disable, "may sign in no more"), "enable": (enable, "may sign in again")}
    if what not in changes:
        raise NotFoundError.among("change", what, ["roles", "password", *changes])
    change, says = changes[what]
    change(records, login, by=by)
    return go("/admin/accounts", f"{login} {says}.")


def show_audit(asked: Asked) -> Response:
    """Who did what, when and where, narrowed as asked."""
    _require_admin(asked)
    wanted, query = _wanted(asked), asked.request.query_params
    found = list(reversed(newest(asked.desk.workspace, wanted, _ENTRIES)))
    return render(
        asked, "audit", entries=found, squads=_squads(asked)[1:], query=query, most=_ENTRIES, address=str(query)
    )


def export_audit(asked: Asked) -> Response:
    """Every entry that is wanted, as lines of JSON with their chain; that they were taken out is noted first."""
    _require_admin(asked)
    workspace, wanted = asked.desk.workspace, _wanted(asked)
    AuditLog(workspace.records).exported(asked.principal.name, "the audit, from the board", squad=wanted.squad or "")

    def lines() -> Iterator[str]:
        for entry in entries(workspace, wanted):
            yield json.dumps(entry.to_json(), separators=(",", ":")) + "\n"

    headers = {"content-disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)


def _require_admin(asked: Asked) -> None:
    asked.principal.require(Permission.ADMINISTER, EVERYWHERE)


def _squads(asked: Asked) -> list[str]:
    """Everywhere first, then each squad that has a name."""
    return [EVERYWHERE, *filter(None, asked.desk.workspace.squads)]


def _given(asked: Asked) -> Roles:
    """The roles that were ticked, each box being "squad:role".

    Raises:
        InvalidInputError: there is no such role, or it is none that a squad has.
    """
    squads = _squads(asked)
    return read_roles(text for text in _ticked(asked, "role") if text.rpartition(":")[0] in squads)


def _ticked(asked: Asked, name: str) -> list[str]:
    """Every box of that name that was ticked."""
    values = asked.form.getlist(name) if asked.form is not None else []
    return [value for value in values if isinstance(value, str) and value]


def _secret(asked: Asked, name: str) -> str:
    """A password as it was typed, blanks and all."""
    value = asked.form.get(name) if asked.form is not None else None
    return value if isinstance(value, str) else ""


def _wanted(asked: Asked) -> Wanted:
    by, kind, squad = (asked.request.query_params.get(name) or None for name in ("by", "kind", "squad"))
    return Wanted(since=_since(asked.request.query_params.get("since", "")), by=by, kind=kind, squad=squad)


def _since(text: str) -> datetime | None:
    return read_instant(text, "since").astimezone(UTC) if text else None
