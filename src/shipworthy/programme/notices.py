"""Notices: what the feed of records says, told to a webhook and to Slack, each message at least once, in order.

How far a channel was told stands in a record, so that nothing is lost when a receiver is down or the teller is killed. A message
has an id, the same at every try: a receiver that gets one twice can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from threading import Event

from shipworthy.errors import InvalidInputError, NotFoundError, PreconditionError
from shipworthy.live.sender import CHANNELS, FAILURES, address_of, content_of, send, without_address
from shipworthy.programme.happening import KINDS, Happening, Teller
from shipworthy.project import Project
from shipworthy.store import Change, feed
from shipworthy.variable import held

KIND = "told"
EVERY_S = 2.0
MOST_S = 60.0
"""How often it looks, and how seldom at most while a receiver fails."""

_TOGETHER = 20
"""After so many messages it is noted that they were told."""
_LOG = logging.getLogger("shipworthy.live")


def channels(project: Project) -> list[str]:
    """The channels that `[notices]` names."""
    return [channel for channel in CHANNELS if project.settings["notices"][channel]]


def refuse_unknown_kinds(project: Project) -> None:
    """Refuses a kind in `[notices] on` that nothing is.

    Raises:
        InvalidInputError: there is one.
    """
    for kind in project.settings["notices"]["on"]:
        if kind not in KINDS:
            raise InvalidInputError(f"{project.root}: notices.on: {NotFoundError.among('kind', kind, KINDS)}")


def begin(project: Project) -> None:
    """Counts for each channel that is new what happened before as told."""
    for channel in channels(project):
        if project.records.get(KIND, _key(channel)) is None:
            with suppress(PreconditionError):  # another one begins
                change = Change(kind=KIND, key=_key(channel), body={"seq": project.records.head().seq}, expect=0)
                project.records.add(change, by=project.who)


def tell(project: Project) -> tuple[str, ...]:
    """Tells each channel what it was not told yet; what went wrong comes back, and is tried again at the next call.

    Raises:
        InvalidInputError: `[notices] on` names what is no kind.
        UnavailableError: the record store does not answer.
    """
    refuse_unknown_kinds(project)
    begin(project)
    return tuple(trouble for channel in channels(project) if (trouble := _tell(project, channel)) is not None)


def follow(project: Project, stop: Event, every_s: float = EVERY_S) -> None:
    """Tells what comes, until it is told to stop; whatever a look ends with, the next one comes, later while it fails."""
    pause = every_s
    while not stop.is_set():
        try:
            troubles = tell(project)
        except Exception as error:  # noqa: BLE001  (a store that is gone for an hour must not end it)
            troubles = (str(error),)
            _LOG.warning("Notices could not be told: %s: %s", type(error).__name__, error)
        pause = min(2.0 * pause, max(MOST_S, every_s)) if troubles else every_s
        stop.wait(pause)


def _tell(project: Project, channel: str) -> str | None:
    try:
        address = address_of(str(project.settings["notices"][channel]), f"notices.{channel}")
        secret = held(str(project.settings["notices"]["secret"]), "notices.secret")
        while _tell_some(project, channel, address, secret):
            pass
    except FAILURES as error:
        trouble = f"{channel} was not told: {without_address(error)}. It is tried again at the next look."
        _LOG.warning("%s", trouble)
        return trouble
    return None


def _tell_some(project: Project, channel: str, address: str, secret: str) -> bool:
    """Tells the next messages, and notes how far it came; whether there was any."""
    record = project.records.get(KIND, _key(channel))
    assert record is not None, "it has begun"
    seq = before = int(record.body["seq"])
    try:
        for happening in islice(_pending(project, before), _TOGETHER):
            body = {**happening.to_dict(), "id": f"{happening.project}/{happening.seq}"}
            send(address, channel, content_of(channel, body, happening.says), body["id"], secret)
            seq = happening.seq
    finally:
        if seq > before:
            with suppress(PreconditionError):  # somebody else tells the same, and came further or tells it again
                change = Change(kind=KIND, key=_key(channel), body={"seq": seq}, expect=record.version)
                project.records.add(change, by=project.who)
    return seq > before


def _pending(project: Project, seq: int) -> Iterator[Happening]:
    wanted, teller = set(project.settings["notices"]["on"]), Teller(project)
    for record in feed(project.records, seq):
        told = teller.told(record)
        if told is not None and (told.kind in wanted or (told.gate is not None and "gate" in wanted)):
            yield told


def _key(channel: str) -> str:
    return f"notices/{channel}"
