"""Messages: what opened, what closed and what moved, told to a webhook and to Slack, each at least once.

What was told stands in a record, so that nothing is lost when a receiver is down, the watch is killed, or it runs once a
minute. A message has an id, the same at every try: a receiver that gets one twice can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shipworthy.errors import PreconditionError
from shipworthy.live.sender import CHANNELS, FAILURES, address_of, content_of, send, without_address
from shipworthy.live.watch.alert import Alert
from shipworthy.project import Project
from shipworthy.ship.rollout import rollout_history
from shipworthy.store import Change
from shipworthy.variable import held

_KIND = "told"
_ALERT = "alert"
_MOST = 100
_LOG = logging.getLogger("shipworthy.live")


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        kind: "alert" or "rollout": the record that it is about.
        version: The version of that record.
        body: What a program reads.
        text: What a person reads.
    """

    kind: str
    version: int
    body: Mapping[str, Any]
    text: str


def begin_telling(project: Project, problem: str) -> None:
    """Counts for each channel that is new what happened before as told; to be called before a look moves anything."""
    for channel in _configured(project):
        key = f"{problem}/{channel}"
        if project.records.get(_KIND, key) is None:
            with suppress(PreconditionError):  # another look has begun
                begun = Change(kind=_KIND, key=key, body=_beginning(project, problem), expect=0)
                project.records.add(begun, by=project.who)


def tell_news(project: Project, problem: str) -> tuple[str, ...]:
    """Tells each channel that is configured what it was not told yet; what went wrong comes back, and is tried at the next look.

    Nothing that a receiver does ends the watch: it has a few seconds, a few tries, and its turn again.
    """
    return tuple(
        trouble for channel in _configured(project) if (trouble := _told(project, problem, channel)) is not None
    )


def _configured(project: Project) -> list[str]:
    return [channel for channel in CHANNELS if project.settings["watch"][channel]]


def _told(project: Project, problem: str, channel: str) -> str | None:
    key = f"{problem}/{channel}"
    record = project.records.get(_KIND, key)
    assert record is not None, "the look has begun"
    told = dict(record.body)
    try:
        address = address_of(str(project.settings["watch"][channel]), f"watch.{channel}")
        secret = held(str(project.settings["notices"]["secret"]), "notices.secret")
        for message in _pending(project, problem, told):
            body = {"kind": message.kind, "version": message.version, **message.body}
            name = f"{problem}/{message.kind}/{message.version}"
            send(address, channel, content_of(channel, body, message.text), name, secret)
            told[message.kind] = message.version
    except FAILURES as error:
        trouble = f"{channel} was not told: {without_address(error)}. It is tried again at the next look."
        _LOG.warning("%s", trouble)
        return trouble
    finally:
        if told != record.body:
            project.records.add(Change(kind=_KIND, key=key, body=told), by=project.who)
    return None


def _beginning(project: Project, problem: str) -> dict[str, int]:
    """What a new channel counts as told: every move, and every alert but the newest news."""
    record = project.records.get(_ALERT, problem)
    moves = rollout_history(project, problem)
    return {_ALERT: record.version - 1 if record else 0, "rollout": moves[-1].version if moves else 0}


def _pending(project: Project, problem: str, told: Mapping[str, int]) -> list[Message]:
    alerts = [
        Message(_ALERT, record.version, _news(problem, record.body), _news_text(problem, record.body))
        for record in project.records.history(_ALERT, problem)
        if record.version > told[_ALERT]
    ]
    moves = [
        Message(
            "rollout",
            move.version,
            {
                "problem": problem,
                "at": move.at.isoformat(),
                "phase": str(move.phase),
                "champion": move.champion,
                "challenger": move.challenger,
                "idea": move.idea,
                "why": move.why,
                "by": move.by,
            },
            f"{problem}: {move.phase}{f', idea {int(move.idea)}' if move.idea else ''}, by {move.by}. {move.why}",
        )
        for move in rollout_history(project, problem)
        if move.version > told["rollout"]
    ]
    return [*moves[-_MOST:], *alerts[-_MOST:]]


def _news(problem: str, body: Mapping[str, Any]) -> dict[str, Any]:
    opened = [alert for alert in body["open"] if Alert.from_dict(alert).key in body["opened"]]
    return {"problem": problem, "at": body["at"], "opened": opened, "closed": body["closed"], "open": len(body["open"])}


def _news_text(problem: str, body: Mapping[str, Any]) -> str:
    lines = [f"{problem}: {len(body['open'])} alerts are open."]
    for alert in map(Alert.from_dict, body["open"]):
        if alert.key in body["opened"]:
            risk = "" if alert.money_at_risk is None else f" At risk: {alert.money_at_risk:,.2f} a period."
            lines.append(f"Opened: {alert.key}. {alert.what}{risk} {alert.do} {alert.anchor}")
    return "\n".join([*lines, *(f"Closed: {key}." for key in body["closed"])])
