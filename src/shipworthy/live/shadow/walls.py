"""The walls of the kernel around a process that must have no side effects: raised first, before any library is loaded.

Namespaces and Landlock bind a thread and what it starts afterwards, so they have to stand before numpy or Polars start threads of
their own. That is why this module is run as the program, imports nothing but the standard library, and then runs the real one:

    python -m shipworthy.live.shadow.walls MODULE SCRATCH

SCRATCH is the one folder that may be written until `close_walls`. What a kernel does not have is left out, and told.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

NO_WRITES, NO_PROGRAMS, NO_NETWORK, NO_TCP = "no writes", "no programs", "no network", "no TCP"
NO_PRIVILEGES, NO_BYTES, LITTLE_MEMORY = "no privileges", "no byte into a file", "a limit of memory"

WHOLE = frozenset({NO_WRITES, NO_PROGRAMS, NO_NETWORK, NO_BYTES})
"""The walls that leave no side effect to native code but those that docs/shadow.md names."""

_NEW_USER, _NEW_NET, _NEW_IPC = 0x1000_0000, 0x4000_0000, 0x0800_0000
_PARENT_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _TRUNCATE = 1 << 0, 1 << 1, 1 << 14
_READS = (1 << 2) | (1 << 3)
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files each version of Landlock knows; later versions know the same."""

_MOST_FILES = 1024
_MOST_PROCESSES = 256


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def raise_walls(scratch: Path) -> list[str]:
    """Raises what must stand before libraries are loaded, and names it; `scratch` may still be written."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    standing = list(_network(libc))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        standing.append(NO_PRIVILEGES)
    return [*standing, *(name for name in _landlock(libc, scratch) if NO_NETWORK not in standing or name != NO_TCP)]


def close_walls(memory: int | None) -> list[str]:
    """Raises the rest once everything is opened, and names it: the scratch folder is closed, and no byte reaches a file.

    Args:
        memory: How many bytes may be taken beyond what is in use; None for no limit.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    standing = [NO_BYTES]
    _lower(resource.RLIMIT_NOFILE, _MOST_FILES)
    mapped = _mapped()
    if memory is not None and mapped is not None:
        _lower(resource.RLIMIT_AS, mapped + memory)
        standing.append(LITTLE_MEMORY)
    if sys.platform == "linux":
        for _ in _landlock(ctypes.CDLL(None, use_errno=True), None):
            pass
    return standing


def _network(libc: ctypes.CDLL) -> Iterator[str]:
    """Namespaces of network, without any interface, and of shared memory; one of users is what lets anybody have them."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC) == 0:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
        _lower(resource.RLIMIT_NPROC, _MOST_PROCESSES)  # counted within the namespace: its own threads and forks
        yield NO_NETWORK
    elif libc.unshare(_NEW_NET | _NEW_IPC) == 0:
        yield NO_NETWORK


def _landlock(libc: ctypes.CDLL, scratch: Path | None) -> Iterator[str]:
    """Landlock: everything may be read, nothing written or executed, except in the scratch folder and the null device."""
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return
    rights = (1 << _RIGHTS_BY_VERSION.get(version, 16)) - 1 & ~_READS
    rules = _Rules(rights, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    if ruleset < 0:
        return
    try:
        _allow(libc, ruleset, os.devnull, rights & (_WRITE_FILE | _TRUNCATE))
        if scratch is not None:
            _allow(libc, ruleset, str(scratch), rights & ~_EXECUTE)
        if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            return
    finally:
        os.close(ruleset)
    yield NO_WRITES
    yield NO_PROGRAMS
    if version >= 4:
        yield NO_TCP


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(_Beneath(rights, place)), 0) != 0:
            code = ctypes.get_errno() or errno.EINVAL
            raise OSError(code, os.strerror(code), path)
    finally:
        os.close(place)


def _lower(limit: int, most: int) -> None:
    _, hard = resource.getrlimit(limit)
    lowest = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limit, (lowest, lowest))


def _mapped() -> int | None:
    """How many bytes of addresses this process has mapped; None where the kernel does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return None
    return pages * resource.getpagesize()


def _write(path: str, text: str) -> None:
    with suppress(OSError):  # who we are called there is for the looks: files are reached as before
        Path(path).write_text(text, encoding="ascii")


def _main(module: str, scratch: str, run: Callable[..., object] = runpy.run_module) -> None:
    sys.argv = [module, scratch, *raise_walls(Path(scratch))]
    run(module, run_name="__main__")


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
