"""Traces of the service over real HTTP, received by a real OTLP/HTTP receiver."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from shipworthy.errors import UnavailableError
from shipworthy.live.server import serve as serve_problem
from shipworthy.project import open_project
from shipworthy.store import read_log
from tests.live.stall import Server, Stall, free_port, stall_rows

Serve = Callable[..., Server]
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PARTS = ["read", "wait", "decide", "log"]
LOADED = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
from shipworthy.live.service import make_app
from shipworthy.live.settings import Settings
from shipworthy.live.trace import are_traces_wanted
from shipworthy.project import open_project
project = open_project(Path(sys.argv[1]))
wanted = are_traces_wanted(project)
settings = Settings(root=sys.argv[1], problem="stock", log_folder=str(project.log_folder), release=None, traces=wanted)
with TestClient(make_app(settings)) as client:
    rows = [{"fruit": fruit, "price": 1.5, "is_market": False} for fruit in ("apple", "fig", "plum")]
    assert client.post("/v1/decide", json={"period": "2026-01-31", "rows": rows}).status_code == 200
print(any(name.startswith("opentelemetry") for name in sys.modules))
"""


class Receiver:
    """A collector: it takes spans over OTLP/HTTP and keeps them."""

    def __init__(self) -> None:
        received: list[tuple[str, ExportTraceServiceRequest]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received.append((self.path, ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        self.received = received
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[Span]:
        """Every span, by when it began."""
        sent = [span for _, r in self.received for rs in r.resource_spans for ss in rs.scope_spans for span in ss.spans]
        return sorted(sent, key=lambda span: span.start_time_unix_nano)

    def request(self, path: str) -> Span:
        """The one span of a path."""
        [span] = [span for span in self.spans if span.name == f"POST {path}"]
        return span

    def parts(self, whole: Span) -> list[Span]:
        """The children of a span."""
        return [span for span in self.spans if span.parent_span_id == whole.span_id]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that the environment names; spans come to it only when the queue is flushed."""
    running = Receiver()
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{running.server.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    yield running
    running.server.shutdown()
    running.server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    """The attributes of a span or a resource as plain values."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def test_a_decision_is_a_span_of_its_callers_trace_with_a_child_for_each_step(
    stall: Stall, serve: Serve, receiver: Receiver
) -> None:
    """The caller's traceparent is the parent; read, wait, decide and log are children; a drain flushes what is left."""
    stall.move("mean_of_three_days")
    server = serve(workers=1)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    answer = server.decide(traceparent=f"00-{trace}-{parent}-01")
    assert (answer.status, receiver.received) == (200, [])
    server.end()
    whole = receiver.request("/v1/decide")
    assert (whole.trace_id.hex(), whole.parent_span_id.hex(), whole.kind) == (trace, parent, Span.SPAN_KIND_SERVER)
    assert attributes(whole) == {
        "http.request.method": "POST",
        "http.route": "/v1/decide",
        "http.response.status_code": 200,
    }
    parts = receiver.parts(whole)
    assert [part.name for part in parts] == PARTS
    assert {part.trace_id.hex() for part in parts} == {trace}
    assert attributes(parts[2]) == {
        "shipworthy.release": answer.body["release"],
        "shipworthy.arm": "champion",
        "shipworthy.rung": "policy",
        "shipworthy.rows": 3,
    }
    [(path, sent)] = receiver.received
    resource = attributes(sent.resource_spans[0].resource)
    assert (path, resource["service.name"]) == ("/v1/traces", "stock")
    assert resource["service.version"]
    assert resource["service.instance.id"]


def test_no_value_of_a_row_and_no_key_leaves_the_service(stall: Stall, serve: Serve, receiver: Receiver) -> None:
    """Rows, outcomes, overrides, keys and what is said of wrong ones stand in no span; each path has its own."""
    stall.move("mean_of_three_days")
    server = serve(workers=1)
    assert (
        server.decide(rows=stall_rows(price=91.4375), idempotency_key="private-key", traceparent="private").status
        == 200
    )
    assert server.decide(rows=stall_rows(price="private-price")).status == 422
    sold = {"rows": [{"day": "2026-01-31", "fruit": "apple", "sold": 7654321.0}]}
    assert server.ask("POST", "/v1/outcomes", sold).status == 200
    done = {"day": "2026-01-31", "fruit": "apple", "laid_in": 7654321.0, "by": "private-name", "why": "private-why"}
    assert server.ask("POST", "/v1/overrides", {"rows": [done]}).status == 200
    server.end()
    told = "".join(str(sent) for _, sent in receiver.received)
    assert not [value for value in ("91.4375", "7654321", "private", "apple", "2026-01-31") if value in told]
    for path in ("/v1/outcomes", "/v1/overrides"):
        assert receiver.parts(receiver.request(path)) == []
    statuses = [attributes(span).get("http.response.status_code") for span in receiver.spans if not span.parent_span_id]
    assert statuses == [200, 422, 200, 200]


def test_an_answer_that_fails_is_told_as_an_error(stall: Stall, serve: Serve, receiver: Receiver) -> None:
    """Where nothing is rolled out, the request and the part that it failed in are marked, without the reason's text."""
    server = serve(workers=1)
    assert server.decide().status == 503
    server.end()
    whole = receiver.request("/v1/decide")
    assert [(part.name, part.status.code) for part in receiver.parts(whole)] == [
        ("read", Status.STATUS_CODE_UNSET),
        ("wait", Status.STATUS_CODE_ERROR),
    ]
    assert (whole.status.code, whole.status.message) == (Status.STATUS_CODE_ERROR, "")


def test_many_at_once_have_a_whole_trace_each(stall: Stall, serve: Serve, receiver: Receiver) -> None:
    """Requests that two workers answer at once keep their parts apart, and the workers are told apart."""
    stall.move("mean_of_three_days")
    server = serve(workers=2)
    server.wait_for_all_workers()
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status for answer in pool.map(lambda _: server.decide(), range(32))} == {200}
    server.end()
    requests = [span for span in receiver.spans if span.name == "POST /v1/decide"]
    assert len(requests) == len({span.trace_id for span in requests}) >= 48
    assert all([part.name for part in receiver.parts(span)] == PARTS for span in requests)
    resources = [attributes(rs.resource) for _, sent in receiver.received for rs in sent.resource_spans]
    assert len({resource["service.instance.id"] for resource in resources}) == 2


@pytest.mark.parametrize("hangs", [False, True], ids=["gone", "hangs"])
def test_without_a_collector_everything_is_answered(
    stall: Stall, serve: Serve, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """A collector that is gone, or never answers, costs no answer, though its queue is long full, and no end in order."""
    stall.move("mean_of_three_days")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if hangs:
            listener.listen()
        port = listener.getsockname()[1] if hangs else free_port()
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
        server = serve(workers=1)
        answers = [server.decide() for _ in range(20)]
        assert {answer.status for answer in answers} == {200}
        server.end()
    logged = {entry["id"] for entry in read_log(server.folder, "decisions")}
    assert logged == {answer.body["id"] for answer in answers}
    assert server.process.returncode == 0


@pytest.mark.parametrize("wanted", [False, True])
def test_opentelemetry_is_imported_only_where_traces_are_asked_for(
    stall: Stall, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    """A service without traces answers without one module of OpenTelemetry; `[live] traces = true` loads it."""
    monkeypatch.delenv(ENDPOINT, raising=False)
    stall.move("mean_of_three_days")
    if wanted:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        ask_for_traces(stall)
    command = [sys.executable, "-c", LOADED, str(stall.project.root)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
    assert told.split() == [str(wanted)]


def test_without_the_extra_it_is_told_before_anything_starts(stall: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces that are asked for without OpenTelemetry are refused with what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    monkeypatch.delitem(sys.modules, "shipworthy.live.traces", raising=False)
    ask_for_traces(stall)
    with pytest.raises(UnavailableError, match=r"pip install 'shipworthy\[otel\]'"):
        serve_problem(open_project(stall.project.root), "stock", port=free_port())


def ask_for_traces(stall: Stall) -> None:
    """Writes it into the configuration."""
    path = stall.project.root / "shipworthy.toml"
    path.write_text(path.read_text() + "\n[live]\ntraces = true\n")
