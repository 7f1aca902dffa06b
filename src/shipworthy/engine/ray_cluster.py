"""The engine for many machines: tasks on a Ray cluster, or on Ray on this machine. Importing it imports Ray."""

from __future__ import annotations

import logging
import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from shipworthy.engine.bundle import Bundle, lay, pack
from shipworthy.engine.engine import Done, Engine, Keep, keep_nothing
from shipworthy.engine.work import Work, outcomes_of
from shipworthy.errors import UnavailableError
from shipworthy.project.code import installed_packages
from shipworthy.project.environment import environment, exact

T = TypeVar("T")
R = TypeVar("R")

_ANSWER_SECONDS = 3.0
_HEALTH_SECONDS = 8.0
_AHEAD = 2
"""How many chunks are given out per core, so that none waits for this process."""


class RayEngine:
    """Runs tasks on Ray, one core each; which machine runs which makes no difference to the results.

    Code, settings and snapshot of a task's project are put into Ray's object store once. Each machine lays them into a folder
    under their digest when its first task needs them. Nothing else than the same packages has to be there.
    """

    def __init__(self, *, workers: int = 0, address: str = "") -> None:
        """Says where Ray is; nothing is started or asked yet.

        Args:
            workers: How many tasks run at once; 0 for as many as there are cores.
            address: "" to start Ray on this machine, "host:port" of a cluster that this machine is part of, or "ray://host:port".
        """
        self._workers = workers
        self._address = address
        self._sent: dict[tuple[Path, str], _Sent] = {}
        self._packages: Any = None
        self._held = 0
        self._is_ours = False

    def run(self, function: Callable[[T], R], tasks: Sequence[T], done: Done, keep: Keep = keep_nothing) -> list[R]:
        """See `Engine.run`.

        Raises:
            UnavailableError: Ray does not answer, or has another Python or other packages there.
        """
        if not tasks:
            return []
        with self:
            self._connect()
            cores = _cores()
            count = min(self._workers or cores, cores)
            most = count * _AHEAD if count == cores else count
            work = Work(function, tasks, done, keep, workers=count)
            self._work_off(work, {key: self._send(*key) for key in _projects(tasks)}, most)
            return work.results

    def __enter__(self) -> Self:
        """See `Engine.__enter__`."""
        self._held += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `Engine.__exit__`."""
        self._held -= 1
        if not self._held:
            self._sent.clear()
            self._packages = None
            if self._is_ours:
                self._is_ours = False
                ray.shutdown()

    def _connect(self) -> None:
        """Starts Ray here, or connects to the cluster; a connection that this process has already is used as it is."""
        if not ray.is_initialized():
            self._is_ours = True
            _start(self._workers) if not self._address else _join(self._address)
        if self._packages is None:
            self._packages = ray.put([platform.python_version(), *installed_packages()])

    def _send(self, root: Path, snapshot: str) -> _Sent:
        """Puts a project into the object store, once."""
        if (root, snapshot) not in self._sent:
            bundle = pack(root, snapshot)
            self._sent[root, snapshot] = _Sent(bundle.digest, [ray.put(bundle)])
        return self._sent[root, snapshot]

    def _work_off(self, work: Work[T, R], sent: dict[tuple[Path, str], _Sent], most: int) -> None:
        running: dict[Any, list[int]] = {}
        try:
            while not work.is_finished:
                while len(running) < most and (numbers := work.take()):
                    running[_RUN_CHUNK.remote(work.pack(numbers), sent, [self._packages])] = numbers
                [ready], _ = ray.wait(list(running), num_returns=1)
                numbers = running.pop(ready)
                try:
                    outcomes, seconds = ray.get(ready)
                except RayTaskError as error:  # what a task raises comes as an outcome: this is before any of them
                    raise UnavailableError(
                        f"A machine of the cluster cannot run it: {_cause(error)} {_SAME}"
                    ) from error
                except RayError as error:  # the worker or its machine is gone
                    work.lost(numbers, str(error).strip().partition("\n")[0])
                else:
                    work.arrived(numbers[: len(outcomes)], outcomes, seconds)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A project in the object store.

    Attributes:
        digest: The digest of its bundle.
        reference: Where it is; in a list, so that Ray does not fetch it for every task.
    """

    digest: str
    reference: list[Any] = field(hash=False, compare=False)


def _projects(tasks: Sequence[Any]) -> set[tuple[Path, str]]:
    """The projects and snapshots that the tasks name."""
    return {key for task in tasks if (key := _project(task)) is not None}


def _project(task: Any) -> tuple[Path, str] | None:
    root, snapshot = getattr(task, "root", None), getattr(task, "snapshot", None)
    return (root, snapshot) if isinstance(root, Path) and isinstance(snapshot, str) else None


def _cores() -> int:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


def _start(workers: int) -> None:
    with environment(
        _QUIET | {"RAY_AUTH_MODE": "disabled"}
    ):  # it listens on this machine, for as long as the command runs
        ray.init(
            address="local",
            num_cpus=workers or None,
            include_dashboard=False,
            **_PLAIN,
            runtime_env={"env_vars": exact()},
        )


def _join(address: str) -> None:
    """Connects to a cluster. Asked first whether anything answers: Ray itself would try for a minute and then end the process."""
    _ask(address)
    try:
        with environment(_QUIET):
            ray.init(address=address, **_PLAIN, runtime_env={"env_vars": exact()})
    except (RayError, ConnectionError, RuntimeError, ValueError, AssertionError, ImportError) as error:
        raise UnavailableError(
            f"The Ray cluster at {address} cannot be used: {str(error).strip()} Correct [research] ray_address, or the "
            "environment here or there."
        ) from error


def _ask(address: str) -> None:
    is_client = address.startswith("ray://")
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
        if not is_client:
            command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
            subprocess.run(command, check=True, capture_output=True, timeout=_HEALTH_SECONDS)  # noqa: S603  (our own words)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        why = "nothing listens there" if isinstance(error, OSError) else "what listens there is no Ray cluster"
        raise UnavailableError(
            f"No Ray cluster answers at {address}: {why}. Check [research] ray_address, or leave it empty to start Ray on this "
            "machine."
        ) from error


def _cause(error: RayTaskError) -> str:
    """The last line of an exception's text that names one."""
    named = [line for line in str(error).splitlines() if "Error: " in line]
    return named[-1].strip() if named else type(error).__name__


_SAME = "Install the same requirements.lock on every machine of the cluster."
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}
_PLAIN: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}


def _run_chunk(packed: bytes, sent: dict[tuple[Path, str], _Sent], packages: list[Any]) -> tuple[list[bytes], float]:
    """In a worker: the outcomes of some tasks and the seconds they took."""

    def place(task: Any) -> Any:
        _refuse_others(packages[0])
        key = _project(task)
        return task if key is None else replace(task, root=_laid(sent[key]))

    outcomes, spent = [], 0.0
    for outcome, seconds in outcomes_of(packed, place):
        outcomes.append(outcome)
        spent += seconds
    return outcomes, spent


_RUN_CHUNK = ray.remote(num_cpus=1, max_retries=0)(_run_chunk)


@cache
def _laid(sent: _Sent) -> Path:
    """The folder of this machine with the project in it; fetched once per worker."""
    bundle: Bundle = ray.get(sent.reference[0])
    return lay(bundle, sent.digest)


@cache
def _refuse_others(packages: Any) -> None:
    """Refuses to work where Python or a package is of another version than where the run was started: results could differ."""
    there, *theirs = ray.get(packages)
    here, ours = platform.python_version(), dict(each.split("==", 1) for each in installed_packages())
    differ = [
        f"{name} {version} there, {ours[name]} here"
        for name, version in (each.split("==", 1) for each in theirs)
        if ours.get(name, version) != version
    ]
    if there != here:
        differ.insert(0, f"Python {there} there, {here} here")
    if differ:
        raise UnavailableError(
            f"{platform.node()} has other versions than the machine that sent the work: {'; '.join(differ[:5])}. {_SAME}"
        )


def _fits(engine: RayEngine) -> Engine:
    return engine
