"""The running service as it tells of itself, where the project says where it listens; and the disk under its logs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from shipworthy.live.watch.alert import Alert

TIMEOUT_S = 10.0

OLD_S = 30.0
"""After so many seconds without a look at the rollout a worker does not follow it any more; it looks twice a second."""

_DECIDE = "/v1/decide"
_MANY_REFUSED = 0.05
_MANY_FAILED = 0.01
_FEWEST = 5
_ROOM = 0.05
_NO_MONEY = "the service's counts know no periods"
_GO_ON = "decisions go on as they were"


def check_service(address: str) -> list[Alert]:
    """The alerts about the service that listens at an address; none where that is empty.

    Refused requests are in no log, because nothing was decided: they are counted by the service, since it started.
    """
    if not address:
        return []
    try:
        health = _health(address)
        counts = _decide_counts(_get(f"{address}/metrics").decode())
    except (URLError, OSError, ValueError) as error:
        what = f"{address} does not answer: {getattr(error, 'reason', error)}."
        return [Alert(kind="service-down", what=what, reckoned=_NO_MONEY)]
    return [*_unwell(address, health), *_counted(counts)]


def service_health(address: str, timeout_s: float = 2.0) -> Mapping[str, Any] | str:
    """What a service says of itself, or, in a sentence, why it says nothing; never longer than the time-out."""
    if not address:
        return "No service is set, so none is asked."
    try:
        return _health(address, timeout_s)
    except (URLError, OSError, ValueError) as error:
        return f"{address} does not answer: {getattr(error, 'reason', error)}."


def check_disk(folder: Path) -> list[Alert]:
    """An alert where the disk under the logs has hardly any room."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    usage = shutil.disk_usage(there)
    if usage.free >= _ROOM * usage.total:
        return []
    what = f"{usage.free / 2**30:,.1f} GiB are left on the disk of {folder}, {usage.free / usage.total:.0%}."
    return [Alert(kind="disk-full", what=what, reckoned="once it is full, nothing is decided any more")]


def _unwell(address: str, health: Mapping[str, Any]) -> Iterator[Alert]:
    trouble, age = health.get("trouble"), health.get("rollout_age") or 0
    if not health.get("releases"):
        yield Alert(kind="service-down", what=f"{address} serves nothing: {trouble}", reckoned=_NO_MONEY)
    elif not health.get("record_store_answers", True):
        what = f"The record store has not answered the service for {age:.0f} s: {trouble}"
        yield Alert(kind="record-store-gone", what=what, reckoned=_GO_ON)
    elif age > OLD_S:
        what = f"{address} has not asked the record store for {age:.0f} s: no move of the rollout reaches that worker."
        yield Alert(kind="record-store-gone", what=what, reckoned=_GO_ON)
    elif trouble:
        yield Alert(kind="release-refused", about="service", what=str(trouble), reckoned=_NO_MONEY)


def _counted(counts: Mapping[int, float]) -> Iterator[Alert]:
    total = sum(counts.values())
    for kind, first, last, many, verb in (
        ("refused-requests", 400, 499, _MANY_REFUSED, "refused"),
        ("failing-answers", 500, 599, _MANY_FAILED, "not answered"),
    ):
        count = sum(number for status, number in counts.items() if first <= status <= last)
        if count >= _FEWEST and count > many * total:
            codes = ", ".join(str(status) for status in sorted(counts) if first <= status <= last)
            what = f"{count:,.0f} of {total:,.0f} requests to decide were {verb} since the service started ({codes})."
            yield Alert(kind=kind, what=what, reckoned=_NO_MONEY)


def _decide_counts(exposition: str) -> dict[int, float]:
    """Requests to decide by their status, as /metrics counts them."""
    return {
        int(sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == "shipworthy_requests_total" and sample.labels.get("path") == _DECIDE
    }


def _health(address: str, timeout_s: float = TIMEOUT_S) -> Mapping[str, Any]:
    try:
        content = _get(f"{address}/v1/health", timeout_s)
    except HTTPError as error:  # 503 says why in the same form
        content = error.read()
    said = json.loads(content)
    if not isinstance(said, dict):
        raise ValueError("what answers there is no shipworthy service")
    return said


def _get(url: str, timeout_s: float = TIMEOUT_S) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ValueError("an address begins with http:// or https://")
    with urlopen(url, timeout=timeout_s) as response:  # noqa: S310  (checked above; it is the project's own setting)
        content: bytes = response.read()
        return content
