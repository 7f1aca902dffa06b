"""What an admin keeps: the accounts with their roles by squad, and the audit of who did what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from shipworthy.board.form import field
from shipworthy.board.rendering import go, render
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project.clock import read_instant
from shipworthy.web.asked import Asked
from shipworthy.workspace import password
from shipworthy.workspace.account import change_account, list_accounts
from shipworthy.workspace.audit import KINDS, LOOKED_THROUGH, Wanted, entries, look_back
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.role import EVERYWHERE, Permission, Role

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
    workspace = asked.desk.workspace
    made = password.add_account(
        workspace.records,
        field(asked, "login"),
        by=asked.principal.name,
        squads=workspace.squads,
        name=field(asked, "name"),
        roles=_ticked(asked, "role"),
        password=_secret(asked, "password") or None,
    )
    return go("/admin/accounts", f"Added the account {made.login}.")


def edit_account(asked: Asked) -> Response:
    """Gives an account roles or a password, or lets it in or not any more; it counts from its next request on."""
    _require_admin(asked)
    workspace, by = asked.desk.workspace, asked.principal.name
    login, what = asked.request.path_params["login"], asked.request.path_params["what"]
    if what == "password":
        password.set_password(workspace.records, login, _secret(asked, "password"), by=by)
        return go("/admin/accounts", f"The password of {login} is set, and every session of it is over.")
    changes: dict[str, tuple[dict[str, Any], str]] = {
        "roles": ({"roles": _ticked(asked, "role")}, "has these roles now"),
        "disable": ({"disabled": True}, "may sign in no more"),
        "enable": ({"disabled": False}, "may sign in again"),
    }
    if what not in changes:
        raise NotFoundError.among("change", what, ["password", *changes])
    change, says = changes[what]
    change_account(workspace.records, login, by=by, squads=workspace.squads, **change)
    return go("/admin/accounts", f"{login} {says}.")


def show_audit(asked: Asked) -> Response:
    """Who did what, when and where, narrowed as asked."""
    _require_admin(asked)
    wanted, query = _wanted(asked), asked.request.query_params
    found = look_back(asked.desk.workspace, wanted, _ENTRIES, rest=_rest(query.get("rest", "")), at_most=LOOKED_THROUGH)
    chosen = urlencode([(name, value) for name, value in query.items() if name != "rest"])
    rest = "~".join(f"{place}={seq}" for place, seq in found.rest.items()) if found.rest else ""
    return render(
        asked,
        "audit",
        entries=found.entries,
        squads=_squads(asked)[1:],
        query=query,
        kinds=sorted({*KINDS, query.get("kind") or KINDS[0]}),
        address=chosen,
        older=f"{chosen}&{urlencode({'rest': rest})}" if rest else "",
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


def _rest(text: str) -> Mapping[str, int] | None:
    """Where an earlier page stopped looking back: "workspace=12~bakery=340".

    Raises:
        InvalidInputError: it says no such thing.
    """
    found = dict(re.findall(r"([a-z0-9-]+)=(\d{1,18})", text))
    if text and "~".join("=".join(one) for one in found.items()) != text:
        raise InvalidInputError("This page of the audit cannot be found. Begin again at /admin/audit.")
    return {place: int(seq) for place, seq in found.items()} if text else None


def _since(text: str) -> datetime | None:
    return read_instant(text, "since").astimezone(UTC) if text else None
