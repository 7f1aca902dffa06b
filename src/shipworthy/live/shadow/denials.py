"""What Python itself denies to a policy in the shadow: an audit hook, which cannot be taken away again.

It sees what goes through Python's own doors and raises there, so that the policy's attempt is refused, told, and counted.
Native code does not pass it; that is what the walls of the kernel are for.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

MOST_TOLD = 20
"""How many attempts of one decision are told one by one."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_FAMILIES = frozenset(
    {"socket", "subprocess", "shutil", "tempfile", "urllib", "http", "ftplib", "smtplib", "poplib", "imaplib", "nntplib",
     "telnetlib", "webbrowser", "syslog", "pty", "resource", "winreg", "signal"}
)  # fmt: skip
"""Of these modules every event is denied, but those that only look."""

_OF_OS = frozenset(
    {"chflags", "chmod", "chown", "exec", "fork", "forkpty", "kill", "killpg", "link", "mkdir", "mkfifo", "mknod", "posix_spawn",
     "remove", "removexattr", "rename", "rmdir", "setxattr", "spawn", "startfile", "symlink", "system", "truncate", "utime"}
)  # fmt: skip

_HARMLESS = frozenset({"socket.gethostname"})

_HARMLESS_DATABASE = ":memory:"


class Denials:
    """The attempts that were denied.

    Attributes:
        told: What was attempted since the last `take`, in words, each once.
    """

    def __init__(self) -> None:
        """Denies nothing yet."""
        self.told: dict[str, None] = {}

    def begin(self) -> None:
        """Denies from now on, for as long as the process lives."""
        _ = ctypes.pythonapi  # loaded by now, so that a library which needs ctypes later finds it
        sys.addaudithook(self._look)

    def take(self) -> list[str]:
        """What was denied since the last time."""
        told, self.told = self.told, {}
        return list(told)

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        what = _denied(event, arguments)
        if what is None:
            return
        if len(self.told) < MOST_TOLD:
            self.told[what] = None
        raise PermissionError(errno.EPERM, f"a release in the shadow may not do this: {what}")


def _denied(event: str, arguments: tuple[Any, ...]) -> str | None:
    """What an event attempts, in words; None where it is no side effect.

    >>> _denied("open", ("/tmp/x", "w", os.O_WRONLY | os.O_CREAT))
    'open for writing /tmp/x'
    >>> _denied("open", ("/tmp/x", "r", os.O_RDONLY)) is None
    True
    >>> _denied("os.remove", ("/tmp/x", -1))
    'os.remove /tmp/x'
    """
    special = _SPECIAL.get(event)
    if special is not None:
        return special(arguments)
    family, _, name = event.partition(".")
    denied = (family in _FAMILIES and event not in _HARMLESS) or (family == "os" and name in _OF_OS)
    return f"{event} {_shown(arguments)}".rstrip() if denied else None


def _open(arguments: tuple[Any, ...]) -> str | None:
    path, _, flags = arguments
    if isinstance(path, int) or not flags & _WRITING or _text(path) == os.devnull:
        return None  # a descriptor that is open already was looked at when it was opened
    return f"open for writing {_text(path)}"


def _database(arguments: tuple[Any, ...]) -> str | None:
    return None if arguments[:1] == (_HARMLESS_DATABASE,) else f"sqlite3.connect {_shown(arguments)}"


def _native(arguments: tuple[Any, ...]) -> str | None:
    """Loading the C library or Python itself by hand; what any other library does is for the kernel's walls."""
    name = arguments[0]
    is_ours = name is None or os.path.basename(_text(name)).startswith(("libc.", "libc-", "libpython"))  # noqa: PTH119
    return f"ctypes.dlopen {name}" if is_ours else None


def _symbol(arguments: tuple[Any, ...]) -> str | None:
    library = arguments[0]
    return f"ctypes.dlsym {arguments[1]}" if getattr(library, "_name", "") is None else None


_SPECIAL: Mapping[str, Callable[[tuple[Any, ...]], str | None]] = {
    "open": _open,
    "sqlite3.connect": _database,
    "ctypes.dlopen": _native,
    "ctypes.dlsym": _symbol,
}


def _shown(arguments: tuple[Any, ...]) -> str:
    """The argument that says what it is about: the first of them that is a text, a path or an address."""
    for argument in arguments:
        if isinstance(argument, str | bytes | os.PathLike):
            return _text(argument)
        if isinstance(argument, tuple):
            return ":".join(map(str, argument[:2]))
    return ""


def _text(path: Any) -> str:
    shown = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
