"""Sessions: who signed in with a browser. The browser holds a random value, the records only its hash."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from shipworthy.project.clock import now
from shipworthy.store import Change, RecordStore
from shipworthy.workspace.account import Account, find_account

KIND = "session"
LIFE = timedelta(hours=12)
"""How long a session lasts, however much it is used."""

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


def begin_session(records: RecordStore, account: Account, *, address: str, via: str) -> str:
    """Notes that somebody signed in, and gives the value by which the browser is known from now on.

    Args:
        records: The workspace's records.
        account: Who signed in.
        address: Where the request came from.
        via: How: "password", or the issuer that vouched.
    """
    value = secrets.token_urlsafe(32)
    body = {
        "login": account.login,
        "epoch": account.epoch,
        "until": (now() + LIFE).isoformat(),
        "address": address,
        "via": via,
        "ended": False,
    }
    records.add(Change(kind=KIND, key=_key(value), body=body, expect=0), by=account.login)
    return value


def session_account(records: RecordStore, value: str) -> Account | None:
    """Whose session it is; None where it is none, or one that is over.

    A session is looked up by its hash, so no comparison of secrets can be timed.
    """
    record = records.get(KIND, _key(value)) if _VALUE.fullmatch(value) else None
    if record is None or record.body["ended"] or datetime.fromisoformat(record.body["until"]) <= now():
        return None
    account = find_account(records, record.body["login"])
    if account is None or account.disabled or account.epoch != record.body["epoch"]:
        return None
    return account


def end_session(records: RecordStore, value: str) -> None:
    """Ends a session; nothing happens where it is none, or over already."""
    account = session_account(records, value)
    if account is not None:
        record = records.get(KIND, _key(value))
        assert record is not None
        records.add(Change(kind=KIND, key=record.key, body={**record.body, "ended": True}), by=account.login)


def _key(value: str) -> str:
    return sha256(value.encode()).hexdigest()
