"""Running a command to its end: in a group of processes of its own, for so long, with so much output, until told to stop."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

_LONGEST_ANSWER = 16 * 2**20
_LAST_WORDS = 32 * 2**10
_LOOK_S = 0.2
_OWN = "SHIPWORTHY_"
_PASSED_ON = ("SHIPWORTHY_CLOCK",)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code; None where it was ended.
        out: What it printed.
        said: The last of what it said besides.
        why: Why it was ended; None where it ended by itself.
    """

    code: int | None
    out: bytes
    said: str
    why: str | None = None


def run(words: Sequence[str], folder: Path, environment: Mapping[str, str], limit_s: float, stop: Event) -> Ended:
    """Runs a command of shipworthy in a folder; it ends with this process, however that ends."""
    process = subprocess.Popen(  # noqa: S603  (no shell, and every word comes from the table of verbs)
        [sys.executable, "-m", "shipworthy.workspace.child", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    try:
        why, out, said = _listen(process, monotonic() + limit_s, stop)
    finally:
        _end(process)
    return Ended(None if why else process.returncode, bytes(out), said.decode(errors="replace"), why)


def environment_of(who: str, hidden: Collection[str] = ()) -> dict[str, str]:
    """The variables that a command needs, without what belongs to the server: its own settings, and the hidden ones.

    >>> environment_of("ann")["SHIPWORTHY_USER"]
    'ann'
    """
    own = {name for name in os.environ if name.startswith(_OWN)} - {*_PASSED_ON}
    kept = {name: value for name, value in os.environ.items() if name not in own and name not in hidden}
    return kept | {"SHIPWORTHY_USER": who, "PYTHONUNBUFFERED": "1"}


def _listen(process: subprocess.Popen[bytes], until: float, stop: Event) -> tuple[str | None, bytearray, bytearray]:
    assert process.stdout, "it is a pipe"
    assert process.stderr, "it is a pipe"
    out, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ, out)
        waiting.register(process.stderr, selectors.EVENT_READ, said)
        while True:
            if stop.is_set():
                return "the server ended", out, said
            if monotonic() > until:
                return "it took longer than it may", out, said
            if len(out) > _LONGEST_ANSWER:
                return f"it answered more than {_LONGEST_ANSWER:,} bytes", out, said
            for key, _ in waiting.select(_LOOK_S):
                chunk = os.read(key.fd, 2**16)
                key.data.extend(chunk)
                del said[:-_LAST_WORDS]
                if not chunk:
                    waiting.unregister(key.fileobj)
            if process.poll() is not None and not (waiting.get_map() and waiting.select(0)):
                return None, out, said  # whatever of its children may still hold the pipes


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends whatever is left of its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
