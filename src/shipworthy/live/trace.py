"""The trace of a request, as the service tells it: nothing, unless traces are asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from shipworthy.project import Project

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_OPEN_TELEMETRY = "shipworthy.live.traces"


class Trace:
    """What one request went through, part by part; this one forgets it."""

    __slots__ = ()

    def enter(self, name: str) -> None:
        """Begins a part, and ends the one before."""

    def log(self, entry: Mapping[str, Any]) -> None:
        """Says what was decided, and begins the part in which that goes to the disk."""

    def rest(self) -> None:
        """Ends the part; what follows is none."""

    def end(self, status: int) -> None:
        """Ends the trace with the status of the answer."""


UNTRACED = Trace()


class Traces:
    """Where the traces of one worker go; these go nowhere."""

    def begin(self, path: str, headers: Mapping[str, str]) -> Trace:
        """The trace of a request, as a part of its caller's where the headers name one."""
        del path, headers
        return UNTRACED

    def close(self) -> None:
        """Hands over what is left."""


def are_traces_wanted(project: Project) -> bool:
    """Whether the project's configuration or the environment asks for traces.

    Raises:
        UnavailableError: they are asked for, and OpenTelemetry is not installed.
    """
    wanted = bool(project.settings["live"]["traces"]) or any(map(os.environ.get, _ENDPOINTS))
    if wanted:
        import_module(_OPEN_TELEMETRY)
    return wanted


def open_traces(problem: str, version: str, *, wanted: bool) -> Traces:
    """Where a worker's traces go.

    Raises:
        UnavailableError: they are wanted, and OpenTelemetry is not installed.
    """
    if not wanted:
        return Traces()
    traces: Traces = import_module(_OPEN_TELEMETRY).OpenTelemetryTraces(problem, version)
    return traces
