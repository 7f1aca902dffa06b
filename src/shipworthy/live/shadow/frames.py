"""What a shadow and its guarded child say to each other: plain values in frames, over two pipes, and never a pickle."""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec

from shipworthy.store import Record

MOST_BYTES = 1 << 30
"""The longest frame; whoever announces a longer one is not listened to any more."""

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16


class Carried(msgspec.Struct):
    """What a child needs to know of its release, and of the log that it looks back on.

    Attributes:
        release: The release's name.
        record: The body of its record.
        contents: Its objects by name, each of which is checked against its digest again.
        problem: The problem's name.
        folder: The folder of the problem's logs.
        is_compacted: Whether what is no longer there is in the archive.
    """

    release: str
    record: dict[str, Any]
    contents: dict[str, bytes]
    problem: str
    folder: str
    is_compacted: bool


class Question(msgspec.Struct):
    """One line of the decision log, as it was logged."""

    line: bytes


class Answer(msgspec.Struct, tag=True):
    """What the release decides.

    Attributes:
        answer: The answer, as the decision log has it.
        denied: What it attempted and was denied, in words.
        last: Whether the child ends now, because something it began goes on.
        trouble: Why the past cannot be read now, so that nothing was decided; empty where it can.
    """

    answer: dict[str, Any] = {}
    denied: list[str] = []
    last: bool = False
    trouble: str = ""


class Wanted(msgspec.Struct, tag=True):
    """What the child asks its parent to read for it from the stores: records of a kind, or an object by its name.

    Attributes:
        kind: The kind of the records.
        prefix: How their keys begin.
        object: The object's name.
    """

    kind: str = ""
    prefix: str = ""
    object: str = ""


class Found(msgspec.Struct):
    """What the parent read.

    Attributes:
        records: The newest version of everything of the kind.
        content: The object's bytes.
        trouble: Why nothing could be read; empty where it could.
    """

    records: list[Record] = []
    content: bytes = b""
    trouble: str = ""


class Ready(msgspec.Struct, tag=True):
    """Says that the guard is closed, or why the release cannot be opened.

    Attributes:
        walls: What stands around the child, in words.
        trouble: Why there is nothing to ask; empty where there is.
    """

    walls: list[str] = []
    trouble: str = ""


class BrokenTalkError(Exception):
    """The other side is gone, hangs, or says what is no frame."""


def send(pipe: int, message: Any, seconds: float | None = None) -> None:
    """Sends one message.

    Raises:
        BrokenTalkError: the other side is gone, or does not take it in time.
    """
    body = msgspec.msgpack.encode(message)
    view = memoryview(_LENGTH.pack(len(body)) + body)
    wait = _waiter(seconds, lambda left: select.select([], [pipe], [], left)[1])
    try:
        while view:
            wait()
            view = view[os.write(pipe, view[:_CHUNK] if seconds is not None else view) :]
    except OSError as error:
        raise BrokenTalkError(f"it cannot be asked: {error.strerror}") from error


def receive(pipe: int, seconds: float | None = None) -> bytes:
    """The next message, encoded.

    Raises:
        BrokenTalkError: the other side is gone, does not answer in time, or announces too much.
    """
    wait = _waiter(seconds, lambda left: select.select([pipe], [], [], left)[0])
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size, wait))
    if length > MOST_BYTES:
        raise BrokenTalkError("what it says is no answer")
    return _exactly(pipe, length, wait)


def _exactly(pipe: int, length: int, wait: Callable[[], None]) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        wait()
        part = os.read(pipe, min(_CHUNK, length - len(parts)))
        if not part:
            raise BrokenTalkError("it ended")
        parts += part
    return bytes(parts)


def _waiter(seconds: float | None, ready: Callable[[float], Any]) -> Callable[[], None]:
    if seconds is None:
        return lambda: None
    until = monotonic() + seconds

    def wait() -> None:
        if not ready(max(0.0, until - monotonic())):
            raise BrokenTalkError(f"no answer within {seconds:.3g} s")

    return wait
