"""What nobody would send: requests made up from the API's own description, against the real server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.api.serving import Server

MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
DESCRIBED = {"Content-Type", "Idempotency-Key", "If-Match", "Prefer"}
LONGEST_QUERY = 30_000
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]


@pytest.mark.parametrize(
    "operation",
    [
        "GET /projects/{project}/ideas",
        "POST /projects/{project}/ideas",
        "PATCH /projects/{project}/ideas/{number}",
        "POST /projects/{project}/ideas/{number}/comments",
        "POST /projects/{project}/ideas/{number}/signoffs",
        "GET /projects/{project}/problems/{problem}/decisions",
        "GET /projects/{project}/feed",
        "GET /projects/{project}/standup",
        "GET /projects/{project}/jobs/{id}",
        "GET /audit",
        "POST /accounts",
        "POST /tokens",
        "POST /me/tokens",
        "POST /projects/{project}/jobs/{id}/end",
        "GET /projects/{project}/export",
    ],
)
def test_made_up_requests_get_documented_answers(operation: str, laptop: Server) -> None:
    """Nothing that is made up gets a 5xx, or an answer that is not in the description."""
    schema = schemathesis.openapi.from_url(f"{laptop.url}/api/openapi.json")
    method, path = operation.split()
    asked: set[int] = set()
    for mode in MODES:

        @settings(
            max_examples=20,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=schema["/api/v1" + path][method].as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            if "project" in case.path_parameters and len(asked) % 4:
                case.path_parameters["project"] = "kiosk"
            for name in {*(case.headers or ())} - DESCRIBED:  # others may be no HTTP, which never reaches the API
                case.headers.pop(name)
            if (
                len(urlencode(case.query or {}, doseq=True)) > LONGEST_QUERY
            ):  # neither is what the server does not parse
                return
            asked.add(case.call_and_validate(checks=CHECKS).status_code)

        ask()
    assert asked
