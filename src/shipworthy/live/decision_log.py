"""The decision log: append-only segments of JSON lines, on the disk before a decision is acknowledged.

Each worker process writes segments of its own, so that no two writers ever share a file. A segment is locked (`flock`) as long
as its writer lives, and gets its name only once it is locked: whoever can lock a segment knows that nothing will be added.
A line that was torn by a crash was never acknowledged; `shipworthy.log` passes it over.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from uuid import uuid4

from shipworthy.errors import UnavailableError
from shipworthy.log.archive import DECISIONS

SEGMENT_S = 86_400.0
"""When a segment was begun longer ago than these seconds, the next line begins a new one, so that it can be compacted."""

SEGMENT_BYTES = 64 * 2**20
"""When a segment is longer than this, the next line begins a new one."""

_SUFFIX = ".jsonl"
_sync = getattr(os, "fdatasync", os.fsync)


class SegmentLog:
    """Where one worker appends its lines.

    Group commit: `append` returns when the line is on the disk; lines that threads bring while an earlier group is being
    synced are written and synced together. Of a group that fails nobody is acknowledged, and the segment is given up:
    it is cut back to what was acknowledged, goes where that is nothing, and the next line begins another one.
    """

    def __init__(self, folder: Path, noun: str = DECISIONS, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Names the folder; the first line opens a segment."""
        self._folder = folder
        self._noun = noun
        self._segment_bytes = segment_bytes
        self._queue_lock = Lock()
        self._disk_lock = Lock()
        self._group = _Group()
        self._file: int | None = None
        self._path = folder
        self._size = 0
        self._begun = 0.0

    def append(self, line: bytes) -> None:
        """Appends one line, without its line end, and returns once it is durable.

        Raises:
            UnavailableError: the disk refuses it; it is not in the log.
        """
        with self._queue_lock:
            group = self._group
            group.lines.append(line)
        with self._disk_lock:
            if not group.done:
                with self._queue_lock:
                    self._group = _Group()
                group.done = True
                group.error = self._written(group.lines)
        if group.error is not None:
            raise UnavailableError(
                f"The {self._noun} log in {self._folder} does not answer: {group.error.strerror or group.error}. Nothing was "
                "acknowledged. Check that the folder may be written and that the disk has room."
            ) from group.error

    def close(self) -> None:
        """Lets go of the segment; a line after that begins another one."""
        with self._disk_lock:
            self._let_go()

    def _written(self, lines: list[bytes]) -> OSError | None:
        content = b"".join(line + b"\n" for line in lines)
        try:
            file = self._opened()
            _write_all(file, content)
            _sync(file)
        except OSError as error:
            self._give_up()
            return error
        self._size += len(content)
        if self._size >= self._segment_bytes or monotonic() - self._begun > SEGMENT_S:
            self._let_go()
        return None

    def _opened(self) -> int:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"{self._noun}-{uuid4().hex}{_SUFFIX}"
            unnamed = self._folder / f".{name}"
            file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
            self._file, self._path, self._size, self._begun = file, unnamed, 0, monotonic()
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path = unnamed.rename(self._folder / name)
            _sync_folder(self._folder)
        return self._file

    def _give_up(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what cannot be cut back stays: whole lines that nobody was told of, or a torn one
                os.ftruncate(self._file, self._size)
                _sync(self._file)
            if not self._size:  # nobody needs it; an outage must not leave one for every line that it refused
                with suppress(OSError):
                    self._path.unlink()
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                os.close(file)


class _Group:
    """The lines that are written and synced together."""

    __slots__ = ("done", "error", "lines")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.done = False
        self.error: OSError | None = None


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        written = os.write(file, view)
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
