"""The tail of a log: what was appended to any of its segments, by any process, since one last looked."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

_LOOK_FOR_END_S = 5.0

_MOST_NEW = 64
"""How many new segments one look opens, so that however many there are, they do not use up the files that may be open."""


class Place(NamedTuple):
    """Where a line stands, so that it need not be kept in memory."""

    segment: str
    offset: int
    length: int


class Tail:
    """Reads the segments of one noun in one folder, each line once.

    Looking again costs one listing, and one read for each segment whose writer still lives. Errors of the disk are
    not its business: a segment that cannot be read now is looked at again the next time.
    """

    def __init__(self, folder: Path, noun: str) -> None:
        """Names the folder, which need not be there yet."""
        self._folder = folder
        self._prefix = f"{noun}-"
        self._known: set[str] = set()
        self._open: dict[str, _Reader] = {}
        self._left: list[str] = []
        self._changed_at = -1

    def look(self) -> bool:
        """Opens the segments that are new, and says whether any came or went since the last look.

        One that was compacted between being listed and being opened is passed over: the archive has it by now. Where there are
        very many, most are opened only when they are read; one that is compacted before that is met by the next look.
        """
        changed_at = self._folder.stat().st_mtime_ns if self._folder.exists() else -1
        new = self._new_names()
        for name in new[:_MOST_NEW]:
            self._begin(name)
        self._left = new[_MOST_NEW:]
        before, self._changed_at = self._changed_at, changed_at
        return changed_at != before

    def look_again(self) -> None:
        """Lets the next look say that something changed."""
        self._changed_at = -2

    def skip(self, segments: Iterable[str]) -> bool:
        """Passes over those of the segments of which nothing was read yet, and says whether there were any."""
        unread = [name for name in segments if name not in self._known or self._is_unread(name)]
        for name in unread:
            self._known.add(name)
            if name in self._open:
                os.close(self._open.pop(name).file)
        return bool(unread)

    def read(self) -> Iterator[tuple[Place, bytes]]:
        """The lines that came since the last call."""
        self.look()
        yield from self.read_seen()

    def read_seen(self) -> Iterator[tuple[Place, bytes]]:
        """The same, of the segments that were there at the last look."""
        for name in [*self._open, *self._left]:
            if name not in self._known:
                self._begin(name)
            if name in self._open:
                yield from self._lines(name)

    def at(self, place: Place) -> bytes:
        """The line at a place."""
        reader = self._open.get(place.segment)
        if reader is not None:
            return os.pread(reader.file, place.length, place.offset)
        with (self._folder / place.segment).open("rb") as file:
            return os.pread(file.fileno(), place.length, place.offset)

    def close(self) -> None:
        """Lets go of all segments."""
        while self._open:
            os.close(self._open.popitem()[1].file)

    def _begin(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._open[name] = _Reader(os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC))
            self._known.add(name)

    def _lines(self, name: str) -> Iterator[tuple[Place, bytes]]:
        """What came in an open segment; it is let go of where nothing more can come."""
        reader = self._open[name]
        for offset, line in reader.lines():
            yield Place(name, offset, len(line)), line
        if reader.is_over:
            os.close(self._open.pop(name).file)

    def _is_unread(self, name: str) -> bool:
        return name in self._open and self._open[name].is_unread

    def _new_names(self) -> list[str]:
        try:
            with os.scandir(self._folder) as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            return []
        return [name for name in names if name not in self._known and name.startswith(self._prefix)]


class _Reader:
    """One segment: how far it was read, and whether its writer is gone."""

    __slots__ = ("_looked_at", "_offset", "file", "is_over")

    def __init__(self, file: int) -> None:
        self.file = file
        self.is_over = False
        self._offset = 0
        self._looked_at = float("-inf")

    @property
    def is_unread(self) -> bool:
        """Whether no line was read of it."""
        return self._offset == 0

    def lines(self) -> Iterator[tuple[int, bytes]]:
        # Whether the writer lives is asked before reading, so that nothing it wrote last is missed.
        over = self._writer_is_gone()
        while chunk := os.pread(self.file, 1 << 20, self._offset):
            whole = chunk.rfind(b"\n") + 1
            if not whole:
                chunk = self._rest_of_line(len(chunk))
                whole = chunk.rfind(b"\n") + 1
                if not whole:
                    break
            start = self._offset
            self._offset += whole
            for line in chunk[: whole - 1].split(b"\n"):
                yield start, line
                start += len(line) + 1
        self.is_over = over

    def _rest_of_line(self, length: int) -> bytes:
        """A chunk that is long enough for a line longer than a chunk; what is there where the line is torn."""
        size = os.fstat(self.file).st_size - self._offset
        return os.pread(self.file, size, self._offset) if size > length else b""

    def _writer_is_gone(self) -> bool:
        now = monotonic()
        if now - self._looked_at < _LOOK_FOR_END_S:
            return False
        self._looked_at = now
        try:
            fcntl.flock(self.file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        fcntl.flock(self.file, fcntl.LOCK_UN)
        return True
