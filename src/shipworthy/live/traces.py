"""Traces by OpenTelemetry, sent over OTLP/HTTP; imported only where traces are asked for.

They say what a request went through, and never what its rows hold: that may be personal. Where they go, how many are
sampled and how many wait is said by OpenTelemetry's own variables (`OTEL_...`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Timer
from typing import Any

from shipworthy.library import library
from shipworthy.live.mixture import answer_in
from shipworthy.live.trace import Trace, Traces

FLUSH_S = 5.0
"""How long spans are still tried to be handed over when a worker ends; the rest is dropped."""

_api = library("opentelemetry.trace", "otel")
_sdk = library("opentelemetry.sdk.trace", "otel")
_batch = library("opentelemetry.sdk.trace.export", "otel")
_resources = library("opentelemetry.sdk.resources", "otel")
_otlp = library("opentelemetry.exporter.otlp.proto.http.trace_exporter", "otel")
_context = library("opentelemetry.trace.propagation.tracecontext", "otel").TraceContextTextMapPropagator()


class OpenTelemetryTraces(Traces):
    """Hands spans over in batches, in a thread of its own; what does not fit into its queue is dropped, and nobody waits."""

    def __init__(self, problem: str, version: str) -> None:
        """Opens the way to the collector; whether there is one shows later, and matters to no answer."""
        own = logging.getLogger("opentelemetry")
        own.handlers, own.propagate = logging.getLogger("shipworthy").handlers, False
        resource = _resources.Resource.create({"service.name": problem, "service.version": version})
        self._exporter = _otlp.OTLPSpanExporter()
        self._provider = _sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(_batch.BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("shipworthy", version)

    def begin(self, path: str, headers: Mapping[str, str]) -> Trace:
        """The trace of a request, as a part of its caller's where the headers name one."""
        attributes = {"http.request.method": "POST", "http.route": path}
        span = self._tracer.start_span(
            f"POST {path}", _context.extract(headers), kind=_api.SpanKind.SERVER, attributes=attributes
        )
        return _Spans(self._tracer, span)

    def close(self) -> None:
        """Hands over what is left, for a few seconds."""
        late = Timer(FLUSH_S, self._exporter.shutdown)
        late.daemon = True
        late.start()
        self._provider.shutdown()
        late.cancel()


class _Spans(Trace):
    """The span of a request, and the one of its present part."""

    __slots__ = ("_part", "_tracer", "_whole", "_within")

    def __init__(self, tracer: Any, whole: Any) -> None:
        self._tracer, self._whole = tracer, whole
        self._within = _api.set_span_in_context(whole)
        self._part: Any = None

    def enter(self, name: str) -> None:
        self.rest()
        self._part = self._tracer.start_span(name, self._within)

    def log(self, entry: Mapping[str, Any]) -> None:
        if self._part is not None:
            self._part.set_attributes(_told(entry))
        self.enter("log")

    def rest(self) -> None:
        if self._part is not None:
            self._part.end()
            self._part = None

    def end(self, status: int) -> None:
        self._whole.set_attribute("http.response.status_code", status)
        if status >= 500:
            for span in filter(None, (self._whole, self._part)):
                span.set_status(_api.StatusCode.ERROR)
        self.rest()
        self._whole.end()


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    answer = answer_in(dict(entry))
    told = {
        "release": answer["release"],
        "arm": entry["arm"],
        "rung": str(answer["rung"]),
        "rows": len(answer["decisions"]),
        "solver": answer["solver"],
        "gap": answer["gap"],
    }
    return {f"shipworthy.{name}": value for name, value in told.items() if value is not None}
