"""The guarded child as its parent sees it: started behind walls, asked, and ended where it does not answer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TypeVar

import msgspec

from shipworthy.errors import UserCodeError
from shipworthy.live.outcomes import archive_of
from shipworthy.live.shadow.frames import Answer, BrokenTalkError, Carried, Question, Ready, Wanted, receive, send
from shipworthy.live.shadow.read_through import read_for
from shipworthy.project import Project
from shipworthy.project.environment import one_thread_each
from shipworthy.ship.manifest import files_of, parse_manifest, read_file
from shipworthy.ship.release import read_manifest

OPEN_S = 120.0
"""How long a child may take to open its release."""

SCRATCH = ".guarded-"
"""What the folders that children open their releases in are called; they lie beside the logs."""

GRACE_S = 5.0
"""How long a child may take beyond the time limit of a decision before it is ended."""

_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PYTHONHASHSEED",
)
"""What a child is told of the environment: nothing that is a secret."""

_MOST_SAID = 200
_LAST_WORDS = 5


Said = TypeVar("Said", Ready, Answer)
_SAID = msgspec.msgpack.Decoder(Ready | Answer | Wanted)


class GuardedChild:
    """One release in a process of its own, where it can neither write nor talk to anybody.

    Attributes:
        walls: What stands around it, in words.
    """

    def __init__(self, project: Project, carried: Carried) -> None:
        """Starts it, lets it open its release, and waits until its guard is closed.

        Raises:
            UserCodeError: the release cannot be opened.
            BrokenTalkError: it does not come up.
        """
        self._project = project
        self._scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=carried.folder))
        command = [
            sys.executable,
            "-m",
            "shipworthy.live.shadow.walls",
            "shipworthy.live.shadow.guarded_child",
            str(self._scratch),
        ]
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._scratch,
            env=_environment(os.environ) | {"TMPDIR": str(self._scratch)},
            start_new_session=True,
        )
        assert self._process.stdin, "it is a pipe"
        assert self._process.stdout, "it is a pipe"
        self._questions, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._questions, self._answers):
            os.set_blocking(pipe, False)
        self._said: deque[str] = deque(maxlen=_LAST_WORDS)
        self._listener = Thread(target=self._listen, daemon=True, name="guarded")
        self._listener.start()
        try:
            self.walls = self._opened(carried)
        except BaseException:
            self.end()
            raise

    @property
    def process_id(self) -> int:
        """The number of its process."""
        return self._process.pid

    def ask(self, line: bytes, seconds: float) -> Answer:
        """Lets it decide what a line of the decision log asks for.

        Raises:
            BrokenTalkError: it died, hung, or said what is no answer; it is ended, and of no use any more.
        """
        try:
            send(self._questions, Question(line), seconds)
            return self._heard(Answer, seconds + GRACE_S)
        except (BrokenTalkError, msgspec.MsgspecError) as error:
            raise BrokenTalkError(self._why(error)) from error

    def end(self) -> None:
        """Ends it, and whatever it may have started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._listener.join(1.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _opened(self, carried: Carried) -> list[str]:
        try:
            send(self._questions, carried, OPEN_S)
            ready = self._heard(Ready, OPEN_S)
        except (BrokenTalkError, msgspec.MsgspecError) as error:
            raise BrokenTalkError(self._why(error)) from error
        if ready.trouble:
            raise UserCodeError(f"The release cannot be opened: {ready.trouble}")
        return ready.walls

    def _heard(self, kind: type[Said], seconds: float) -> Said:
        """What it says next; while it wants something from the stores, that is read for it."""
        until = monotonic() + seconds
        while True:
            said = _SAID.decode(receive(self._answers, until - monotonic()))
            if isinstance(said, kind):
                return said
            if not isinstance(said, Wanted):
                raise BrokenTalkError("what it says is no answer")
            send(self._questions, read_for(self._project, said), until - monotonic())

    def _why(self, error: Exception) -> str:
        """Why it is of no use any more: how it ended, where it did, and its last words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        code = self._process.poll()
        self.end()
        if code is None:
            return str(error)
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = f": {' '.join(self._said)}" if self._said else ""
        return f"its process ended while it decided, {how}{said}"[:2000]

    def _listen(self) -> None:
        """Passes on what the child says on stderr, which its policy may print on, too."""
        stream = self._process.stderr
        assert stream, "it is a pipe"
        with suppress(OSError, ValueError):
            for line in iter(lambda: stream.readline(1 << 16), b""):
                self._said.append(line.decode(errors="replace").strip()[:_MOST_SAID])
                sys.stderr.write(f"shadow: {line.decode(errors='replace').rstrip()}\n")


def carry(project: Project, release: str, folder: Path) -> Carried:
    """What a child needs of a release: its record and objects, checked, of which nothing is run here.

    Raises:
        UnavailableError: a store does not answer.
        NotFoundError: there is no such release, or an object is gone.
        TamperedError: one was changed, or nobody signed it whom the project trusts.
    """
    manifest, _ = read_manifest(project, release)
    record = project.records.get("release", release)
    assert record is not None, "its manifest was read"
    files = files_of(parse_manifest(manifest, release)).values()
    contents = {file.object: read_file(project.objects, file) for file in files}
    contents[str(record.body["manifest"])] = manifest
    problem = str(record.body["problem"])
    return Carried(
        release=release,
        record=dict(record.body),
        contents=contents,
        problem=problem,
        folder=str(folder),
        is_compacted=archive_of(project, problem, folder) is not None,
    )


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a child is told of the environment.

    >>> _environment({"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "LC_ALL": "C"})["LC_ALL"]
    'C'
    >>> "AWS_SECRET_ACCESS_KEY" in _environment({"AWS_SECRET_ACCESS_KEY": "x"})
    False
    """
    kept = {name: value for name, value in given.items() if name in _KEPT or name.startswith("LC_")}
    return kept | one_thread_each()
