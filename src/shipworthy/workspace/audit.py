"""The audit: who did what, when and where, read from the one log that every record of a workspace and its projects stands in."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipworthy.analysis.withheld import open_body
from shipworthy.errors import NotFoundError, TamperedError
from shipworthy.store import Head, Record, RecordStore, feed
from shipworthy.store.chain import checked
from shipworthy.workspace.account import KIND as ACCOUNT
from shipworthy.workspace.audit_log import KIND as AUDIT
from shipworthy.workspace.audit_log import USE_KIND
from shipworthy.workspace.password import KIND as PASSWORD
from shipworthy.workspace.role import Role, roles_in_words
from shipworthy.workspace.session import KIND as SESSION
from shipworthy.workspace.token import KIND as TOKEN
from shipworthy.workspace.workspace import Workspace

_AT_ONCE = 100
"""So many records are read at once."""

LOOKED_THROUGH = 1_000
"""So many records a page looks through before it is shown with what it found so far."""

OWN = "workspace"
"""The place of what is the workspace's own, beside the names of its projects."""

PRIVATE = frozenset({PASSWORD})
"""Kinds whose bodies are shown to nobody: the hashes of passwords."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, and where it stands.

    Attributes:
        place: "workspace", or the project's name.
        squad: Whose it is; empty for the workspace's own.
        record: The record.
    """

    place: str
    squad: str
    record: Record

    @property
    def says(self) -> str:
        """What happened, in a line."""
        tell = (_SAYS if self.place == OWN else _SAYS_OF_A_PROJECT).get(self.record.kind, _any)
        return tell(self.record)

    def to_json(self) -> Mapping[str, Any]:
        """As it is exported: the record with its chain, without a private body and without what a sealed holdout withholds."""
        one = self.record
        body = None if one.kind in PRIVATE else open_body(one)
        known = {"place": self.place, "seq": one.seq, "chain": one.chain, "at": one.at.isoformat(), "by": one.by}
        return {**known, "kind": one.kind, "key": one.key, "version": one.version, "body": body}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are wanted; what is None narrows nothing.

    Attributes:
        since: From this instant on.
        by: By this login.
        kind: Of this kind.
        squad: Of this squad.
    """

    since: datetime | None = None
    by: str | None = None
    kind: str | None = None
    squad: str | None = None

    def has(self, entry: Entry) -> bool:
        """Whether an entry is one of them; what was refused to a login is found by that login too."""
        record = entry.record
        whose = (None, record.by, record.body.get("who") if record.kind == AUDIT else None)
        return (
            (self.since is None or record.at >= self.since)
            and self.by in whose
            and self.kind in (None, record.kind)
            and self.squad in (None, entry.squad or record.body.get("squad"))
        )


def entries(workspace: Workspace, wanted: Wanted) -> Iterator[Entry]:
    """The entries that are wanted, place by place, each in the order in which it was written."""
    for place, (squad, records) in _places(workspace).items():
        for record in feed(records):
            entry = Entry(place, squad, record)
            if wanted.has(entry):
                yield entry


@dataclass(frozen=True, slots=True)
class LookedBack:
    """What was found by looking back.

    Attributes:
        entries: The entries that are wanted, the newest first.
        rest: By place, up to where older ones have not been looked through; None where all were.
    """

    entries: Sequence[Entry]
    rest: Mapping[str, int] | None


def look_back(
    workspace: Workspace,
    wanted: Wanted,
    most: int,
    *,
    rest: Mapping[str, int] | None = None,
    at_most: int | None = None,
) -> LookedBack:
    """The newest entries that are wanted, of all places together.

    Args:
        workspace: The workspace.
        wanted: Which are.
        most: How many.
        rest: Where to go on, as `LookedBack` says.
        at_most: How many records to look through; all there are, if not given.
    """
    places = _places(workspace)
    heads = {place: records.head().seq for place, (_, records) in places.items()}
    left = {place: min(head, (rest or {}).get(place, head)) for place, head in heads.items()}
    walks = [_backwards(place, squad, records, left[place]) for place, (squad, records) in places.items()]
    found: list[Entry] = []
    for looked, entry in enumerate(heapq.merge(*walks, key=lambda entry: entry.record.at, reverse=True)):
        if len(found) == most or looked == at_most:
            return LookedBack(found, left)
        if wanted.since is not None and entry.record.at < wanted.since:
            break
        left[entry.place] = entry.record.seq - 1
        found += [entry] if wanted.has(entry) else []
    return LookedBack(found, None)


def _backwards(place: str, squad: str, records: RecordStore, seq: int) -> Iterator[Entry]:
    """What was written up to a place in a log, the newest first."""
    while seq > 0:
        before = max(0, seq - _AT_ONCE)
        yield from (Entry(place, squad, record) for record in reversed(records.since(before, seq - before)))
        seq = before


def verify(workspace: Workspace, noted: Mapping[str, Sequence[Head]]) -> Mapping[str, Head]:
    """Recomputes every chain, and gives the head of each place, to be noted where nobody who writes here can write.

    Args:
        workspace: The workspace.
        noted: Heads that were noted before, by place: what they prove has to be there still.

    Raises:
        TamperedError: a record was changed, taken out or put in, or a log was cut or written anew.
        NotFoundError: there is no such place.
    """
    places = _places(workspace)
    for place in noted.keys() - places.keys():
        raise NotFoundError.among("log", place, places)
    return {place: _verified(place, records, noted.get(place, ())) for place, (_, records) in places.items()}


def _verified(place: str, records: RecordStore, noted: Sequence[Head]) -> Head:
    missing, head = {one.seq: one.chain for one in noted if one.seq}, Head(0, "0" * 64)
    for record in checked(feed(records)):
        head = Head(record.seq, record.chain)
        if missing.pop(record.seq, record.chain) != record.chain:
            raise TamperedError(
                f"The log of {place} holds by itself, but is not the one whose head {record.seq} was noted: all of it was "
                "written anew, up to there at least. Compare it with a backup, and ask who could write to it."
            )
    if missing:
        raise TamperedError(
            f"The log of {place} ends at {head.seq}, and a head of {max(missing)} was noted: its end was cut off. Compare it "
            "with a backup, and ask who could write to it."
        )
    return head


def _places(workspace: Workspace) -> Mapping[str, tuple[str, RecordStore]]:
    own = {OWN: ("", workspace.records)}
    return own | {name: (project.squad, project.records) for name, project in workspace.projects.items()}


def _session(record: Record) -> str:
    body = record.body
    return (
        f"{body['login']} signed out"
        if body["ended"]
        else f"{body['login']} signed in by {body['via']} from {body['address']}"
    )


def _account(record: Record) -> str:
    body = record.body
    known = {squad: frozenset(map(Role, roles)) for squad, roles in body["roles"].items()}
    standing = "disabled" if body["disabled"] else roles_in_words(known) or "no role"
    return f"account {record.key}: {standing}"


def _token(record: Record) -> str:
    body = record.body
    made = "revoked" if body["revoked"] else f"made, good for {', '.join(sorted(body['permissions']))}"
    if not body["revoked"] and body.get("squads"):
        made += f" in {', '.join(body['squads'])}"
    return f"token {body['name']!r} of {body['login']} {made}"


def _use(record: Record) -> str:
    return (
        f"token {record.body['token']} used from {record.body['address']}{', for the first time' * record.body['new']}"
    )


def _audit(record: Record) -> str:
    body = record.body
    parts = [
        record.key,
        body["who"] and f"to {body['who']}",
        body["address"] and f"from {body['address']}",
        body["detail"],
    ]
    return ": ".join(filter(None, (" ".join(filter(None, parts[:3])), parts[3]))) + (
        f" ({body['times']} times more)" if body["times"] > 1 else ""
    )


_SAYS: Mapping[str, Callable[[Record], str]] = {
    SESSION: _session,
    ACCOUNT: _account,
    TOKEN: _token,
    USE_KIND: _use,
    AUDIT: _audit,
    PASSWORD: lambda record: f"password of {record.key} set",
}
"""What the workspace's own records say."""


def _any(record: Record) -> str:
    key = record.key.lstrip("0") if record.key.isdecimal() else record.key
    return f"{record.kind} {key}, version {record.version}"


def _of_idea(record: Record) -> str:
    return f"{record.kind} of idea {record.key.lstrip('0')}, version {record.version}"


def _job(record: Record) -> str:
    body = record.body
    number = (body.get("given") or {}).get("number")
    what = f"{body.get('verb')}{f' of idea {number}' if number else ''}"
    return f"{what} was asked for" if body.get("state") == "queued" else f"{what}: {body.get('state')}"


_SAYS_OF_A_PROJECT: Mapping[str, Callable[[Record], str]] = {
    **dict.fromkeys(("data", "research", "verdict", "override", "signoff", "comment"), _of_idea),
    "job": _job,
    "parity": lambda record: f"parity of release {record.key}, version {record.version}",
    "rollout": lambda record: f"rollout of {record.key}: {record.body.get('phase')}",
}
"""What a project's records say; another one is told by its kind and key."""

KINDS = (
    *("account", "alert", "audit", "comment", "data", "drill", "holdout", "idea", "import", "job", "keeper", "log"),
    *("override", "parity", "password", "query", "release", "research", "rollout", "session", "signoff", "told"),
    *("token", "token use", "verdict"),
)
"""The kinds of record that there may be."""
