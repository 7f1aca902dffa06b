"""The alerts that are open, as records have them: what opened, what closed, and nothing while it stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shipworthy.errors import PreconditionError
from shipworthy.live.watch.alert import Alert, by_money
from shipworthy.project import Project
from shipworthy.store import Change

_KIND = "alert"
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a look has changed.

    Attributes:
        open: All alerts that are open now, by money.
        opened: Those among them that were not open before.
        closed: Those that were open before and are not now.
        version: The number of the record that says so; 0 before the first alert of a problem.
    """

    open: Sequence[Alert]
    opened: Sequence[Alert]
    closed: Sequence[Alert]
    version: int

    @property
    def is_any(self) -> bool:
        """Whether anything opened or closed."""
        return bool(self.opened or self.closed)


def open_alerts(project: Project, problem: str) -> list[Alert]:
    """The alerts that were open at the last look, by money."""
    record = project.records.get(_KIND, problem)
    return [] if record is None else [Alert.from_dict(said) for said in record.body["open"]]


def note(project: Project, problem: str, found: Sequence[Alert], at: datetime, *, keep: bool = False) -> News:
    """Records what opened and what closed since the last look; an alert keeps the instant since which it is open.

    Args:
        project: Where records are.
        problem: The problem's name.
        found: The alerts of this look.
        at: The instant of this look.
        keep: Whether what was open stays open although it was not found, because not all could be looked at.

    Raises:
        PreconditionError: others look at the same problem at the same time, again and again.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return _noted(project, problem, found, at, keep)
        except PreconditionError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("one attempt returns or raises")


def _noted(project: Project, problem: str, found: Sequence[Alert], at: datetime, keep: bool) -> News:
    record = project.records.get(_KIND, problem)
    before = {} if record is None else {alert.key: alert for alert in map(Alert.from_dict, record.body["open"])}
    now = {alert.key: _dated(alert, before.get(alert.key), at) for alert in found}
    if keep:
        now = {**before, **now}
    opened = by_money([alert for key, alert in now.items() if key not in before])
    closed = by_money([alert for key, alert in before.items() if key not in now])
    version = 0 if record is None else record.version
    if opened or closed:
        body = {
            "at": at.isoformat(),
            "open": [alert.to_dict() for alert in by_money(list(now.values()))],
            "opened": [alert.key for alert in opened],
            "closed": [alert.key for alert in closed],
        }
        [kept] = project.records.add(Change(kind=_KIND, key=problem, body=body, expect=version), by=project.who)
        version = kept.version
    return News(open=by_money(list(now.values())), opened=opened, closed=closed, version=version)


def _dated(alert: Alert, before: Alert | None, at: datetime) -> Alert:
    return replace(alert, since=(before and before.since) or alert.since or at)
