"""Whose turn it is, among the processes of one machine: a lock on a file says who lives and what is taken.

The system lets go of a lock when its process ends, however it ends, so nothing stays taken by the dead.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from shipworthy.errors import UnavailableError


class Turn:
    """A file that is held locked.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "slot-0"
    >>> held = Turn.take(place)
    >>> Turn.take(place) is None
    True
    >>> held.give_back()
    >>> Turn.is_held(place)
    False
    """

    def __init__(self, path: Path, file: int) -> None:
        """Takes a file that is open and locked."""
        self._path, self._file = path, file

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Locks a file, which is made where it is missing; None where somebody holds it.

        Raises:
            UnavailableError: it cannot be made there.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(
                f"{path} cannot be made: {error.strerror or error}. Let the server write there."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return cls(path, file)

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether somebody holds the file; one that is not there is held by nobody."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def give_back(self, *, remove: bool = False) -> None:
        """Lets go of it."""
        if remove:
            with suppress(OSError):
                self._path.unlink()
        os.close(self._file)
