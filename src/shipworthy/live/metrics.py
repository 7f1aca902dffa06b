"""What the service counts, in the Prometheus format, right across several workers.

Each worker writes its counts to files in one folder, which `serve` makes and names in the environment before the
workers start; whichever worker is asked adds them up.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from shipworthy.live.settings import COUNTS_VARIABLE

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("shipworthy_requests", "Requests, by path and status.", ["path", "status"])
SECONDS = Histogram("shipworthy_request_seconds", "Seconds from the request to its answer.", ["path"], buckets=_SECONDS)
DECISIONS = Counter("shipworthy_decisions", "Decisions, by arm and the rung that decided.", ["arm", "rung"])
FALLS = Counter("shipworthy_falls", "Rungs that did not decide, by arm.", ["arm"])
DENIED = Counter("shipworthy_shadow_denied", "Side effects that a release attempted in the shadow, and was denied.")
SHADOW_WAITING = Gauge(
    "shipworthy_shadow_waiting", "Decisions that wait for the shadow.", multiprocess_mode="mostrecent"
)
OUTCOMES = Counter("shipworthy_outcomes", "Rows of outcomes that were noted.")
WAITED = Histogram("shipworthy_waited_seconds", "Seconds until a request had its turn.", buckets=_SECONDS)
LOG_SECONDS = Histogram("shipworthy_log_seconds", "Seconds to bring decisions onto the disk.", buckets=_SECONDS)
TOGETHER = Histogram("shipworthy_together", "Requests taken up together.", buckets=(1, 2, 4, 8, 16, 32, 64))


def count_answers(answers: dict[str, Any]) -> None:
    """Counts what each arm of one decision did."""
    for arm, answer in answers.items():
        _decisions(arm, answer["rung"]).inc()
        if answer["falls"]:
            FALLS.labels(arm).inc(len(answer["falls"]))


def count_request(path: str, status: int, seconds: float) -> None:
    """Counts one answered request."""
    _requests(path, status).inc()
    _seconds(path).observe(seconds)


@cache
def _decisions(arm: str, rung: str) -> Counter:
    return DECISIONS.labels(arm, rung)


@cache
def _requests(path: str, status: int) -> Counter:
    return REQUESTS.labels(path, status)


@cache
def _seconds(path: str) -> Histogram:
    return SECONDS.labels(path)


def exposition() -> bytes:
    """All counts of all workers, as Prometheus reads them."""
    if COUNTS_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)  # one worker, which counts in its own memory
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
